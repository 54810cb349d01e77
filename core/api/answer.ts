import type { ErrorCode } from '../base/errors.ts';
import { ERROR_MAP, shownError } from '../commands/error-map.ts';
import type { ApiEvent } from '../commands/schema.ts';
import { RequestError, type RequestId } from './request.ts';

/** JSON-RPC 2.0 §5, with Molva's own code as `data.code`. */
export interface ErrorAnswer {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly code: ErrorCode; readonly allowedAt?: number };
  };
}

export function resultAnswer(id: RequestId, result: unknown): string {
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

/** Faults of Molva itself are opaque here; the caller writes them to the log. */
export function errorAnswer(id: RequestId | null, error: unknown): ErrorAnswer {
  const { code, message } = shownError(error);
  const rpc = error instanceof RequestError ? error.rpc : ERROR_MAP[code].rpc;
  const allowedAt = code === 'unlock-delayed' ? allowedAtOf(error) : undefined;
  const data = allowedAt === undefined ? { code } : { code, allowedAt };
  return { jsonrpc: '2.0', id, error: { code: rpc, message, data } };
}

export function eventNotice(event: ApiEvent): string {
  return JSON.stringify({ jsonrpc: '2.0', method: 'event', params: event });
}

/** The vault's refusal says when it will try again (milliseconds since 1970). */
function allowedAtOf(error: unknown): number | undefined {
  const at = typeof error === 'object' && error !== null && 'allowedAtMs' in error ? error.allowedAtMs : undefined;
  return typeof at === 'number' ? at : undefined;
}
