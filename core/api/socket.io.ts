import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { wipe } from '../base/bytes.ts';
import { TransientError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import type { ApiEvent } from '../commands/schema.ts';
import { errorAnswer, eventNotice, resultAnswer } from './answer.ts';
import type { ApiLog, Dispatch } from './dispatch.ts';
import { refusalOf, SOCKET_PROTOCOL, socketTokenOf } from './guard.ts';
import { type Call, parseRequest, RequestError } from './request.ts';
import type { Tokens } from './tokens.ts';

export interface SocketParts {
  readonly origin: string;
  readonly tokens: Tokens;
  readonly dispatch: Dispatch;
  readonly log: ApiLog;
}

interface Connected {
  readonly client: WebSocket;
  /** Called before each send. */
  readonly gather: () => void;
}

const GOING_AWAY = 1001;
const UNSUPPORTED_DATA = 1003;

/** The WebSocket side of the API: requests in, answers and events out. */
export function createSockets(parts: SocketParts) {
  const clients = new Set<Connected>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: LIMITS.rpcBodyBytes,
    perMessageDeflate: false,
    handleProtocols: () => SOCKET_PROTOCOL,
  });

  function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer) {
    // Without a listener a reset during the handshake would end the process.
    socket.on('error', () => socket.destroy());
    const status = upgradeStatus(request, parts, clients.size);
    if (status !== undefined) return turnAway(socket, status);
    const gather = gatherWrites(socket);
    server.handleUpgrade(request, socket, head, client => attach({ client, gather }, clients, parts));
  }

  function broadcast(event: ApiEvent): void {
    if (clients.size === 0) return;
    const text = eventNotice(event);
    for (const connected of clients) deliver(connected, text, parts.log);
  }

  function close(): void {
    for (const { client } of clients) client.close(GOING_AWAY, 'Molva is stopping');
  }

  function terminate(): void {
    for (const { client } of clients) client.terminate();
  }

  return { upgrade, broadcast, close, terminate };
}

/** @returns the HTTP status to refuse with; undefined when the upgrade may go on */
function upgradeStatus(request: IncomingMessage, parts: SocketParts, clients: number): string | undefined {
  if (refusalOf(request, parts.origin)) return '403 Forbidden';
  if (request.url !== '/ws') return '404 Not Found';
  const judgement = parts.tokens.judge(socketTokenOf(request.headers));
  if (judgement.kind === 'refused') return '401 Unauthorized';
  if (judgement.kind === 'wait') {
    return `429 Too Many Requests\r\nRetry-After: ${Math.ceil(judgement.retryAfterMs / 1000)}`;
  }
  return clients >= LIMITS.rpcClients ? '503 Service Unavailable' : undefined;
}

function turnAway(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** What a core sends in one turn of its event loop leaves in one system call: under load these cost the most. */
function gatherWrites(socket: Duplex): () => void {
  let gathering = false;
  return () => {
    if (gathering) return;
    gathering = true;
    socket.cork();
    setImmediate(() => {
      gathering = false;
      socket.uncork();
    });
  };
}

function attach(connected: Connected, clients: Set<Connected>, parts: SocketParts): void {
  const { client } = connected;
  let pending = 0;
  clients.add(connected);
  client.on('close', () => clients.delete(connected));
  client.on('error', () => client.terminate());
  client.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) return client.close(UNSUPPORTED_DATA, 'text frames only');
    if (pending >= LIMITS.rpcPending) return deliver(connected, tooManyPending(data as Buffer), parts.log);
    pending += 1;
    answer(data as Buffer, parts.dispatch).then(text => {
      pending -= 1;
      deliver(connected, text, parts.log);
    });
  });
}

async function answer(frame: Buffer, dispatch: Dispatch): Promise<string> {
  try {
    const call = parseOnce(frame);
    const outcome = await dispatch(call);
    return outcome.kind === 'done' ? resultAnswer(call.id, outcome.result) : JSON.stringify(outcome.answer);
  } catch (error) {
    return JSON.stringify(errorAnswer(error instanceof RequestError ? error.id : null, error));
  }
}

/** The frame's bytes, which may hold a passphrase, are wiped. */
function parseOnce(frame: Buffer): Call {
  try {
    return parseRequest(frame);
  } finally {
    wipe(frame);
  }
}

function tooManyPending(frame: Buffer): string {
  const busy = new TransientError('busy', 'api.request', 'Too many calls are waiting. Send this one again later.');
  try {
    return JSON.stringify(errorAnswer(parseOnce(frame).id, busy));
  } catch (error) {
    return JSON.stringify(errorAnswer(error instanceof RequestError ? error.id : null, error));
  }
}

/** A client that does not read is dropped: it can connect again, the core's memory cannot grow for ever. */
function deliver({ client, gather }: Connected, text: string, log: ApiLog): void {
  if (client.readyState !== client.OPEN) return;
  if (client.bufferedAmount + text.length > LIMITS.rpcBacklogBytes) {
    log('api.slow-client', { backlogBytes: client.bufferedAmount });
    client.terminate();
    return;
  }
  gather();
  client.send(text);
}
