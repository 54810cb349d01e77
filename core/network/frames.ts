import { DecodeError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** The length prefix of LIMITS.frameBytes takes three bytes of seven bits. */
const LENGTH_BYTES_MAX = 3;

/** Bytes a frame takes on the stream: unsigned varint length (multiformats unsigned-varint) and the frame. */
export function framedLength(frame: Uint8Array): number {
  return varintLength(frame.length) + frame.length;
}

/** Frames one after the other in one new buffer. Each is 1 to LIMITS.frameBytes long. */
export function encodeFrames(frames: readonly Uint8Array[]): Buffer {
  let total = 0;
  for (const frame of frames) total += framedLength(frame);
  const out = Buffer.allocUnsafe(total);
  let at = 0;
  for (const frame of frames) {
    let length = frame.length;
    while (length >= 0x80) {
      out[at++] = (length & 0x7f) | 0x80;
      length >>>= 7;
    }
    out[at++] = length;
    out.set(frame, at);
    at += frame.length;
  }
  return out;
}

/**
 * Cuts a stream of bytes back into frames. Copies, so no received chunk is kept alive by a small frame.
 * After a DecodeError the decoder is spent: the stream has lost its rhythm.
 */
export class FrameDecoder {
  #length = 0;
  #lengthBytes = 0;
  #body: Buffer | undefined;
  #filled = 0;
  #broken = false;

  /**
   * @returns the frames completed by these bytes
   * @throws DecodeError an empty or oversize frame, or a length not in its shortest form
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (!this.#body) {
        this.#readLength(chunk[at++] as number);
        continue;
      }
      const take = Math.min(this.#body.length - this.#filled, chunk.length - at);
      this.#body.set(chunk.subarray(at, at + take), this.#filled);
      this.#filled += take;
      at += take;
      if (this.#filled === this.#body.length) {
        frames.push(this.#body);
        this.#body = undefined;
      }
    }
    return frames;
  }

  /** True between frames: ending here loses nothing. */
  get idle(): boolean {
    return !this.#body && this.#lengthBytes === 0;
  }

  #readLength(byte: number): void {
    if (this.#broken) throw new DecodeError('frame');
    this.#length |= (byte & 0x7f) << (7 * this.#lengthBytes);
    this.#lengthBytes += 1;
    const more = byte >= 0x80;
    const overlong = byte === 0 && this.#lengthBytes > 1;
    if ((more && this.#lengthBytes === LENGTH_BYTES_MAX) || overlong || (!more && !isFrameLength(this.#length))) {
      this.#broken = true;
      throw new DecodeError('frame');
    }
    if (more) return;
    this.#body = Buffer.allocUnsafe(this.#length);
    this.#filled = 0;
    this.#length = 0;
    this.#lengthBytes = 0;
  }
}

export function isFrameLength(length: number): boolean {
  return length >= 1 && length <= LIMITS.frameBytes;
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  return value < 0x4000 ? 2 : 3;
}
