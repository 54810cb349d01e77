import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { EXIT, type ExitCode } from '../commands/error-map.ts';
import { CliFailure, usage } from './failure.ts';
import type { Session } from './session.io.ts';
import { bundleText, custodyText } from './text.ts';

/** custody, bundle. */

export async function custody(session: Session): Promise<ExitCode> {
  const [word = 'status'] = session.words;
  if (!['on', 'off', 'status'].includes(word)) throw usage('Say "molva custody on", "off" or "status".');
  const core = session.core();
  const result =
    word === 'status' ? await core.call('custody.get', {}) : await core.call('custody.set', { holds: word === 'on' });
  session.print(result, () => custodyText(result));
  return EXIT.done;
}

export async function bundle(session: Session): Promise<ExitCode> {
  const [direction = '', file = ''] = session.words;
  if (direction === 'export') return exportBundle(session, file);
  if (direction !== 'import') throw usage('Say "molva bundle export FILE" or "molva bundle import FILE".');
  if (session.options.for !== undefined) throw usage('--for is for "molva bundle export".');
  if (!existsSync(file)) throw new CliFailure('not-found', EXIT.notFound, `There is no file ${file}.`);
  const report = await session.core().importBundle(createReadStream(file));
  session.print(report, () => bundleText(report));
  return EXIT.done;
}

/** Under another name until it is whole, so that half a bundle is never carried by mistake. */
async function exportBundle(session: Session, file: string): Promise<ExitCode> {
  if (existsSync(file)) throw new CliFailure('already-exists', EXIT.refused, `There is a file ${file} already.`);
  const pieces = await session.core().exportBundle(session.options.for ?? []);
  const part = `${file}.part`;
  const output = createWriteStream(part, { mode: 0o600, flush: true });
  try {
    await pipeline(pieces, output);
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    if (error instanceof CliFailure) throw error;
    throw new CliFailure('disk-failed', EXIT.refused, `The bundle cannot be written to ${file}.`);
  }
  const result = { file, bytes: output.bytesWritten };
  session.print(result, () => `The bundle is in ${file}. Whoever carries it can read none of it.\n`);
  return EXIT.done;
}
