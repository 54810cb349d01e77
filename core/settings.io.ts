import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Settings, settings } from './commands/schema.ts';
import { diskError, isFullError, replaceFile } from './storage/file-system.io.ts';

/**
 * Choices that are no secret and that the locked page needs as well, in the data folder (0600): they travel with it, and
 * the wipe takes them along. The browser's own storage would do neither.
 */
const SETTINGS_FILE = 'settings.json';
const STANDARD: Settings = { theme: 'auto', custody: true };

/** What was chosen; the standard where nothing was, or the file is not one of ours. */
export function readSettings(dataDirectory: string): Settings {
  try {
    const parsed = v.safeParse(settings, JSON.parse(readFileSync(join(dataDirectory, SETTINGS_FILE), 'utf8')));
    return parsed.success ? parsed.output : STANDARD;
  } catch {
    return STANDARD;
  }
}

/** @throws StorageError `disk-full`, `disk-failed` */
export function writeSettings(dataDirectory: string, chosen: Settings): void {
  try {
    replaceFile(join(dataDirectory, SETTINGS_FILE), Buffer.from(`${JSON.stringify(chosen)}\n`));
  } catch (cause) {
    throw diskError('settings.set', cause, isFullError(cause));
  }
}
