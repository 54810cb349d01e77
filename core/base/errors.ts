/** Errors by remedy. `code` is stable and safe to show; `message` is for a person and never holds a secret. */

export type ErrorCode =
  // DecodeError
  | 'bad-bytes'
  // AuthError
  | 'not-authentic'
  | 'wrong-passphrase'
  | 'unlock-delayed'
  | 'code-mismatch'
  | 'code-burnt'
  | 'unauthorized'
  // UsageError
  | 'bad-request'
  | 'unknown-method'
  | 'not-found'
  | 'ambiguous'
  | 'already-exists'
  | 'refused'
  | 'locked'
  | 'no-profile'
  | 'too-large'
  | 'limit-reached'
  | 'keychain-unavailable'
  // TransientError
  | 'unreachable'
  | 'busy'
  | 'timed-out'
  // StorageError
  | 'vault-damaged'
  | 'database-damaged'
  | 'disk-full'
  | 'disk-failed'
  | 'profile-in-use'
  | 'network-file-system'
  | 'newer-format'
  // InternalError
  | 'internal';

export class CoreError extends Error {
  readonly code: ErrorCode;
  /** What was being done, a short constant such as `vault.open`; never data. */
  readonly operation: string;

  constructor(code: ErrorCode, operation: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.operation = operation;
  }
}

/** Bytes from outside do not have the documented form. */
export class DecodeError extends CoreError {
  constructor(operation: string, message = 'The data does not have the expected form.', cause?: unknown) {
    super('bad-bytes', operation, message, cause);
  }
}

/** A tag, signature, token, passphrase or code did not match. */
export class AuthError extends CoreError {}

/** The caller asked for something that cannot be; asking differently helps. */
export class UsageError extends CoreError {}

/** Trying again later can help. */
export class TransientError extends CoreError {}

/** The disk or the files on it stand in the way. */
export class StorageError extends CoreError {}

/** A fault of Molva itself. */
export class InternalError extends CoreError {
  constructor(operation: string, message = 'Something went wrong inside Molva.', cause?: unknown) {
    super('internal', operation, message, cause);
  }
}
