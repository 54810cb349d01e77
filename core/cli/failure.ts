import { CoreError } from '../base/errors.ts';
import { ERROR_MAP, EXIT, type ExitCode, isErrorCode, shownError } from '../commands/error-map.ts';

/** Why a command was not done, as it is printed. `code` is an ErrorCode, or `no-core`. */
export class CliFailure extends Error {
  readonly code: string;
  readonly exit: ExitCode;

  constructor(code: string, exit: ExitCode, message: string) {
    super(message);
    this.name = 'CliFailure';
    this.code = code;
    this.exit = exit;
  }
}

export function usage(message: string): CliFailure {
  return new CliFailure('bad-request', EXIT.usage, message);
}

export function noCore(dataDirectory: string): CliFailure {
  return new CliFailure(
    'no-core',
    EXIT.noCore,
    `No Molva is running for ${dataDirectory}. Start it with "molva start", or name another folder with --data-dir.`,
  );
}

/** A refusal that came over the API. */
export function fromAnswer(code: unknown, message: string): CliFailure {
  return isErrorCode(code)
    ? new CliFailure(code, ERROR_MAP[code].exit, message)
    : new CliFailure('internal', EXIT.refused, message);
}

export function toFailure(error: unknown): CliFailure {
  if (error instanceof CliFailure) return error;
  const { code, message } = shownError(error);
  // A fault of our own is worth more to the person at the terminal than the opaque text a network client gets.
  const text = code === 'internal' && error instanceof Error && !(error instanceof CoreError) ? error.message : message;
  return new CliFailure(code, ERROR_MAP[code].exit, text);
}
