import { asBuffer, concat, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { DecodeError } from '../../base/errors.ts';
import { CHACHA_NONCE_BYTES, openChaCha, sealChaCha } from '../aead.ts';
import { refused } from './failure.ts';
import { contextBytes, type GroupState, groupSuite } from './group-state.ts';
import { type RatchetKind, type TakenKey, takeKeyAt, takeNextKey, wipeMade } from './secret-tree.ts';
import { AEAD_KEY_BYTES } from './suite.ts';
import { lengthHead, Reader, uint16, uint32, uint64 } from './wire.ts';

/** RFC 9420 §6, on the wire. */
export const CONTENT = { application: 1, proposal: 2, commit: 3 } as const;
export type ContentType = (typeof CONTENT)[keyof typeof CONTENT];
export const MLS10 = 1;
export const WIRE_FORMAT = { public: 1, private: 2, welcome: 3, groupInfo: 4, keyPackage: 5 } as const;
const REUSE_GUARD_BYTES = 4;
const FROM_MEMBER = Uint8Array.of(1);
const APPLICATION = Uint8Array.of(CONTENT.application);
const PRIVATE_HEAD = concat(uint16(MLS10), uint16(WIRE_FORMAT.private));

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
  /** The caller wipes what it replaced, or where the state stays as it was, what was made of it. */
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
  const { groupId, epoch } = state.context;
  const head = headData({ groupId, epoch, contentType });
  const contentHead = contentData(head, authenticatedData);
  const guard = random(REUSE_GUARD_BYTES);
  const nonce = guarded(taken.nonce, guard);
  const ciphertext = sealChaCha(plaintext, contentHead, nonce, asBuffer(taken.key));
  const sender = concat(uint32(leaf), uint32(taken.generation), guard);
  const keys = senderDataKeys(state, ciphertext);
  const senderData = sealChaCha(sender, head, keys.nonce, keys.key);
  wipe(keys.key, keys.nonce, nonce);
  const [senderHead, cipherHead] = [lengthHead(senderData.length), lengthHead(ciphertext.length)];
  const message = concat(PRIVATE_HEAD, contentHead, senderHead, senderData, cipherHead, ciphertext);
  return { message, taken };
}

/** @throws AuthError not sealed in this epoch, or opened before */
export function openPrivate(state: GroupState, message: PrivateMessage): OpenedPrivate {
  const { context } = state;
  if (message.epoch !== context.epoch || Buffer.compare(message.groupId, context.groupId) !== 0) {
    throw refused('mls.epoch');
  }
  const keys = senderDataKeys(state, message.ciphertext);
  const head = headData(message);
  const opened = openChaCha(message.senderData, head, keys.nonce, keys.key);
  wipe(keys.key, keys.nonce);
  if (opened === undefined) throw refused('mls.sender-data');
  const reader = new Reader(opened);
  const [sender, generation, guard] = [reader.uint32(), reader.uint32(), reader.take(REUSE_GUARD_BYTES)];
  reader.end();
  const suite = groupSuite(state);
  const taken = takeKeyAt(suite, state.secretTree, sender, ratchetOf(message.contentType), generation);
  const nonce = guarded(taken.nonce, guard);
  const data = contentData(head, message.authenticatedData);
  const plaintext = openChaCha(message.ciphertext, data, nonce, asBuffer(taken.key));
  wipe(nonce);
  if (plaintext !== undefined) return { sender, plaintext, taken };
  wipeMade(taken);
  throw refused('mls.content');
}

/** What a member signs of application data (RFC 9420 §6.1, FramedContentTBS). */
export function applicationToSign(state: GroupState, sender: number, data: Uint8Array, authenticatedData: Uint8Array) {
  const { context } = state;
  return concat(
    PRIVATE_HEAD,
    lengthHead(context.groupId.length),
    context.groupId,
    uint64(context.epoch),
    FROM_MEMBER,
    uint32(sender),
    lengthHead(authenticatedData.length),
    authenticatedData,
    APPLICATION,
    lengthHead(data.length),
    data,
    contextBytes(context),
  );
}

function ratchetOf(contentType: ContentType): RatchetKind {
  return contentType === CONTENT.application ? 'application' : 'handshake';
}

/** RFC 9420 §6.3.2, SenderDataAAD: as the message itself begins. */
function headData({ groupId, epoch, contentType }: Omit<PrivateHead, 'authenticatedData'>): Buffer {
  return concat(lengthHead(groupId.length), groupId, uint64(epoch), Uint8Array.of(contentType));
}

/** RFC 9420 §6.3.1, PrivateContentAAD: as it goes on. */
function contentData(head: Buffer, authenticatedData: Uint8Array): Buffer {
  return concat(head, lengthHead(authenticatedData.length), authenticatedData);
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
