import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** libp2p 3 and type stripping need it; the product's own runtime is newer still. */
const OLDEST_MAJOR = 24;

/**
 * The nursery of an idle core stays at 1 MiB; under load it may grow, since a batch of messages does not die young.
 * Measured: less than 1 MiB more when idle, a sixth less processor time a message than with 1 MiB for good.
 */
export const RUNTIME_FLAGS = ['--min-semi-space-size=1', '--max-semi-space-size=8'];

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
