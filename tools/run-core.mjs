// Runs the core on the product's own Node: the bundle, or in a checkout whose sources are newer, the sources.
import { existsSync, statSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './runtime.mjs';
import { filesBelow } from './stamps.mjs';

const bundle = join(ROOT, 'dist', 'core.mjs');
const source = join(ROOT, 'core', 'main.io.ts');

if (process.channel) {
  // Started by a launcher: ends with it. The channel alone keeps nobody running.
  process.once('disconnect', endCleanly);
  process.channel.unref();
}

const entry = chooseEntry();
// Beside the bundle, so that a portable folder takes it along and nothing is written elsewhere.
if (entry === bundle) enableCompileCache(join(ROOT, 'dist', 'cache'));
await import(pathToFileURL(entry).href);
// Now, not at exit: a core that is killed leaves the next start as fast as this one made it.
flushCompileCache();

function chooseEntry() {
  if (!existsSync(bundle)) return source;
  const builtAt = statSync(bundle).mtimeMs;
  const stale = filesBelow(join(ROOT, 'core')).some(file => statSync(file).mtimeMs > builtAt);
  return stale ? source : bundle;
}

function endCleanly() {
  if (process.listenerCount('SIGTERM') > 0) process.emit('SIGTERM');
  else process.exit(1);
}
