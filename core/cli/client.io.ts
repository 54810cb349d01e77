import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { processLives, readCoreFile } from '../commands/core-file.io.ts';
import type { CoreFile } from '../commands/core-file.ts';
import { ERROR_MAP } from '../commands/error-map.ts';
import type { ApiEvent, MethodName, Params, Result } from '../commands/schema.ts';
import type { BundleReport } from '../state/bundles.ts';
import { CliFailure, fromAnswer, noCore } from './failure.ts';

export interface CoreClient {
  readonly pid: number;
  /** @throws CliFailure the core's refusal, or `no-core` when what answers is no core of this profile */
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>;
  /**
   * A bundle for the contacts named (all, when none is), as it comes.
   * @throws CliFailure the core's refusal; while it is read, `no-core` when it ends too early
   */
  exportBundle(who: readonly string[]): Promise<ComingBundle>;
  /** Hands a bundle over. @throws CliFailure the core's; whatever `pieces` throws */
  importBundle(pieces: Readable): Promise<BundleReport>;
  /** Hands over events as they come, until `stop` or until the core goes away. */
  watch(onEvent: (event: ApiEvent) => void): Promise<Watching>;
}

export interface ComingBundle {
  readonly envelopes: number;
  readonly pieces: AsyncIterable<Buffer>;
}

export interface Watching {
  readonly ended: Promise<void>;
  stop(): void;
}

/** The running core of a data directory. @throws CliFailure `no-core` */
export function findCore(dataDirectory: string): CoreClient {
  const file = readCoreFile(dataDirectory);
  if (!file) throw noCore(dataDirectory);
  return {
    pid: file.pid,
    call: async (method, params) => readAnswer(await post(file, method, params, dataDirectory), dataDirectory),
    exportBundle: who => openBundle(file, who, dataDirectory),
    importBundle: pieces => sendBundle(file, pieces, dataDirectory),
    watch: onEvent => openWatch(file, onEvent, dataDirectory),
  };
}

function post(file: CoreFile, method: string, params: unknown, dataDirectory: string): Promise<string> {
  const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  const headers = {
    Authorization: `Bearer ${file.token}`,
    'Content-Type': 'application/json',
    'Content-Length': body.length,
  };
  return new Promise((resolve, reject) => {
    const fail = (cause: Error) => reject(lost(cause, file, dataDirectory));
    const request = httpRequest(`${file.url}/rpc`, { method: 'POST', headers, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    // Refused or cut off: the process of the file is gone, or another one has its number.
    request.on('error', fail);
    // A passphrase may be in it.
    request.on('close', () => body.fill(0));
    request.end(body);
  });
}

async function openBundle(file: CoreFile, who: readonly string[], dataDirectory: string): Promise<ComingBundle> {
  const body = JSON.stringify({ for: who });
  const request = bundleRequest(file, 'export', 'application/json');
  request.end(body);
  const response = await responseTo(request, file, dataDirectory);
  if (response.statusCode !== 200) readAnswer(await textOf(response, file, dataDirectory), dataDirectory);
  return { envelopes: Number(response.headers['molva-envelopes']), pieces: whole(response, file, dataDirectory) };
}

async function* whole(response: IncomingMessage, file: CoreFile, dataDirectory: string): AsyncIterable<Buffer> {
  try {
    for await (const piece of response) yield piece;
  } catch (cause) {
    throw lost(cause, file, dataDirectory);
  }
}

async function sendBundle(file: CoreFile, pieces: Readable, dataDirectory: string): Promise<BundleReport> {
  let unreadable: unknown;
  pieces.once('error', error => {
    unreadable = error;
  });
  const request = bundleRequest(file, 'import', 'application/octet-stream');
  const answered = responseTo(request, file, dataDirectory).catch(error => {
    // What broke the request off was the file, not the core.
    throw unreadable ?? error;
  });
  // A refusal may come before all is sent: what counts is the answer.
  const [response] = await Promise.all([answered, pipeline(pieces, request).catch(() => undefined)]);
  if (unreadable !== undefined) throw unreadable;
  const text = await textOf(response, file, dataDirectory);
  return response.statusCode === 200 ? JSON.parse(text) : readAnswer(text, dataDirectory);
}

function bundleRequest(file: CoreFile, direction: 'export' | 'import', type: string): ClientRequest {
  const headers = { Authorization: `Bearer ${file.token}`, 'Content-Type': type };
  return httpRequest(`${file.url}/bundle/${direction}`, { method: 'POST', headers, agent: false });
}

function responseTo(request: ClientRequest, file: CoreFile, dataDirectory: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', cause => reject(lost(cause, file, dataDirectory)));
  });
}

async function textOf(response: IncomingMessage, file: CoreFile, dataDirectory: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const piece of whole(response, file, dataDirectory)) chunks.push(piece);
  return Buffer.concat(chunks).toString();
}

/** Without a free descriptor there is no connection; one that a living core cut off is no sign that there is none. */
function lost(cause: unknown, file: CoreFile, dataDirectory: string): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  if (code === 'EMFILE' || code === 'ENFILE') return cause;
  if (code !== 'ECONNRESET' || !processLives(file.pid)) return noCore(dataDirectory);
  const { exit } = ERROR_MAP.unreachable;
  return new CliFailure('unreachable', exit, 'Molva ended the connection before it was done. Try again.');
}
/** An answer that is not JSON-RPC comes from a stranger on the same port, or from a core with another token. */
function readAnswer<T>(text: string, dataDirectory: string): T {
  let answer: { result?: T; error?: { message?: unknown; data?: { code?: unknown } } };
  try {
    answer = JSON.parse(text);
  } catch {
    throw noCore(dataDirectory);
  }
  if (typeof answer !== 'object' || answer === null) throw noCore(dataDirectory);
  if (answer.error) throw fromAnswer(answer.error.data?.code, String(answer.error.message));
  if (!('result' in answer)) throw noCore(dataDirectory);
  return answer.result as T;
}

async function openWatch(file: CoreFile, onEvent: (event: ApiEvent) => void, dataDirectory: string): Promise<Watching> {
  // Loaded here, so that the short commands start faster.
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`${file.url.replace('http:', 'ws:')}/ws`, ['molva.v1', `token.${file.token}`]);
  const ended = new Promise<void>(resolve => socket.on('close', () => resolve()));
  socket.on('message', data => {
    const notice = JSON.parse(String(data));
    if (notice.method === 'event') onEvent(notice.params);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.on('error', () => reject(noCore(dataDirectory)));
  });
  return { ended, stop: () => socket.close() };
}
