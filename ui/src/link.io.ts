import type { ApiEvent, MethodName, Params, Result } from '../../core/commands/schema.ts';
import { CallError, decodeFrame, encodeRequest } from './rpc.ts';
import type { LinkState } from './state.ts';

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CallError) => void;
  readonly timer: number;
}

const TOKEN_KEY = 'molva.token';
/** Longer than the slowest honest answer: deriving a key on an old laptop, or reaching a peer. */
const CALL_TIMEOUT_MS = 60_000;
const RETRY_FIRST_MS = 500;
const RETRY_LAST_MS = 10_000;

export const retryDelayMs = (failures: number): number => Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_LAST_MS);

/**
 * The page's one connection to the core: exchanges the one-use code for a token, keeps a WebSocket open and
 * opens it again with back-off. Nothing is queued: a call while the link is down fails at once with `core-lost`.
 */
export class CoreLink {
  onState: (state: LinkState) => void = () => {};
  onEvent: (event: ApiEvent) => void = () => {};

  #socket: WebSocket | null = null;
  #token: string | null = null;
  #pending = new Map<number, Pending>();
  #nextId = 1;
  #failures = 0;
  #retryTimer = 0;

  async start(): Promise<void> {
    this.onState({ kind: 'connecting' });
    const code = takeCode();
    this.#token = (code === null ? null : await exchange(code)) ?? sessionStorage.getItem(TOKEN_KEY);
    if (this.#token === null) return this.onState({ kind: 'no-key' });
    sessionStorage.setItem(TOKEN_KEY, this.#token);
    this.#connect();
  }

  /** Ends the waiting for the next try. */
  retryNow(): void {
    if (this.#socket === null && this.#token !== null) this.#connect();
  }

  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new CallError('core-lost'));
    const id = this.#nextId++;
    return new Promise<Result<M>>((resolve, reject) => {
      const timer = window.setTimeout(() => this.#settle(id)?.reject(new CallError('timed-out')), CALL_TIMEOUT_MS);
      this.#pending.set(id, { resolve: result => resolve(result as Result<M>), reject, timer });
      socket.send(encodeRequest(id, method, params));
    });
  }

  /** The answer's body comes as a stream; a file that is sent is read as it goes. @throws CallError `core-lost` */
  async post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Blob | string,
    signal: AbortSignal,
  ): Promise<Response> {
    if (this.#socket?.readyState !== WebSocket.OPEN) throw new CallError('core-lost');
    const withToken = { ...headers, authorization: `Bearer ${this.#token}` };
    return fetch(path, { method: 'POST', headers: withToken, body, signal, cache: 'no-store' });
  }

  #connect(): void {
    window.clearTimeout(this.#retryTimer);
    this.onState({ kind: 'connecting' });
    const socket = new WebSocket(`ws://${location.host}/ws`, ['molva.v1', `token.${this.#token}`]);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#failures = 0;
      this.onState({ kind: 'open' });
    });
    socket.addEventListener('message', message => this.#receive(message.data));
    socket.addEventListener('close', () => void this.#closed());
  }

  #receive(frame: unknown): void {
    const incoming = decodeFrame(frame);
    switch (incoming.kind) {
      case 'event':
        this.onEvent(incoming.event);
        break;
      case 'result':
        this.#settle(incoming.id)?.resolve(incoming.result);
        break;
      case 'error':
        this.#settle(incoming.id)?.reject(incoming.error);
        break;
      case 'noise':
        break;
    }
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    window.clearTimeout(pending?.timer);
    return pending;
  }

  async #closed(): Promise<void> {
    this.#socket = null;
    for (const id of [...this.#pending.keys()]) this.#settle(id)?.reject(new CallError('core-lost'));
    const delay = retryDelayMs(this.#failures++);
    this.onState({ kind: 'lost', retryAt: Date.now() + delay });
    this.#retryTimer = window.setTimeout(() => this.#connect(), delay);
    // A refused upgrade and a dead core look alike to a WebSocket; a plain request tells them apart.
    if (await isTokenRefused(this.#token)) {
      window.clearTimeout(this.#retryTimer);
      this.#token = null;
      sessionStorage.removeItem(TOKEN_KEY);
      this.onState({ kind: 'no-key' });
    }
  }
}

/** Takes the one-use code out of the address, so that it is neither shown nor kept in the history. */
function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (location.hash !== '') history.replaceState(null, '', location.pathname);
  return code;
}

async function exchange(code: string): Promise<string | null> {
  try {
    const answer = await postJson('/session', { code });
    if (!answer.ok) return null;
    const body: unknown = await answer.json();
    const token = (body as { token?: unknown } | null)?.token;
    return typeof token === 'string' ? token : null;
  } catch {
    return null;
  }
}

async function isTokenRefused(token: string | null): Promise<boolean> {
  const request = { jsonrpc: '2.0', id: 1, method: 'status.get', params: {} };
  try {
    return (await postJson('/rpc', request, { authorization: `Bearer ${token}` })).status === 401;
  } catch {
    return false;
  }
}

function postJson(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    cache: 'no-store',
  });
}
