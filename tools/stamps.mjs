import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', 'build', '.git']);

/** Every file below `start` (a file or folder), sorted, without what is built. */
export function filesBelow(start) {
  if (!existsSync(start)) return [];
  if (!statSync(start).isDirectory()) return [start];
  return readdirSync(start, { withFileTypes: true })
    .filter(entry => !SKIPPED.has(entry.name))
    .flatMap(entry => filesBelow(join(start, entry.name)))
    .sort();
}

/** One hash over the names and contents of files and folders, and over some words. */
export function fingerprint(root, paths, words = []) {
  const hash = createHash('sha256').update(JSON.stringify(words));
  for (const file of paths.flatMap(path => filesBelow(join(root, path)))) {
    const content = readFileSync(file);
    hash.update(`\0${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** What was done last, and from which inputs. */
export class Stamps {
  #file;
  #steps;

  constructor(file) {
    this.#file = file;
    this.#steps = readSteps(file);
  }

  is(step, value) {
    return this.#steps[step] === value;
  }

  set(step, value) {
    this.#steps[step] = value;
    const fresh = `${this.#file}.new`;
    writeFileSync(fresh, JSON.stringify(this.#steps));
    renameSync(fresh, this.#file);
  }
}

function readSteps(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}

/** Runs `work` while no other set-up of this folder runs. A lock whose process is gone is taken over. */
export async function exclusively(lockFile, work) {
  while (!takeLock(lockFile)) await new Promise(resolve => setTimeout(resolve, 200));
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

function takeLock(lockFile) {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  if (!isAlive(ownerOf(lockFile))) rmSync(lockFile, { force: true });
  return false;
}

function ownerOf(lockFile) {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return 0;
  }
}

/** An owner that has not written its id yet counts as alive. */
function isAlive(pid) {
  if (!pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
