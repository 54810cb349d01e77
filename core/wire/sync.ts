import { concat } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import type { EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { TAG_BYTES } from './envelope.ts';
import { decodeIdList } from './id-list.ts';

/**
 * Frames of `/molva/sync/1` (docs/protocol/sync.md §2): a kind byte and a body. The puller opens the stream.
 *
 *   puller -> holder   ask, want, stored, refused
 *   holder -> puller   have, envelope, done, news
 */
export type SyncFrame =
  /** Mailbox tags (16 bytes each) whose envelopes are asked for; begins a run. */
  | { readonly kind: 'ask'; readonly tags: readonly Uint8Array[] }
  /** A page of what is held for these tags, oldest first; more pages follow when `more`. */
  | { readonly kind: 'have'; readonly ids: readonly EnvelopeId[]; readonly more: boolean }
  /** One answer for each id of the page: true, send it; false, it is stored here already. */
  | { readonly kind: 'want'; readonly wanted: readonly boolean[] }
  | { readonly kind: 'envelope'; readonly envelope: Uint8Array }
  /** Durable here: the holder may let go of them. */
  | { readonly kind: 'stored'; readonly ids: readonly EnvelopeId[] }
  /** Not taken: makes room in the window and nothing else. */
  | { readonly kind: 'refused'; readonly ids: readonly EnvelopeId[] }
  /** The run is over: envelopes sent, and those of them the puller has settled as stored. */
  | { readonly kind: 'done'; readonly sent: number; readonly stored: number }
  /** Something new has come for the tags of the last run: ask again. */
  | { readonly kind: 'news' };

export const SYNC_PROTOCOL = '/molva/sync/1';
/** The same frames between members of a group (docs/protocol/sync.md §6). */
export const GROUP_SYNC_PROTOCOL = '/molva/group-sync/1';
const KIND = { ask: 1, have: 2, want: 3, envelope: 4, stored: 5, refused: 6, done: 7, news: 8 } as const;
const DONE_BYTES = 8;

export function encodeSync(frame: SyncFrame): Buffer {
  const kind = Uint8Array.of(KIND[frame.kind]);
  switch (frame.kind) {
    case 'ask':
      return concat(kind, ...frame.tags);
    case 'have':
      return concat(kind, Uint8Array.of(frame.more ? 1 : 0), ...frame.ids);
    case 'want':
      return concat(kind, packBits(frame.wanted));
    case 'envelope':
      return concat(kind, frame.envelope);
    case 'stored':
    case 'refused':
      return concat(kind, ...frame.ids);
    case 'done': {
      const counts = Buffer.allocUnsafeSlow(DONE_BYTES);
      counts.writeUInt32BE(frame.sent, 0);
      counts.writeUInt32BE(frame.stored, 4);
      return concat(kind, counts);
    }
    case 'news':
      return concat(kind);
  }
}

/** @throws DecodeError unknown kind, broken length, too many, or a form that would not be written so */
export function decodeSync(bytes: Uint8Array): SyncFrame {
  const body = bytes.subarray(1);
  switch (bytes[0]) {
    case KIND.ask:
      return { kind: 'ask', tags: decodeTags(body) };
    case KIND.have:
      return decodeHave(body);
    case KIND.want:
      return { kind: 'want', wanted: unpackBits(body) };
    case KIND.envelope:
      if (body.length === 0 || body.length > LIMITS.envelopeBytes) throw new DecodeError('sync');
      return { kind: 'envelope', envelope: body };
    case KIND.stored:
      return { kind: 'stored', ids: decodeIdList(body, 1, LIMITS.syncWindow, 'sync') };
    case KIND.refused:
      return { kind: 'refused', ids: decodeIdList(body, 1, LIMITS.syncWindow, 'sync') };
    case KIND.done: {
      if (body.length !== DONE_BYTES) throw new DecodeError('sync');
      const counts = Buffer.from(body);
      return { kind: 'done', sent: counts.readUInt32BE(0), stored: counts.readUInt32BE(4) };
    }
    case KIND.news:
      if (body.length !== 0) throw new DecodeError('sync');
      return { kind: 'news' };
    default:
      throw new DecodeError('sync');
  }
}

function decodeTags(body: Uint8Array): Uint8Array[] {
  const count = body.length / TAG_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > LIMITS.syncTags) throw new DecodeError('sync');
  return Array.from({ length: count }, (_, at) => Buffer.from(body.subarray(at * TAG_BYTES, (at + 1) * TAG_BYTES)));
}

function decodeHave(body: Uint8Array): SyncFrame {
  const flag = body[0];
  if (flag !== 0 && flag !== 1) throw new DecodeError('sync');
  // A page that promises more holds something, so that pages cannot go on for ever without saying anything.
  const ids = decodeIdList(body.subarray(1), flag, LIMITS.syncPage, 'sync');
  return { kind: 'have', ids, more: flag === 1 };
}

/** A count (2 bytes), then bits, the first the highest of the first byte; what is over is zero. */
function packBits(bits: readonly boolean[]): Buffer {
  const out = Buffer.alloc(2 + Math.ceil(bits.length / 8));
  out.writeUInt16BE(bits.length, 0);
  for (const [at, bit] of bits.entries())
    if (bit) out[2 + (at >> 3)] = (out[2 + (at >> 3)] as number) | (0x80 >> (at & 7));
  return out;
}

function unpackBits(body: Uint8Array): boolean[] {
  const count = body.length < 2 ? -1 : Buffer.from(body.subarray(0, 2)).readUInt16BE();
  if (count < 1 || count > LIMITS.syncPage || body.length !== 2 + Math.ceil(count / 8)) throw new DecodeError('sync');
  const bits = Array.from({ length: count }, (_, at) => ((body[2 + (at >> 3)] as number) & (0x80 >> (at & 7))) !== 0);
  const over = count & 7;
  if (over !== 0 && ((body.at(-1) as number) & (0xff >> over)) !== 0) throw new DecodeError('sync');
  return bits;
}
