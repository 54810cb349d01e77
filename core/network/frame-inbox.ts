/** What a frame costs beside its bytes; without it a flood of one-byte frames would count as nothing. */
const FRAME_OVERHEAD_BYTES = 64;
/** Read frames are let go in steps, so that a reader that never quite catches up does not keep them all. */
const COMPACT_AFTER = 256;

interface Reader {
  resolve(result: IteratorResult<Uint8Array>): void;
  reject(error: Error): void;
}

interface InboxOptions {
  readonly maxBytes: number;
  /** The inbox is full: the sender is to be held back. */
  onFull(): void;
  /** Half of it was read: the sender may go on. */
  onRoom(): void;
}

/** Frames received and not yet read, for one reader; holds the sender back instead of growing. */
export class FrameInbox implements AsyncIterableIterator<Uint8Array> {
  readonly #options: InboxOptions;
  #frames: Uint8Array[] = [];
  #next = 0;
  #bytes = 0;
  #full = false;
  #ended = false;
  #error: Error | undefined;
  #readers: Reader[] = [];

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  push(frames: readonly Uint8Array[]): void {
    if (this.#ended) return;
    for (const frame of frames) {
      const reader = this.#readers.shift();
      if (reader) {
        reader.resolve({ done: false, value: frame });
        continue;
      }
      this.#frames.push(frame);
      this.#bytes += frame.length + FRAME_OVERHEAD_BYTES;
    }
    if (!this.#full && this.#bytes >= this.#options.maxBytes) {
      this.#full = true;
      this.#options.onFull();
    }
  }

  /** No frame follows. What is here is still read; after it the reader ends, or throws `error`. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers.splice(0)) this.#finish(reader);
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const value = this.#frames[this.#next];
    if (value) {
      this.#take(value);
      return Promise.resolve({ done: false, value });
    }
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.#ended) this.#finish(reader);
      else this.#readers.push(reader);
    });
  }

  /** The reader left its loop: what comes is dropped, so that the sender is not held for nobody. */
  return(): Promise<IteratorResult<Uint8Array>> {
    this.end();
    this.#frames = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#relieve();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this;
  }

  #take(frame: Uint8Array): void {
    this.#next += 1;
    this.#bytes -= frame.length + FRAME_OVERHEAD_BYTES;
    if (this.#next === this.#frames.length || this.#next === COMPACT_AFTER) {
      this.#frames = this.#frames.slice(this.#next);
      this.#next = 0;
    }
    this.#relieve();
  }

  #relieve(): void {
    if (!this.#full || this.#bytes > this.#options.maxBytes / 2) return;
    this.#full = false;
    this.#options.onRoom();
  }

  #finish(reader: Reader): void {
    const error = this.#error;
    this.#error = undefined;
    if (error) reader.reject(error);
    else reader.resolve({ done: true, value: undefined });
  }
}
