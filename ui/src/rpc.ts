import type { ApiEvent } from '../../core/commands/schema.ts';
import { text } from './text.ts';
import type { CallErrorCode } from './texts/errors.ts';

/** Codes that stand for several things; here the core's own sentence says which. */
const TOLD_BY_CORE: readonly CallErrorCode[] = ['refused', 'limit-reached', 'keychain-unavailable', 'bad-bytes'];

/** A call that did not succeed; `message` is for a person. */
export class CallError extends Error {
  readonly code: CallErrorCode;

  constructor(code: CallErrorCode, told = '') {
    super(TOLD_BY_CORE.includes(code) && told !== '' ? told : text.errors[code]);
    this.name = 'CallError';
    this.code = code;
  }
}

/** What to tell a person about whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof CallError ? error.message : text.errors.internal;
}

/** What arrives on the socket (JSON-RPC 2.0). */
export type Incoming =
  | { readonly kind: 'result'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: CallError }
  | { readonly kind: 'event'; readonly event: ApiEvent }
  | { readonly kind: 'noise' };

export function encodeRequest(id: number, method: string, params: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

/** Reads one frame. What does not have the documented form is `noise`: the page shows nothing it cannot name. */
export function decodeFrame(frame: unknown): Incoming {
  const value = parseObject(frame);
  if (value === null || value.jsonrpc !== '2.0') return { kind: 'noise' };
  if (value.method === 'event') return decodeEvent(value.params);
  const id = value.id;
  if (typeof id !== 'number') return { kind: 'noise' };
  if (isObject(value.error)) return { kind: 'error', id, error: callError(value.error) };
  return { kind: 'result', id, result: value.result };
}

function decodeEvent(params: unknown): Incoming {
  if (!isObject(params) || typeof params.event !== 'string') return { kind: 'noise' };
  // The core is the same program and checked this against the schema; the page's token proves that it is the core.
  return { kind: 'event', event: params as unknown as ApiEvent };
}

/** What the body of a refused request says (docs/protocol/api.md); anything else is a fault of the core. */
export function decodeRefusal(body: string): CallError {
  const value = parseObject(body);
  return isObject(value?.error) ? callError(value.error) : new CallError('internal');
}

function callError(error: Record<string, unknown>): CallError {
  return new CallError(errorCode(error), typeof error.message === 'string' ? error.message : '');
}

function errorCode(error: Record<string, unknown>): CallErrorCode {
  const data = error.data;
  const code = isObject(data) ? data.code : undefined;
  return typeof code === 'string' && Object.hasOwn(text.errors, code) ? (code as CallErrorCode) : 'internal';
}

function parseObject(frame: unknown): Record<string, unknown> | null {
  if (typeof frame !== 'string') return null;
  try {
    const value: unknown = JSON.parse(frame);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
