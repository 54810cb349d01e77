import { concat, equalBytes, utf8 } from '../base/bytes.ts';
import { blake2b } from '../base/hash.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * The bundle file (docs/protocol/bundle.md): a line of text, then chunks
 *
 *   length u32 | kind u8 | body | chain 32        chain = BLAKE2b-256(label, chain before, length, kind, body)
 *
 * so that whatever is whole before a cut or damaged place can be told from the rest. The chain finds accidents; what
 * keeps a forger out is the seal of each envelope.
 */
export const BUNDLE_MAGIC = 'MOLVA-BUNDLE-1\n';
const MAGIC = utf8(BUNDLE_MAGIC);
const HEAD_BYTES = 5;
const CHAIN_BYTES = 32;
const OVERHEAD_BYTES = HEAD_BYTES + CHAIN_BYTES;
const KIND = { envelope: 1, padding: 2, end: 3 } as const;
const SMALLEST_BYTES = 64 * 1024;

/** Makes the pieces of one bundle, in order: `begin`, any number of `envelope`, `end`. */
export class BundleWriter {
  #chain = firstChain();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  begin(): Buffer {
    return this.#count(concat(MAGIC));
  }

  /** @param envelope 1 to LIMITS.envelopeBytes long */
  envelope(envelope: Uint8Array): Buffer {
    return this.#chunk(KIND.envelope, envelope);
  }

  /** Room is left for one more envelope, its padding and the end. */
  fits(envelopeBytes: number): boolean {
    return paddedBundleBytes(this.#bytes + envelopeBytes + 2 * OVERHEAD_BYTES) <= LIMITS.bundleBytes;
  }

  /** Padding up to the next size step, and the end mark. */
  end(): Buffer {
    const target = paddedBundleBytes(this.#bytes + OVERHEAD_BYTES);
    const parts: Buffer[] = [];
    for (;;) {
      const left = target - this.#bytes - OVERHEAD_BYTES;
      if (left <= LIMITS.envelopeBytes) return concat(...parts, this.#chunk(KIND.end, Buffer.alloc(left)));
      parts.push(this.#chunk(KIND.padding, Buffer.alloc(Math.min(left - OVERHEAD_BYTES, LIMITS.envelopeBytes))));
    }
  }

  #chunk(kind: number, body: Uint8Array): Buffer {
    const head = chunkHead(kind, body.length);
    this.#chain = nextChain(this.#chain, head, body);
    return this.#count(concat(head, body, this.#chain));
  }

  #count(piece: Buffer): Buffer {
    this.#bytes += piece.length;
    return piece;
  }
}

/** Steps an eighth of the size apart, from 64 KiB: the length of the file says little about what is in it. */
export function paddedBundleBytes(bytes: number): number {
  const step = 2 ** Math.max(13, Math.floor(Math.log2(Math.max(bytes, 1))) - 3);
  return Math.max(SMALLEST_BYTES, Math.ceil(bytes / step) * step);
}

/** `reading`: so far well. `complete`: the end mark came, and nothing behind it. `damaged`: nothing more is taken. */
export type BundleProgress = 'reading' | 'complete' | 'damaged';

/** Reads a bundle in pieces of any size; holds at most one chunk, and throws nothing. */
export class BundleReader {
  #chain = firstChain();
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;
  #progress: BundleProgress = 'reading';

  /** `reading` when the file has ended means that it was cut. */
  get progress(): BundleProgress {
    return this.#progress;
  }

  /** @returns the envelopes completed by these bytes, as they stand in the file, not yet looked at */
  push(piece: Uint8Array): Uint8Array[] {
    if (this.#progress === 'complete' && piece.length > 0) this.#progress = 'damaged';
    if (this.#progress !== 'reading') return [];
    this.#rest = concat(this.#rest, piece);
    const envelopes: Uint8Array[] = [];
    let at = this.#begun ? 0 : this.#readMagic();
    for (;;) {
      const end = this.#chunkEnd(at);
      if (end === undefined) break;
      const chunk = this.#rest.subarray(at, end);
      at = end;
      const envelope = this.#take(chunk);
      if (envelope) envelopes.push(envelope);
    }
    this.#rest = concat(this.#rest.subarray(at));
    if (this.progress === 'complete' && this.#rest.length > 0) this.#progress = 'damaged';
    return envelopes;
  }

  #readMagic(): number {
    const start = this.#rest.subarray(0, MAGIC.length);
    if (!equalBytes(start, MAGIC.subarray(0, start.length))) this.#progress = 'damaged';
    this.#begun = start.length === MAGIC.length;
    return this.#begun ? MAGIC.length : 0;
  }

  /** Where the chunk at `at` ends, once all of it is here. */
  #chunkEnd(at: number): number | undefined {
    if (this.#progress !== 'reading' || !this.#begun || this.#rest.length - at < HEAD_BYTES) return undefined;
    const length = this.#rest.readUInt32BE(at);
    const kind = this.#rest[at + 4] as number;
    const empty = length === 0 && kind === KIND.envelope;
    if (length > LIMITS.envelopeBytes || kind < KIND.envelope || kind > KIND.end || empty) {
      this.#progress = 'damaged';
      return undefined;
    }
    const end = at + OVERHEAD_BYTES + length;
    return end <= this.#rest.length ? end : undefined;
  }

  #take(chunk: Buffer): Uint8Array | undefined {
    const head = chunk.subarray(0, HEAD_BYTES);
    const body = chunk.subarray(HEAD_BYTES, -CHAIN_BYTES);
    const chain = nextChain(this.#chain, head, body);
    if (!equalBytes(chain, chunk.subarray(-CHAIN_BYTES))) {
      this.#progress = 'damaged';
      return undefined;
    }
    this.#chain = chain;
    if (head[4] === KIND.envelope) return concat(body);
    if (head[4] === KIND.end) this.#progress = 'complete';
    return undefined;
  }
}

function chunkHead(kind: number, length: number): Buffer {
  const head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  head.writeUInt32BE(length, 0);
  head[4] = kind;
  return head;
}

function firstChain(): Buffer {
  return blake2b(CHAIN_BYTES, utf8(LABEL.bundleChain), MAGIC);
}

function nextChain(chain: Uint8Array, head: Uint8Array, body: Uint8Array): Buffer {
  return blake2b(CHAIN_BYTES, utf8(LABEL.bundleChain), chain, head, body);
}
