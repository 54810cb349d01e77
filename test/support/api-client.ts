import { WebSocket } from 'ws';
import type { ErrorCode } from '../../core/base/errors.ts';
import { readCoreFile } from '../../core/commands/core-file.io.ts';
import type { ApiEvent, EventData, EventName, MethodName, Params, Result } from '../../core/commands/schema.ts';

/** The core refused a call. */
export class Refused extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(`${code}: ${message}`);
    this.code = code;
  }
}

/** The core went away before it answered: nobody knows whether the call was carried out. */
export class CoreGone extends Error {}

interface Waiting {
  readonly settle: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** One WebSocket on a real core's API, many calls at a time. */
export class ApiClient {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: ApiEvent) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', data => this.#take(JSON.parse(String(data))));
    socket.on('error', () => socket.terminate());
    this.closed = new Promise(resolve => socket.on('close', () => resolve()));
    this.closed.then(() => this.#endAll());
  }

  /** @throws CoreGone no core serves this folder */
  static async open(directory: string): Promise<ApiClient> {
    const file = readCoreFile(directory);
    if (!file) throw new CoreGone('no core is running');
    const socket = new WebSocket(`${file.url.replace('http:', 'ws:')}/ws`, ['molva.v1', `token.${file.token}`]);
    const client = new ApiClient(socket);
    await Promise.race([new Promise(resolve => socket.once('open', resolve)), client.closed]);
    if (socket.readyState !== WebSocket.OPEN) throw new CoreGone('the core went away');
    return client;
  }

  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    if (this.#socket.readyState !== WebSocket.OPEN) return Promise.reject(new CoreGone(method));
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise<Result<M>>((resolve, reject) => {
      this.#waiting.set(id, { settle: value => resolve(value as Result<M>), fail: reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  onEvent(listener: (event: ApiEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The next event of this name for which `wanted` holds. Ask before what causes it. */
  next<E extends EventName>(
    name: E,
    wanted: (data: EventData<E>) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<EventData<E>> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`no ${name} within ${timeoutMs} ms`));
      }, timeoutMs);
      const stop = this.onEvent(event => {
        const data = event as unknown as EventData<E>;
        if (event.event !== name || !wanted(data)) return;
        clearTimeout(timer);
        stop();
        resolve(data);
      });
    });
  }

  close(): void {
    this.#socket.close();
  }

  #take(frame: {
    id?: number;
    result?: unknown;
    error?: { message: string; data: { code: ErrorCode } };
    params?: unknown;
  }) {
    if (frame.id === undefined) {
      for (const listener of [...this.#listeners]) listener(frame.params as ApiEvent);
      return;
    }
    const waiting = this.#waiting.get(frame.id);
    this.#waiting.delete(frame.id);
    if (frame.error) waiting?.fail(new Refused(frame.error.data.code, frame.error.message));
    else waiting?.settle(frame.result);
  }

  #endAll(): void {
    for (const { fail } of this.#waiting.values()) fail(new CoreGone('the core went away'));
    this.#waiting.clear();
  }
}
