import type { Stream, StreamMessageEvent } from '@libp2p/interface';
import { DecodeError, TransientError, UsageError } from '../base/errors.ts';
import type { TransportKey } from '../base/ids.ts';
import { FrameInbox } from './frame-inbox.ts';
import { encodeFrames, FrameDecoder, framedLength, isFrameLength } from './frames.ts';
import type { NetworkLimits } from './limits.ts';
import { StreamBrake } from './stream-brake.io.ts';
import type { FrameChannel } from './swarm.ts';

/** Frames over one libp2p stream. Frames queued in one turn of the event loop leave in one write. */
export class StreamChannel implements FrameChannel {
  readonly peer: TransportKey;
  readonly #stream: Stream;
  readonly #limits: NetworkLimits;
  readonly #decoder = new FrameDecoder();
  readonly #inbox: FrameInbox;
  #outbox: Uint8Array[] = [];
  #outboxBytes = 0;
  #flushQueued = false;
  #mustDrain = false;
  #closing = false;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(stream: Stream, peer: TransportKey, limits: NetworkLimits) {
    this.peer = peer;
    this.#stream = stream;
    this.#limits = limits;
    const brake = new StreamBrake(stream);
    this.#inbox = new FrameInbox({
      maxBytes: limits.receiveQueueBytes,
      onFull: () => brake.pause(),
      onRoom: () => brake.resume(),
    });
    stream.addEventListener('drain', () => this.#drained());
    stream.addEventListener('end', () => this.#inbox.end());
    stream.addEventListener('remoteCloseWrite', () => void this.#finish());
    stream.addEventListener('close', () => this.#lost());
    stream.addEventListener('message', event => this.#receive(event.data));
    if (stream.status !== 'open') this.#lost();
  }

  get closed(): boolean {
    return this.#closed || this.#closing;
  }

  get frames(): AsyncIterable<Uint8Array> {
    return this.#inbox;
  }

  async send(frame: Uint8Array): Promise<void> {
    if (!isFrameLength(frame.length)) throw new UsageError('too-large', 'channel.send', 'The frame has no valid size.');
    while (!this.closed && this.#outboxBytes >= this.#limits.sendQueueBytes) await this.#room();
    if (this.closed) throw channelClosed();
    this.#outbox.push(frame);
    this.#outboxBytes += framedLength(frame);
    this.#queueFlush();
  }

  close(): Promise<void> {
    this.#inbox.end();
    return this.#finish();
  }

  async #finish(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    // Both sides close when one does; a peer that takes nothing more, or does not close, is cut off.
    const timer = setTimeout(() => this.#stream.abort(channelClosed()), this.#limits.closeTimeoutMs);
    this.#stream.addEventListener('close', () => clearTimeout(timer), { once: true });
    this.#flush();
    while (this.#outbox.length > 0) await this.#room();
    this.#shut();
    if (this.#stream.status !== 'open') return clearTimeout(timer);
    try {
      await this.#stream.close({ signal: AbortSignal.timeout(this.#limits.closeTimeoutMs) });
    } catch {
      this.#stream.abort(channelClosed());
    }
  }

  /** Runs after the promises of this turn, so that `await send()` in a loop fills one write. */
  #queueFlush(): void {
    if (this.#flushQueued) return;
    this.#flushQueued = true;
    process.nextTick(() => {
      this.#flushQueued = false;
      this.#flush();
    });
  }

  #flush(): void {
    while (this.#outbox.length > 0 && !this.#mustDrain && !this.#closed) {
      try {
        this.#mustDrain = !this.#stream.send(encodeFrames(this.#takeBatch()));
      } catch {
        this.#stream.abort(channelClosed());
        this.#lost();
      }
    }
    if (this.#outboxBytes < this.#limits.sendQueueBytes) this.#wake();
  }

  #takeBatch(): Uint8Array[] {
    let count = 0;
    let bytes = 0;
    for (const frame of this.#outbox) {
      const more = framedLength(frame);
      if (count > 0 && bytes + more > this.#limits.writeBytes) break;
      count += 1;
      bytes += more;
    }
    this.#outboxBytes -= bytes;
    if (count < this.#outbox.length) return this.#outbox.splice(0, count);
    const all = this.#outbox;
    this.#outbox = [];
    return all;
  }

  #drained(): void {
    this.#mustDrain = false;
    this.#queueFlush();
  }

  #receive(data: StreamMessageEvent['data']): void {
    try {
      if (data instanceof Uint8Array) this.#inbox.push(this.#decoder.push(data));
      else for (const chunk of data) this.#inbox.push(this.#decoder.push(chunk));
    } catch (error) {
      const broken = error instanceof DecodeError ? error : channelClosed();
      this.#inbox.end(broken);
      this.#shut();
      this.#stream.abort(broken);
    }
  }

  #lost(): void {
    // What was received before the loss is still read; `end` follows when libp2p holds some of it.
    if (this.#stream.readBufferLength === 0) this.#inbox.end();
    this.#shut();
  }

  #shut(): void {
    this.#closed = true;
    this.#outbox = [];
    this.#outboxBytes = 0;
    this.#wake();
  }

  #room(): Promise<void> {
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }
}

export function channelClosed(): TransientError {
  return new TransientError('unreachable', 'channel', 'The connection to this peer was lost.');
}
