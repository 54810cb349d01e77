import type { IncomingMessage, ServerResponse } from 'node:http';
import { wipe } from '../base/bytes.ts';
import type { Scheduler } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { BundleStreams } from '../commands/bundles.ts';
import { ERROR_MAP } from '../commands/error-map.ts';
import { errorAnswer, resultAnswer } from './answer.ts';
import { exportBundle, importBundle } from './bundle-http.io.ts';
import type { Dispatch } from './dispatch.ts';
import { bearerOf, isJson, refusalOf, securityHeaders } from './guard.ts';
import type { PageFile } from './page-files.io.ts';
import { belongsToOther } from './peer-owner.io.ts';
import { parseRequest, parseStrings, RequestError } from './request.ts';
import type { Judgement, Tokens } from './tokens.ts';

export interface HttpParts {
  readonly origin: string;
  readonly pages: ReadonlyMap<string, PageFile>;
  readonly tokens: Tokens;
  readonly dispatch: Dispatch;
  readonly bundles: BundleStreams;
  readonly scheduler: Scheduler;
}

const NOT_BUILT = 'The page of Molva has not been built. Run "npm run setup" and start Molva again.\n';

/** Answers one HTTP request. Only POST changes anything, and only with a token or a one-use code. */
export async function handleHttp(request: IncomingMessage, response: ServerResponse, parts: HttpParts): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders(parts.origin))) response.setHeader(name, value);
  const refusal = refusalOf(request, parts.origin);
  if (refusal) return plain(response, refusal.status, 'This address is for Molva only.\n');
  if (request.url === '/rpc') return handleRpc(request, response, parts);
  if (request.url === '/bundle/export' || request.url === '/bundle/import')
    return handleBundle(request, response, parts);
  if (request.url === '/session') return handleSession(request, response, parts);
  return handlePage(request, response, parts.pages);
}

function handlePage(request: IncomingMessage, response: ServerResponse, pages: ReadonlyMap<string, PageFile>) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return methodNotAllowed(response, 'GET, HEAD');
  const file = pages.get(request.url ?? '');
  if (file) return send(response, 200, file.type, request.method === 'HEAD' ? '' : file.body);
  plain(response, 404, request.url === '/' ? NOT_BUILT : 'Not found.\n');
}

async function handleRpc(request: IncomingMessage, response: ServerResponse, parts: HttpParts): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, 'POST');
  // Judged before a byte of the body is read.
  const judgement = parts.tokens.judge(bearerOf(request.headers));
  if (judgement.kind !== 'accepted') return unauthorized(response, judgement);
  if (!isJson(request.headers)) return plain(response, 415, 'Send application/json.\n');
  try {
    const call = await readBody(request, parts, parseRequest);
    const outcome = await parts.dispatch(call);
    if (outcome.kind === 'done') return json(response, 200, resultAnswer(call.id, outcome.result));
    json(response, ERROR_MAP[outcome.answer.error.data.code].http, JSON.stringify(outcome.answer));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    refuseBody(response, error);
  }
}

async function handleSession(request: IncomingMessage, response: ServerResponse, parts: HttpParts): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, 'POST');
  if (!isJson(request.headers)) return plain(response, 415, 'Send application/json.\n');
  if (belongsToOther(request.socket)) return unauthorized(response, { kind: 'refused' });
  try {
    const { code } = await readBody(request, parts, body => parseStrings(body, 'code'));
    const exchange = parts.tokens.exchange(code);
    if (exchange.kind !== 'accepted') return unauthorized(response, exchange);
    json(response, 200, JSON.stringify({ token: exchange.token }));
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    refuseBody(response, error);
  }
}

async function handleBundle(request: IncomingMessage, response: ServerResponse, parts: HttpParts): Promise<void> {
  if (request.method !== 'POST') return methodNotAllowed(response, 'POST');
  const judgement = parts.tokens.judge(bearerOf(request.headers));
  if (judgement.kind !== 'accepted') return unauthorized(response, judgement);
  if (request.url === '/bundle/import') return importBundle(parts.bundles, request, response);
  try {
    const body = await readBody(request, parts, Buffer.from);
    await exportBundle(parts.bundles, request, body, response);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    refuseBody(response, error);
  }
}

/**
 * Parses the body. Its bytes, which may hold a passphrase, are wiped.
 * @throws RequestError `too-large`, as soon as that is known
 */
async function readBody<T>(request: IncomingMessage, { scheduler }: HttpParts, parse: (body: Buffer) => T): Promise<T> {
  const giveUp = scheduler(LIMITS.rpcRequestMs, () => void request.destroy());
  const chunks: Buffer[] = [];
  try {
    await gather(request, chunks);
    const body = Buffer.concat(chunks);
    chunks.push(body);
    return parse(body);
  } finally {
    giveUp();
    for (const chunk of chunks) wipe(chunk);
  }
}

async function gather(request: IncomingMessage, chunks: Buffer[]): Promise<void> {
  const tooLarge = () => new RequestError(-32600, null, 'The request is too large.', 'too-large');
  if (Number(request.headers['content-length'] ?? 0) > LIMITS.rpcBodyBytes) throw tooLarge();
  let length = 0;
  // The rest of a refused body is still read and dropped by Node, or the sender would see a reset and no answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMITS.rpcBodyBytes) throw tooLarge();
  }
}

function refuseBody(response: ServerResponse, error: RequestError): void {
  json(response, ERROR_MAP[error.code].http, JSON.stringify(errorAnswer(error.id, error)));
}

/** Each guess costs a connection of its own. */
function unauthorized(response: ServerResponse, judgement: Exclude<Judgement, { kind: 'accepted' }>) {
  response.setHeader('Connection', 'close');
  if (judgement.kind === 'refused') return plain(response, 401, 'The token or code is missing or wrong.\n');
  response.setHeader('Retry-After', String(Math.ceil(judgement.retryAfterMs / 1000)));
  plain(response, 429, 'Too many wrong tokens. Wait and try again.\n');
}

function methodNotAllowed(response: ServerResponse, allow: string) {
  response.setHeader('Allow', allow);
  plain(response, 405, 'This method is not for this address.\n');
}

function json(response: ServerResponse, status: number, body: string): void {
  send(response, status, 'application/json', body);
}

function plain(response: ServerResponse, status: number, body: string): void {
  send(response, status, 'text/plain; charset=utf-8', body);
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}
