import * as v from 'valibot';
import { type ErrorCode, UsageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { METHODS, type MethodName } from '../commands/schema.ts';

export type RequestId = string | number;

/** A checked call: `params` has passed the method's schema, with defaults filled in. */
export interface Call {
  readonly id: RequestId;
  readonly method: MethodName;
  readonly params: unknown;
}

/** A request that cannot be carried out as it stands; `rpc` is the number JSON-RPC 2.0 §5.1 gives its fault. */
export class RequestError extends UsageError {
  readonly rpc: number;
  readonly id: RequestId | null;

  constructor(rpc: number, id: RequestId | null, message: string, code: ErrorCode = 'bad-request') {
    super(code, 'api.request', message);
    this.rpc = rpc;
    this.id = id;
  }
}

const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

const decoder = new TextDecoder('utf-8', { fatal: true });
const requestId = v.union([v.pipe(v.string(), v.maxLength(64)), v.pipe(v.number(), v.safeInteger())]);
const envelope = v.strictObject({
  jsonrpc: v.literal('2.0'),
  id: requestId,
  method: v.pipe(v.string(), v.maxLength(64)),
  // Parameters go by name (JSON-RPC 2.0 §4.2); an array would pass for an object otherwise.
  params: v.optional(v.pipe(v.unknown(), v.check(isObject, 'an object')), {}),
});

/**
 * Reads one JSON-RPC 2.0 request (§4). Batches and notifications are not taken: every call has one answer.
 * @param bytes UTF-8 JSON, at most LIMITS.rpcBodyBytes
 * @throws RequestError for everything else; its message never repeats a value that was sent
 */
export function parseRequest(bytes: Uint8Array): Call {
  const value = parseJson(bytes);
  if (Array.isArray(value)) throw new RequestError(INVALID_REQUEST, null, 'Send one request at a time, not a batch.');
  const request = v.safeParse(envelope, value, { abortEarly: true });
  if (!request.success) {
    throw new RequestError(
      INVALID_REQUEST,
      idOf(value),
      `This is not a JSON-RPC 2.0 request: ${where(request.issues)}.`,
    );
  }
  const { id, method, params } = request.output;
  if (!isMethod(method)) throw new RequestError(METHOD_NOT_FOUND, id, 'There is no such method.', 'unknown-method');
  const checked = v.safeParse(METHODS[method].params, params, { abortEarly: true });
  if (!checked.success) {
    throw new RequestError(INVALID_PARAMS, id, `A parameter of ${method} is not right: ${where(checked.issues)}.`);
  }
  return { id, method, params: checked.output };
}

/** Parses a JSON object of exactly these string fields. @throws RequestError */
export function parseStrings<const K extends string>(bytes: Uint8Array, field: K): Record<K, string> {
  const schema = v.strictObject({ [field]: v.pipe(v.string(), v.maxLength(256)) });
  const parsed = v.safeParse(schema, parseJson(bytes), { abortEarly: true });
  if (!parsed.success) throw new RequestError(INVALID_REQUEST, null, `The body is not right: ${where(parsed.issues)}.`);
  return parsed.output as Record<K, string>;
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > LIMITS.rpcBodyBytes) {
    throw new RequestError(INVALID_REQUEST, null, 'The request is too large.', 'too-large');
  }
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    // The engine's own message quotes the text, which may hold a passphrase.
    throw new RequestError(PARSE_ERROR, null, 'The request is not JSON.');
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name);
}

/** The id of an otherwise wrong request, so that the answer finds its way back. */
function idOf(value: unknown): RequestId | null {
  if (typeof value !== 'object' || value === null || !('id' in value)) return null;
  const id = v.safeParse(requestId, value.id);
  return id.success ? id.output : null;
}

/** Says where and what was expected, never what was received. */
function where(issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const issue = issues[0];
  const path = v.getDotPath(issue)?.slice(0, 64) ?? 'the whole';
  if (issue.expected === 'never') return `${path} is not known`;
  // A check's message is our own constant text; all others quote what was received.
  const expected = issue.type === 'check' ? issue.message : issue.type === 'regex' ? 'of another form' : issue.expected;
  return `${path} should be ${expected ?? 'something else'}`;
}
