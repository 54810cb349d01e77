import { asBuffer, concat, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { DecodeError } from '../../base/errors.ts';
import { CHACHA_NONCE_BYTES, openChaCha, sealChaCha } from '../aead.ts';
import { refused } from './failure.ts';
import { contextBytes, type GroupState, groupSuite } from './group-state.ts';
import { type RatchetKind, type TakenKey, takeKeyAt, takeNextKey } from './secret-tree.ts';
import { AEAD_KEY_BYTES } from './suite.ts';
import { Reader, uint16, uint32, uint64, varBytes } from './wire.ts';

/** RFC 9420 §6, on the wire. */
export const CONTENT = { application: 1, proposal: 2, commit: 3 } as const;
export type ContentType = (typeof CONTENT)[keyof typeof CONTENT];
export const MLS10 = 1;
export const WIRE_FORMAT = { public: 1, private: 2, welcome: 3, groupInfo: 4, keyPackage: 5 } as const;
const REUSE_GUARD_BYTES = 4;
const SENDER_MEMBER = 1;

/** The head of a PrivateMessage (RFC 9420 §6.3), readable by whoever carries it. */
export interface PrivateHead {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly contentType: ContentType;
  readonly authenticatedData: Uint8Array;
}

export interface PrivateMessage extends PrivateHead {
  readonly senderData: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export interface OpenedPrivate {
  readonly sender: number;
  readonly plaintext: Buffer;
  readonly taken: TakenKey;
}

/** @throws DecodeError */
export function readPrivateMessage(bytes: Uint8Array): PrivateMessage {
  const reader = new Reader(bytes);
  if (reader.uint16() !== MLS10 || reader.uint16() !== WIRE_FORMAT.private) throw new DecodeError('mls.private');
  const message = {
    groupId: reader.varBytes(),
    epoch: reader.uint64(),
    contentType: reader.uint8() as ContentType,
    authenticatedData: reader.varBytes(),
    senderData: reader.varBytes(),
    ciphertext: reader.varBytes(),
  };
  reader.end();
  if (!Object.values(CONTENT).includes(message.contentType)) throw new DecodeError('mls.content-type');
  return message;
}

/** Seals content under our next key. @param plaintext RFC 9420 §6.3.1, PrivateMessageContent */
export function sealPrivate(
  state: GroupState,
  contentType: ContentType,
  plaintext: Uint8Array,
  authenticatedData: Uint8Array,
  random: RandomSource,
): { readonly message: Buffer; readonly taken: TakenKey } {
  const suite = groupSuite(state);
  const leaf = state.path.leafIndex;
  const taken = takeNextKey(suite, state.secretTree, leaf, ratchetOf(contentType));
  const head = { groupId: state.context.groupId, epoch: state.context.epoch, contentType, authenticatedData };
  const guard = random(REUSE_GUARD_BYTES);
  const nonce = guarded(taken.nonce, guard);
  const ciphertext = sealChaCha(plaintext, contentData(head), nonce, asBuffer(taken.key));
  const sender = concat(uint32(leaf), uint32(taken.generation), guard);
  const keys = senderDataKeys(state, ciphertext);
  const senderData = sealChaCha(sender, senderDataData(head), keys.nonce, keys.key);
  wipe(keys.key);
  const message = concat(
    uint16(MLS10),
    uint16(WIRE_FORMAT.private),
    contentData(head),
    varBytes(senderData),
    varBytes(ciphertext),
  );
  return { message, taken };
}

/** @throws AuthError not sealed in this epoch, or opened before */
export function openPrivate(state: GroupState, message: PrivateMessage): OpenedPrivate {
  const { context } = state;
  if (message.epoch !== context.epoch || Buffer.compare(message.groupId, context.groupId) !== 0) {
    throw refused('mls.epoch');
  }
  const keys = senderDataKeys(state, message.ciphertext);
  const opened = openChaCha(message.senderData, senderDataData(message), keys.nonce, keys.key);
  wipe(keys.key);
  if (opened === undefined) throw refused('mls.sender-data');
  const reader = new Reader(opened);
  const [sender, generation, guard] = [reader.uint32(), reader.uint32(), reader.take(REUSE_GUARD_BYTES)];
  reader.end();
  const suite = groupSuite(state);
  const taken = takeKeyAt(suite, state.secretTree, sender, ratchetOf(message.contentType), generation);
  const nonce = guarded(taken.nonce, guard);
  const plaintext = openChaCha(message.ciphertext, contentData(message), nonce, asBuffer(taken.key));
  if (plaintext === undefined) throw refused('mls.content');
  return { sender, plaintext, taken };
}

/** What a member signs of application data (RFC 9420 §6.1, FramedContentTBS). */
export function applicationToSign(state: GroupState, sender: number, data: Uint8Array, authenticatedData: Uint8Array) {
  const { context } = state;
  return concat(
    uint16(MLS10),
    uint16(WIRE_FORMAT.private),
    varBytes(context.groupId),
    uint64(context.epoch),
    Uint8Array.of(SENDER_MEMBER),
    uint32(sender),
    varBytes(authenticatedData),
    Uint8Array.of(CONTENT.application),
    varBytes(data),
    contextBytes(context),
  );
}

function ratchetOf(contentType: ContentType): RatchetKind {
  return contentType === CONTENT.application ? 'application' : 'handshake';
}

/** RFC 9420 §6.3.1, PrivateContentAAD: as the message itself begins. */
function contentData(head: PrivateHead): Buffer {
  return concat(senderDataData(head), varBytes(head.authenticatedData));
}

/** RFC 9420 §6.3.2, SenderDataAAD. */
function senderDataData({ groupId, epoch, contentType }: PrivateHead): Buffer {
  return concat(varBytes(groupId), uint64(epoch), Uint8Array.of(contentType));
}

function senderDataKeys(state: GroupState, ciphertext: Uint8Array): { key: Buffer; nonce: Buffer } {
  const suite = groupSuite(state);
  const sample = ciphertext.subarray(0, suite.hash.bytes);
  const secret = state.keys.senderDataSecret;
  return {
    key: suite.expand(secret, 'key', sample, AEAD_KEY_BYTES),
    nonce: suite.expand(secret, 'nonce', sample, CHACHA_NONCE_BYTES),
  };
}

function guarded(nonce: Uint8Array, guard: Uint8Array): Buffer {
  const out = Buffer.from(nonce);
  for (let index = 0; index < REUSE_GUARD_BYTES; index += 1) {
    out[index] = (out[index] as number) ^ (guard[index] as number);
  }
  return out;
}
