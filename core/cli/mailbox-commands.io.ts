import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { hex } from '../base/bytes.ts';
import { systemRandom } from '../base/world.io.ts';
import { EXIT, type ExitCode } from '../commands/error-map.ts';
import { CliFailure, toFailure, usage } from './failure.ts';
import type { Session } from './session.io.ts';
import { bundleText, custodyText, exportedText } from './text.ts';

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
  if (direction !== 'export' && direction !== 'import') {
    throw usage('Say "molva bundle export FILE" or "molva bundle import FILE".');
  }
  if (file === '') throw usage('The name of the file is empty.');
  if (direction === 'export') return exportBundle(session, file);
  for (const option of ['for', 'force'] as const) {
    if (session.options[option] !== undefined) throw usage(`--${option} is for "molva bundle export".`);
  }
  return importBundle(session, file);
}

/** What was whole is taken and told in any case; the exit code says whether the file was. */
async function importBundle(session: Session, file: string): Promise<ExitCode> {
  const pieces = createReadStream(file);
  const report = await session
    .core()
    .importBundle(pieces)
    .catch(error => {
      throw unreadable(error, file);
    })
    .finally(() => pieces.destroy());
  session.print(report, () => bundleText(report));
  return report.file === 'complete' ? EXIT.done : EXIT.refused;
}

/** Under another name until it is whole, so that half a bundle is never carried by mistake. */
async function exportBundle(session: Session, file: string): Promise<ExitCode> {
  const { for: who = [], force = false } = session.options;
  const refuseToReplace = () => {
    if (!force && existsSync(file)) {
      throw new CliFailure('already-exists', EXIT.refused, `There is a file ${file} already; --force replaces it.`);
    }
  };
  refuseToReplace();
  const { envelopes, pieces } = await session.core().exportBundle(who);
  const part = `${file}.${hex(systemRandom(8))}.part`;
  const output = createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true });
  try {
    await pipeline(pieces, output);
    refuseToReplace();
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw unwritable(error, file);
  }
  const result = { file, bytes: output.bytesWritten, envelopes };
  session.print(result, () => exportedText(result));
  return EXIT.done;
}

function unreadable(error: unknown, file: string): CliFailure {
  const errno = errnoOf(error);
  if (errno === 'ENOENT') return new CliFailure('not-found', EXIT.notFound, `There is no file ${file}.`);
  if (errno === 'EISDIR') return usage(`${file} is a folder, not a bundle.`);
  return diskFailure(error, `${file} cannot be read (${errno}).`);
}

function unwritable(error: unknown, file: string): CliFailure {
  return diskFailure(error, `The bundle cannot be written to ${file} (${errnoOf(error)}).`);
}

/** @param text of an error of the file that has no remedy of its own */
function diskFailure(error: unknown, text: string): CliFailure {
  const failure = toFailure(error);
  const ofFile = failure.code === 'internal' && errnoOf(error) !== undefined;
  return ofFile ? new CliFailure('disk-failed', EXIT.refused, text) : failure;
}

function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof CliFailure) return undefined;
  return (error as NodeJS.ErrnoException).code;
}
