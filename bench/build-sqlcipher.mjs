import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const peer = join(root, 'bench', 'node_modules', 'better-sqlite3-multiple-ciphers');

/**
 * Builds the addon of the SQLCipher peer where it is missing, from the sources in its package and with the headers
 * beside the product's own runtime: its install script would fetch a binary.
 * @returns why there is none, or undefined when it is there
 */
export function buildSqlcipher() {
  if (!existsSync(peer)) return 'the packages of bench/ are not installed';
  if (existsSync(join(peer, 'build', 'Release', 'better_sqlite3.node'))) return undefined;
  const headers = headersOfRuntime();
  if (!headers) return 'the runtime has no headers beside it';
  const gyp = join(root, 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const args = [gyp, 'rebuild', '--release', '--loglevel=error', `--nodedir=${headers}`];
  const { status } = spawnSync(process.execPath, args, { cwd: peer, stdio: ['ignore', 'ignore', 'inherit'] });
  return status === 0 ? undefined : 'the addon could not be built: a compiler and Python are needed';
}

/** The folder that holds include/node/node.h: beside the executable, or in the runtime's own package. */
function headersOfRuntime() {
  const require = createRequire(import.meta.url);
  const places = [join(dirname(process.execPath), '..')];
  try {
    places.push(dirname(require.resolve(`node-${process.platform}-${process.arch}/package.json`)));
  } catch {}
  return places.find(place => existsSync(join(place, 'include', 'node', 'node.h')));
}

if (import.meta.main) {
  const missing = buildSqlcipher();
  if (missing) process.stderr.write(`${missing}\n`);
  process.exitCode = missing ? 1 : 0;
}
