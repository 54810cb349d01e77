import { DecodeError } from './errors.ts';

/**
 * Hybrid logical time (Kulkarni et al. 2014): wall-clock milliseconds and a counter, totally ordered,
 * never running backwards on one machine. Eight bytes on the wire: ms (6, big endian), counter (2).
 */
export interface HlcTime {
  readonly ms: number;
  readonly counter: number;
}

export const HLC_BYTES = 8;
export const HLC_ZERO: HlcTime = { ms: 0, counter: 0 };
const MAX_MS = 2 ** 48 - 1;
const MAX_COUNTER = 0xffff;

export function compareHlc(a: HlcTime, b: HlcTime): number {
  return a.ms - b.ms || a.counter - b.counter;
}

/** The next local time after `last` at wall-clock `nowMs`. */
export function tickHlc(last: HlcTime, nowMs: number): HlcTime {
  if (nowMs > last.ms) return { ms: Math.min(nowMs, MAX_MS), counter: 0 };
  return last.counter < MAX_COUNTER
    ? { ms: last.ms, counter: last.counter + 1 }
    : { ms: Math.min(last.ms + 1, MAX_MS), counter: 0 };
}

export function encodeHlc(time: HlcTime): Buffer {
  const out = Buffer.allocUnsafeSlow(HLC_BYTES);
  out.writeUIntBE(time.ms, 0, 6);
  out.writeUInt16BE(time.counter, 6);
  return out;
}

/** @throws DecodeError when not exactly 8 bytes */
export function decodeHlc(bytes: Uint8Array): HlcTime {
  if (bytes.length !== HLC_BYTES) throw new DecodeError('hlc');
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, HLC_BYTES);
  return { ms: view.readUIntBE(0, 6), counter: view.readUInt16BE(6) };
}
