import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** libp2p 3 and type stripping need it; the product's own runtime is newer still. */
const OLDEST_MAJOR = 24;

/** Young objects die young: a small nursery saves 5 MiB of an idle core and costs nothing measurable. */
export const RUNTIME_FLAGS = ['--max-semi-space-size=1'];

const SYSTEM = { win32: 'win', linux: 'linux', darwin: 'darwin' };

/** The product's own Node, as npm installed it; undefined when it is not there. */
export function findRuntime(root = ROOT) {
  const platform = `${SYSTEM[process.platform] ?? process.platform}-${process.arch}`;
  const file = process.platform === 'win32' ? 'node.exe' : 'node';
  const packages = [`node-${platform}`, `node-bin-${platform}`];
  const found = packages.map(name => join(root, 'node_modules', name, 'bin', file)).find(existsSync);
  if (found) return found;
  return isNewEnough(process.versions.node) ? process.execPath : undefined;
}

/** Headers to build the addon against, so that nothing is downloaded; undefined: the runtime brings none. */
export function findHeaders(runtime) {
  const directory = dirname(dirname(runtime));
  return existsSync(join(directory, 'include', 'node', 'node_api.h')) ? directory : undefined;
}

export function isNewEnough(version) {
  return Number.parseInt(version, 10) >= OLDEST_MAJOR;
}

export function isProductRuntime(runtime) {
  return runtime === process.execPath;
}
