// LMDB notes a page it could not write in 100 bytes with a text that can be longer, and so breaks the heap of the
// process just when a disk fails (docs/decisions/0010). The text is a constant of the binary; it is given its shorter
// beginning here, which always fits. Nothing else in the binary is changed.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** 84 bytes with every number as long as it can be, and the nought at its end. */
const SHORT = 'Attempting to write page at position %u, size %u, blocks %u';
/** The sizes of three buffers, of which two may not exist: then they are whatever the stack held. */
const TAIL = ', buffer sizes %i %i %i';

/** Every binary of LMDB that npm has put there; on Windows LMDB keeps no such note, and none of them holds the text. */
export function lmdbBinaries(root) {
  const packages = join(root, 'node_modules', '@lmdb');
  if (!existsSync(packages)) return [];
  return readdirSync(packages).flatMap(name =>
    readdirSync(join(packages, name))
      .filter(file => file.endsWith('.node'))
      .map(file => join(packages, name, file)),
  );
}

/** @returns the bytes with the note that fits, or undefined when there is nothing to mend */
export function mended(bytes) {
  const tailAt = bytes.indexOf(`${SHORT}${TAIL}\0`);
  if (tailAt < 0) return undefined;
  return Buffer.from(bytes).fill(0, tailAt + SHORT.length, tailAt + SHORT.length + TAIL.length);
}

/**
 * A program that runs keeps the binary it has begun with: the mended one takes its place under the name.
 * @returns whether it was mended; false too when there was nothing to mend
 */
export function mendBinary(path) {
  const bytes = mended(readFileSync(path));
  if (!bytes) return false;
  const fresh = `${path}.new`;
  writeFileSync(fresh, bytes, { mode: statSync(path).mode });
  if (process.platform === 'darwin') sign(fresh);
  renameSync(fresh, path);
  return true;
}

/** macOS loads no code whose bytes are not those that were signed. */
function sign(path) {
  const { status, stderr } = spawnSync('/usr/bin/codesign', ['--force', '--sign', '-', path], { encoding: 'utf8' });
  if (status === 0) return;
  rmSync(path, { force: true });
  throw new Error(`codesign did not sign it: ${stderr ?? ''}`.trim());
}
