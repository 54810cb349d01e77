import { CoreError } from '../base/errors.ts';
import type { CommandTable } from '../commands/schema.ts';
import { type ErrorAnswer, errorAnswer } from './answer.ts';
import type { Call } from './request.ts';

export type Outcome = { kind: 'done'; result: unknown } | { kind: 'failed'; answer: ErrorAnswer };

/** Carries out one checked call; never rejects. */
export type Dispatch = (call: Call) => Promise<Outcome>;

/** One line of the log: a constant event name and facts that hold no secret, text or nick. */
export type ApiLog = (event: string, facts: Readonly<Record<string, string | number>>) => void;

export function createDispatch(commands: CommandTable, log: ApiLog): Dispatch {
  return async call => {
    try {
      // The schema of this very method has checked the parameters.
      const command = commands[call.method] as (params: unknown) => Promise<unknown>;
      return { kind: 'done', result: await command(call.params) };
    } catch (error) {
      const answer = errorAnswer(call.id, error);
      if (answer.error.data.code === 'internal') log('api.fault', faultFacts(call.method, error));
      return { kind: 'failed', answer };
    }
  };
}

/** Where a fault arose, without its message, which may quote data. */
function faultFacts(method: string, error: unknown): Record<string, string> {
  const name = error instanceof Error ? error.name : typeof error;
  const operation = error instanceof CoreError ? error.operation : '';
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter(line => /^\s+at /.test(line));
  return {
    method,
    name,
    operation,
    at: frames
      .slice(0, 4)
      .map(line => line.trim())
      .join(' < '),
  };
}
