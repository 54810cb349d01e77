import type { Stream } from '@libp2p/interface';

/**
 * Stops and restarts what a peer sends on a stream. `resume` hands over what is waiting before it tells the peer to go
 * on; a pause asked for meanwhile would be undone by that, the window would stay open, and the stream would be reset for
 * what piles up. So it waits until `resume` is through.
 */
export class StreamBrake {
  readonly #stream: Stream;
  #resuming = false;
  #pauseAfter = false;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  pause(): void {
    this.#pauseAfter = this.#resuming;
    if (!this.#resuming) this.#whileReadable(() => this.#stream.pause());
  }

  resume(): void {
    this.#pauseAfter = false;
    if (this.#resuming) return;
    this.#resuming = true;
    this.#whileReadable(() => this.#stream.resume());
    this.#resuming = false;
    if (this.#pauseAfter) this.pause();
  }

  #whileReadable(act: () => void): void {
    const { readStatus } = this.#stream;
    if (readStatus !== 'readable' && readStatus !== 'paused') return;
    try {
      act();
    } catch {
      // The connection went while the last of its bytes were being read: there is nobody left to hold back.
    }
  }
}
