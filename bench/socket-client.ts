import { WebSocket } from 'ws';
import type { ApiEvent, MethodName, Params, Result } from '../core/commands/schema.ts';

interface Call {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** An API client over WebSocket, as the page is one. */
export class SocketClient {
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Call>();
  readonly #expected = new Set<(event: ApiEvent) => void>();
  readonly #onEvent: (event: ApiEvent) => void;
  #lastId = 0;

  private constructor(socket: WebSocket, onEvent: (event: ApiEvent) => void) {
    this.#socket = socket;
    this.#onEvent = onEvent;
    socket.on('message', data => this.#take(JSON.parse(String(data))));
  }

  static open(url: string, token: string, onEvent: (event: ApiEvent) => void): Promise<SocketClient> {
    const socket = new WebSocket(`${url.replace('http:', 'ws:')}/ws`, ['molva.v1', `token.${token}`]);
    const client = new SocketClient(socket, onEvent);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(client));
      socket.once('error', reject);
    });
  }

  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** The next event that `wanted` holds for. */
  next(wanted: (event: ApiEvent) => boolean): Promise<ApiEvent> {
    return new Promise(resolve => {
      const look = (event: ApiEvent) => {
        if (!wanted(event)) return;
        this.#expected.delete(look);
        resolve(event);
      };
      this.#expected.add(look);
    });
  }

  close(): void {
    this.#socket.close();
  }

  #take(message: { id?: number; result?: never; error?: { message: string }; params?: ApiEvent }): void {
    if (message.params) {
      this.#onEvent(message.params);
      for (const look of this.#expected) look(message.params);
      return;
    }
    const call = this.#calls.get(message.id ?? 0);
    this.#calls.delete(message.id ?? 0);
    if (message.error) call?.reject(new Error(message.error.message));
    else call?.resolve(message.result as never);
  }
}
