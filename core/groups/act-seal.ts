import { asBuffer, concat, wipe } from '../base/bytes.ts';
import { AuthError, CoreError, DecodeError } from '../base/errors.ts';
import { LABEL } from '../base/labels.ts';
import { AEAD_TAG_BYTES, openXChaCha, sealXChaCha, XCHACHA_NONCE_BYTES } from '../crypto/aead.ts';
import {
  type ActHead,
  actIdOf,
  decodeActHead,
  digestOf,
  encodeActHead,
  type Post,
  type SealedAct,
} from './act-codec.ts';
import type { ActId, SignedAct } from './chains.ts';
import type { CryptoContext, EpochId, GroupCrypto } from './group-crypto.ts';

export const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

export interface OpenedAct {
  readonly id: ActId;
  readonly head: ActHead;
  readonly signed: SignedAct;
}

/** @param state of the epoch the message is sealed in; null for someone who is not in it yet */
export async function sealAct<State>(
  crypto: GroupCrypto<State>,
  state: State | null,
  epoch: EpochId,
  head: ActHead,
  { random }: CryptoContext,
): Promise<{ act: SealedAct; id: ActId }> {
  const signed = encodeActHead(head);
  const id = actIdOf(epoch, signed);
  const plain = concat(crypto.sign(signingBytes(epoch, signed)), signed);
  if (state === null) return { act: { sealed: false, bytes: plain }, id };
  const key = asBuffer(await crypto.exporter(state, LABEL.groupActSeal, KEY_BYTES));
  const nonce = random(XCHACHA_NONCE_BYTES);
  const sealed = Buffer.alloc(plain.length + AEAD_TAG_BYTES);
  sealXChaCha(sealed, plain, null, nonce, key);
  wipe(key);
  return { act: { sealed: true, bytes: concat(nonce, sealed) }, id };
}

/** @throws DecodeError, AuthError not sealed by the epoch's key, not signed by a member of it, or of another message */
export async function openAct<State>(crypto: GroupCrypto<State>, state: State, post: Post): Promise<OpenedAct> {
  const plain = post.act.sealed ? await unseal(crypto, state, post.act.bytes) : Buffer.from(post.act.bytes);
  const opened = readSigned(crypto, state, { epoch: post.epoch, bytes: plain });
  const { head } = opened;
  const right = digestOf(post.message).equals(head.digest) && (post.act.sealed || head.kind === 'commit');
  if (!right) throw new AuthError('not-authentic', 'group.act', 'An act is of another message.');
  return opened;
}

/**
 * @param state of an epoch that its sender is a member of
 * @throws DecodeError, AuthError not signed by its sender
 */
export function readSigned<State>(crypto: GroupCrypto<State>, state: State, signed: SignedAct): OpenedAct {
  const [signature, bytes] = [signed.bytes.subarray(0, SIGNATURE_BYTES), signed.bytes.subarray(SIGNATURE_BYTES)];
  const head = decodeActHead(bytes);
  const right = crypto.verify(state, head.sender, signingBytes(signed.epoch, bytes), signature);
  if (!right) throw new AuthError('not-authentic', 'group.act', "An act is not its sender's.");
  return { id: actIdOf(signed.epoch, bytes), head, signed };
}

async function unseal<State>(crypto: GroupCrypto<State>, state: State, bytes: Uint8Array): Promise<Buffer> {
  const length = bytes.length - XCHACHA_NONCE_BYTES - AEAD_TAG_BYTES;
  if (length < SIGNATURE_BYTES) throw new DecodeError('group.act');
  const key = asBuffer(await crypto.exporter(state, LABEL.groupActSeal, KEY_BYTES));
  const plain = Buffer.alloc(length);
  const nonce = Buffer.from(bytes.subarray(0, XCHACHA_NONCE_BYTES));
  const opened = openXChaCha(plain, bytes.subarray(XCHACHA_NONCE_BYTES), null, nonce, key);
  wipe(key);
  if (!opened) throw new AuthError('not-authentic', 'group.act', 'An act was not sealed in its epoch.');
  return plain;
}

/** Whether it was thrown for what is forged, damaged, not allowed, or read before. */
export function isNotRight(cause: unknown): boolean {
  return cause instanceof CoreError && (cause.code === 'bad-bytes' || cause.code === 'not-authentic');
}

function signingBytes(epoch: EpochId, signed: Uint8Array): Buffer {
  return concat(signed, Buffer.from(epoch, 'hex'));
}
