import {
  CodecError,
  CryptoError,
  CryptoVerificationError,
  MlsError,
  UsageError as MlsUsageError,
  ValidationError,
} from 'ts-mls/mlsError.js';
import { AuthError, CoreError, DecodeError, InternalError, UsageError } from '../../base/errors.ts';

/**
 * Runs a step over bytes of others.
 * @throws DecodeError they do not have the form; AuthError a signature, tag, key or rule does not hold
 */
export async function overInput<T>(operation: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw inputError(operation, cause);
  }
}

/** The same, of a step that takes no promise. */
export function overInputNow<T>(operation: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw inputError(operation, cause);
  }
}

/** Runs a step that the user asked for. @throws UsageError it breaks a rule of the protocol */
export async function overRequest<T>(operation: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (cause instanceof CoreError) throw cause;
    if (!(cause instanceof MlsError)) throw new InternalError(operation, undefined, cause);
    throw new UsageError('refused', operation, 'The group does not allow this change.', cause);
  }
}

export function inputError(operation: string, cause: unknown): CoreError {
  if (cause instanceof CoreError) return cause;
  const broken = [ValidationError, CryptoVerificationError, CryptoError, MlsUsageError];
  if (broken.some(kind => cause instanceof kind)) return refused(operation, cause);
  // Everything else that bytes can provoke inside a decoder: a length past the end, a name that is none.
  const known = cause instanceof CodecError || cause instanceof MlsError;
  if (known || cause instanceof TypeError || cause instanceof RangeError) {
    return new DecodeError(operation, undefined, cause);
  }
  return new InternalError(operation, undefined, cause);
}

export function refused(operation: string, cause?: unknown): AuthError {
  return new AuthError('not-authentic', operation, 'The message of the group is not authentic.', cause);
}
