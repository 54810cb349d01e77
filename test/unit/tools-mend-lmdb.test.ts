import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lmdbBinaries, mendBinary, mended } from '../../tools/mend-lmdb.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const TOO_LONG = 'Attempting to write page at position %u, size %u, blocks %u, buffer sizes %i %i %i';
const FITS = 'Attempting to write page at position %u, size %u, blocks %u';
/** What LMDB reserves for the note. */
const NOTE_BYTES = 100;
const skip = process.platform === 'darwin' && 'macOS: only code can be signed, and this file is none';

describe("LMDB's note of a page that could not be written", () => {
  it('fits into its room with the longest numbers', () => {
    const longest = FITS.replaceAll('%u', `${2 ** 32 - 1}`);
    assert.ok(longest.length < NOTE_BYTES);
  });

  it('is shortened where it stands, and nothing else is touched', () => {
    const before = Buffer.from(`first\0${TOO_LONG}\0last %i %i %i\0`);
    const after = mended(before);
    assert.equal(after?.toString(), `first\0${FITS}${'\0'.repeat(TOO_LONG.length - FITS.length)}\0last %i %i %i\0`);
    assert.equal(mended(after as Buffer), undefined, 'a second time there is nothing to mend');
  });

  it('is shortened in the file, which keeps its mode, and of which no copy stays behind', { skip }, t => {
    const root = mkdtempSync(join(tmpdir(), 'molva-mend-'));
    t.after(() => rmSync(root, { recursive: true }));
    const folder = join(root, 'node_modules', '@lmdb', 'lmdb-here');
    mkdirSync(folder, { recursive: true });
    const [binary, sound] = [join(folder, 'a.node'), join(folder, 'b.node')];
    writeFileSync(binary, `${TOO_LONG}\0`);
    writeFileSync(sound, `${FITS}\0`);
    writeFileSync(join(folder, 'package.json'), `${TOO_LONG}\0`);
    for (const file of [binary, sound]) chmodSync(file, 0o755);
    const { ino } = statSync(sound);
    assert.deepEqual(lmdbBinaries(root).map(mendBinary), [true, false]);
    assert.equal(mended(readFileSync(binary)), undefined);
    assert.equal(readFileSync(binary).length, TOO_LONG.length + 1);
    assert.equal(statSync(sound).ino, ino, 'a sound one is left alone');
    if (process.platform !== 'win32') assert.equal(statSync(binary).mode & 0o777, 0o755);
    assert.deepEqual(readdirSync(folder).sort(), ['a.node', 'b.node', 'package.json']);
  });

  it('fits in every binary that is used here', () => {
    const binaries = lmdbBinaries(ROOT);
    assert.ok(binaries.length > 0);
    const left = binaries.filter(binary => mended(readFileSync(binary)));
    assert.deepEqual(left, [], 'not mended: npm run setup');
  });
});
