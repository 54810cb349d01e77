import { equalBytes, utf8, wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import {
  BUNDLE_MAGIC,
  bundled,
  CHUNK_BYTES,
  CHUNK_PLAIN_BYTES,
  EnvelopeReader,
  headBytes,
  paddedChunks,
  SLOT_COUNTS,
  SLOTS_AT,
} from '../wire/bundle.ts';
import { openXChaCha, sealXChaCha, XCHACHA_NONCE_BYTES } from './aead.ts';
import { FILE_KEY_BYTES, openBundleHead, sealBundleHead } from './bundle-head.ts';
import type { IdentityPublic, IdentitySecrets } from './identity.ts';

const MAGIC = Buffer.from(utf8(BUNDLE_MAGIC));

/** Makes the pieces of one bundle, in order: `begin`, any number of `envelope`, `end`. The owner wipes it. */
export class BundleWriter {
  readonly #key: Buffer;
  readonly #head: Buffer;
  #plain: Buffer = Buffer.alloc(0);
  #chunks = 0;

  constructor(recipients: readonly IdentityPublic[], random: RandomSource) {
    this.#key = random(FILE_KEY_BYTES);
    this.#head = sealBundleHead(recipients, this.#key, random);
  }

  /** Made so far, once `begin` is out. */
  get bytes(): number {
    return this.#head.length + this.#chunks * CHUNK_BYTES;
  }

  begin(): Buffer {
    return this.#head;
  }

  /**
   * @param envelope 1 to LIMITS.envelopeBytes long
   * @returns the chunks that are full now: maybe none
   */
  envelope(envelope: Uint8Array): Buffer {
    this.#plain = Buffer.concat([this.#plain, bundled(envelope)]);
    const full: Buffer[] = [];
    let at = 0;
    // One byte more than a chunk: what is sealed here is never the last one.
    for (; this.#plain.length - at > CHUNK_PLAIN_BYTES; at += CHUNK_PLAIN_BYTES) {
      full.push(this.#chunk(this.#plain.subarray(at, at + CHUNK_PLAIN_BYTES), false));
    }
    this.#plain = Buffer.from(this.#plain.subarray(at));
    return Buffer.concat(full);
  }

  /** What is left, padding up to the next size step, and the mark of the last chunk. */
  *end(): Generator<Buffer> {
    const whole = paddedChunks(this.#chunks + 1);
    while (this.#chunks < whole) {
      const plain = Buffer.alloc(CHUNK_PLAIN_BYTES);
      this.#plain.copy(plain);
      this.#plain = Buffer.alloc(0);
      yield this.#chunk(plain, this.#chunks + 1 === whole);
    }
  }

  wipe(): void {
    wipe(this.#key);
  }

  #chunk(plain: Buffer, last: boolean): Buffer {
    const out = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    sealXChaCha(out, plain, null, chunkNonce(this.#chunks, last), this.#key);
    this.#chunks += 1;
    return out;
  }
}

/**
 * `reading`: so far well. `complete`: the last chunk came, and nothing behind it. `damaged`: nothing more is taken.
 * `closed`: a bundle, but for others.
 */
export type BundleProgress = 'reading' | 'complete' | 'damaged' | 'closed';

/** Reads a bundle in pieces of any size; holds the head or one chunk and one envelope, and throws nothing. The owner wipes it. */
export class BundleReader {
  readonly #identity: IdentitySecrets;
  readonly #envelopes = new EnvelopeReader();
  #key: Buffer | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #chunks = 0;
  #progress: BundleProgress = 'reading';

  constructor(identity: IdentitySecrets) {
    this.#identity = identity;
  }

  /** `reading` when the file has ended means that it was cut. */
  get progress(): BundleProgress {
    return this.#progress;
  }

  /** @returns the envelopes completed by these bytes, as they stand in the file, not yet looked at */
  push(piece: Uint8Array): Uint8Array[] {
    if (this.#progress === 'complete' && piece.length > 0) this.#progress = 'damaged';
    if (this.#progress !== 'reading') return [];
    this.#rest = Buffer.concat([this.#rest, piece]);
    let at = this.#key ? 0 : this.#readHead();
    const envelopes: Uint8Array[] = [];
    while (this.#key && this.#progress === 'reading' && this.#rest.length - at >= CHUNK_BYTES) {
      for (const envelope of this.#readChunk(this.#key, this.#rest.subarray(at, at + CHUNK_BYTES))) {
        envelopes.push(envelope);
      }
      at += CHUNK_BYTES;
    }
    this.#rest = Buffer.from(this.#rest.subarray(at));
    if (this.progress === 'complete' && this.#rest.length > 0) this.#progress = 'damaged';
    return envelopes;
  }

  wipe(): void {
    if (this.#key) wipe(this.#key);
  }

  /** @returns its length once all of it is here and opened, else 0 */
  #readHead(): number {
    const start = this.#rest.subarray(0, MAGIC.length);
    if (!equalBytes(start, MAGIC.subarray(0, start.length))) this.#progress = 'damaged';
    if (this.#progress === 'damaged' || this.#rest.length < SLOTS_AT) return 0;
    const slots = this.#rest.readUInt16BE(MAGIC.length);
    if (!SLOT_COUNTS.includes(slots)) this.#progress = 'damaged';
    const length = headBytes(slots);
    if (this.#progress === 'damaged' || this.#rest.length < length) return 0;
    this.#key = openBundleHead(this.#rest.subarray(0, length), this.#identity);
    if (!this.#key) this.#progress = 'closed';
    return length;
  }

  #readChunk(key: Buffer, chunk: Buffer): readonly Uint8Array[] {
    const plain = Buffer.allocUnsafeSlow(CHUNK_PLAIN_BYTES);
    const open = (last: boolean) => openXChaCha(plain, chunk, null, chunkNonce(this.#chunks, last), key);
    const last = !open(false);
    const envelopes = last && !open(true) ? undefined : this.#envelopes.push(plain);
    this.#chunks += 1;
    if (!envelopes || (last && !this.#envelopes.whole)) this.#progress = 'damaged';
    else if (last) this.#progress = 'complete';
    return envelopes ?? [];
  }
}

/** The chunk's number and whether it is the last: none can be left out, moved, or made to look like the end. */
function chunkNonce(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(XCHACHA_NONCE_BYTES);
  nonce.writeUInt32BE(number, XCHACHA_NONCE_BYTES - 5);
  nonce[XCHACHA_NONCE_BYTES - 1] = last ? 1 : 0;
  return nonce;
}
