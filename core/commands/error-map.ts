import { CoreError, type ErrorCode } from '../base/errors.ts';

/** Exit codes of the command line: done, usage, no core running, refused, not found. */
export const EXIT = { done: 0, usage: 2, noCore: 3, refused: 4, notFound: 5 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface ErrorRow {
  /** JSON-RPC 2.0 §5.1: -32768 to -32000 are reserved by it, -32099 to -32000 of them for servers. */
  readonly rpc: number;
  readonly http: number;
  readonly exit: ExitCode;
}

const row = (rpc: number, http: number, exit: ExitCode): ErrorRow => ({ rpc, http, exit });

/** The one table from error codes to what a client of each kind sees. */
export const ERROR_MAP: Readonly<Record<ErrorCode, ErrorRow>> = {
  'bad-bytes': row(-32001, 400, EXIT.usage),
  'not-authentic': row(-32002, 403, EXIT.refused),
  'wrong-passphrase': row(-32003, 403, EXIT.refused),
  'unlock-delayed': row(-32004, 429, EXIT.refused),
  'code-mismatch': row(-32005, 403, EXIT.refused),
  'code-burnt': row(-32006, 410, EXIT.refused),
  unauthorized: row(-32007, 401, EXIT.refused),
  'bad-request': row(-32600, 400, EXIT.usage),
  'unknown-method': row(-32601, 404, EXIT.usage),
  'not-found': row(-32008, 404, EXIT.notFound),
  ambiguous: row(-32009, 409, EXIT.usage),
  'already-exists': row(-32010, 409, EXIT.refused),
  refused: row(-32011, 403, EXIT.refused),
  locked: row(-32012, 423, EXIT.refused),
  'no-profile': row(-32013, 409, EXIT.refused),
  'too-large': row(-32014, 413, EXIT.usage),
  'limit-reached': row(-32015, 429, EXIT.refused),
  'keychain-unavailable': row(-32016, 503, EXIT.refused),
  unreachable: row(-32017, 503, EXIT.refused),
  busy: row(-32018, 503, EXIT.refused),
  'timed-out': row(-32019, 504, EXIT.refused),
  'vault-damaged': row(-32020, 500, EXIT.refused),
  'database-damaged': row(-32021, 500, EXIT.refused),
  'disk-full': row(-32022, 507, EXIT.refused),
  'disk-failed': row(-32023, 500, EXIT.refused),
  'profile-in-use': row(-32024, 409, EXIT.refused),
  'network-file-system': row(-32025, 500, EXIT.refused),
  'newer-format': row(-32026, 500, EXIT.refused),
  internal: row(-32603, 500, EXIT.refused),
};

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_MAP, value);
}

interface Shown {
  readonly code: ErrorCode;
  readonly message: string;
}

const FULL = { code: 'disk-full', message: 'The disk is full. Make room and try again; nothing was lost.' } as const;
const FAILED = {
  code: 'disk-failed',
  message: 'The disk did not take the data. Check the disk and try again.',
} as const;
const MANY = { code: 'disk-failed', message: 'Too many files are open. Close some programs and try again.' } as const;

/** The operating system's own errors that can come from any file, with their remedy. */
const DISK_ERRORS = new Map<unknown, Shown>([
  ['ENOSPC', FULL],
  ['EDQUOT', FULL],
  ['EIO', FAILED],
  ['EROFS', FAILED],
  ['EMFILE', MANY],
  ['ENFILE', MANY],
]);

/** What of an error may be shown: faults of Molva itself are opaque. */
export function shownError(error: unknown): Shown {
  if (error instanceof CoreError && error.code !== 'internal') return { code: error.code, message: error.message };
  const disk = error instanceof Error && 'code' in error ? DISK_ERRORS.get(error.code) : undefined;
  if (disk) return disk;
  return { code: 'internal', message: 'Something went wrong inside Molva. Trying again may help.' };
}
