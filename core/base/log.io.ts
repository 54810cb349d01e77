import { chmodSync, existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { LIMITS } from './limits.ts';

/** One line: a constant event name, and facts that hold no secret, text, nick or whole id. */
export type Log = (event: string, facts: Readonly<Record<string, string | number>>) => void;

export const LOG_FILE = 'molva.log';

/** Logs to a file of the data folder, readable by its owner only; two files of bounded length are kept. */
export function openLog(dataDirectory: string): Log {
  const path = join(dataDirectory, LOG_FILE);
  if (existsSync(path) && statSync(path).size > LIMITS.logBytes / 2) renameSync(path, `${path}.1`);
  const file = pino.destination({ dest: path, sync: true, mode: 0o600 });
  chmodSync(path, 0o600);
  // Without room on the disk there is no log, and the rest goes on.
  file.on('error', () => {});
  const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, file);
  let left = LIMITS.logLines;
  return (event, facts) => {
    if (left <= 0) return;
    left -= 1;
    logger.info({ event, ...facts });
  };
}
