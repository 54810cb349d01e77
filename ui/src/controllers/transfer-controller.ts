import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { CallError } from '../rpc.ts';

/** One transfer a person started and can stop; it stops too when its host goes. */
export class TransferController implements ReactiveController {
  busy = false;
  stopped = false;
  error = '';
  #host: ReactiveControllerHost;
  #abort: AbortController | null = null;

  constructor(host: ReactiveControllerHost) {
    this.#host = host;
    host.addController(this);
  }

  hostDisconnected(): void {
    this.stop();
  }

  stop(): void {
    this.#abort?.abort();
  }

  refuse(error: string): void {
    this.error = error;
    this.#host.requestUpdate();
  }

  /**
   * @param broken what to say when the connection or the file fails on the way
   * @returns what `run` gives; undefined when it was stopped or failed
   */
  async run<T>(run: (signal: AbortSignal) => Promise<T>, broken: string): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    this.stopped = false;
    this.#abort = new AbortController();
    this.refuse('');
    try {
      return await run(this.#abort.signal);
    } catch (error) {
      this.stopped = this.#abort.signal.aborted;
      this.error = isAbort(error) ? '' : transferError(error, broken).message;
      return undefined;
    } finally {
      this.busy = false;
      this.#abort = null;
      this.#host.requestUpdate();
    }
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** The browser tells of a broken connection by a TypeError, and of a full or failing disk by a DOMException. */
function transferError(error: unknown, broken: string): Error {
  if (error instanceof CallError) return error;
  if (error instanceof TypeError) return new Error(broken);
  if (error instanceof DOMException && error.name === 'NotReadableError') return new Error(broken);
  if (!(error instanceof DOMException)) return new CallError('internal');
  return new CallError(error.name === 'QuotaExceededError' ? 'disk-full' : 'disk-failed');
}
