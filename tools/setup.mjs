// Everything a fresh clone needs before it can start or be tested: packages, the addon, the page, the bundle.
// Runs on Node 18 and newer, does only what changed, and writes to stderr only: stdout belongs to the command it
// comes before. `npm run setup` tries again what could not be built before.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundle } from './bundle.mjs';
import { lmdbBinaries, mendBinary } from './mend-lmdb.mjs';
import { findHeaders, findRuntime, ROOT } from './runtime.mjs';
import { exclusively, fingerprint, Stamps } from './stamps.mjs';

const LOCK_FILE = 'package-lock.json';
const INSTALLED = join('node_modules', '.package-lock.json');
const MISSING = 'missing';

const say = text => process.stderr.write(`molva: ${text}\n`);
const at = (...path) => join(ROOT, ...path);

async function setUp() {
  const stamps = new Stamps(at('.molva-setup.json'));
  installPackages(stamps);
  mendLmdb();
  const runtime = findRuntime();
  if (!runtime) {
    fail(`there is no Node 24 for ${process.platform}-${process.arch} in npm; install Node 24 from nodejs.org first`);
  }
  buildAddon(stamps, runtime);
  buildPage(stamps, runtime);
  await bundleCore(stamps);
}

function installPackages(stamps) {
  const wanted = fingerprint(ROOT, [LOCK_FILE], [process.platform, process.arch]);
  if (existsSync(at(INSTALLED)) && findRuntime() && stamps.is('packages', wanted)) return;
  if (!isInstalled()) {
    say('installing packages');
    // A running program cannot be deleted on Windows, and `npm ci` deletes the runtime.
    const command = process.platform === 'win32' && existsSync(at('node_modules')) ? 'install' : 'ci';
    if (!npm([command, '--no-audit', '--no-fund', '--ignore-scripts'])) fail('the packages could not be installed');
  }
  stamps.set('packages', wanted);
}

/** Whether each package the lock file asks of this platform is there in that version. */
function isInstalled() {
  // npm passes over an optional package that it could not fetch; the runtime is one.
  if (!existsSync(at(INSTALLED)) || !findRuntime()) return false;
  const wanted = JSON.parse(readFileSync(at(LOCK_FILE), 'utf8')).packages;
  const present = JSON.parse(readFileSync(at(INSTALLED), 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || present[path]?.version === version || (optional && !present[path]),
  );
}

function mendLmdb() {
  for (const binary of lmdbBinaries(ROOT)) {
    try {
      if (mendBinary(binary)) say('mended LMDB, which breaks memory when a disk fails');
    } catch (error) {
      say(`LMDB was not mended, and a failing disk may end Molva: ${error.message}`);
    }
  }
}

function npm(args) {
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}

function buildAddon(stamps, runtime) {
  if (!existsSync(at('binding.gyp'))) return;
  const wanted = fingerprint(ROOT, ['native', 'binding.gyp'], [process.platform, process.arch]);
  const built = existsSync(at('build', 'Release', 'molva.node'));
  if (built && stamps.is('addon', wanted)) return;
  if (stamps.is('addon', `${MISSING} ${wanted}`) && process.env.npm_lifecycle_event !== 'setup') return;
  say('building the native addon');
  if (runGyp(runtime)) return stamps.set('addon', wanted);
  say('the native addon was not built; is there a C++ compiler, make and Python?');
  say('Molva runs without it, less hardened: see `molva status`. After installing them: npm run setup');
  stamps.set('addon', `${MISSING} ${wanted}`);
}

/** Without headers beside the runtime node-gyp would download them; nothing is downloaded here but packages. */
function runGyp(runtime) {
  const headers = findHeaders(runtime);
  if (!headers) say('the runtime brings no headers to build against');
  const gyp = at('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  return (
    Boolean(headers) && run(runtime, [gyp, 'rebuild', '--loglevel=error', `--nodedir=${headers}`], { quiet: true })
  );
}

function buildPage(stamps, runtime) {
  if (!existsSync(at('ui', 'vite.config.ts'))) return;
  const wanted = fingerprint(ROOT, ['ui', join('core', 'commands', 'schema.ts'), LOCK_FILE]);
  if (existsSync(at('ui', 'dist', 'index.html')) && stamps.is('page', wanted)) return;
  say('building the page');
  const vite = at('node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', '--config', at('ui', 'vite.config.ts'), '--logLevel', 'warn'];
  if (!run(runtime, args)) fail('the page could not be built');
  stamps.set('page', wanted);
}

async function bundleCore(stamps) {
  if (!existsSync(at('core', 'main.io.ts'))) return;
  const wanted = fingerprint(ROOT, ['core', join('tools', 'bundle.mjs'), LOCK_FILE]);
  if (existsSync(at('dist', 'core.mjs')) && stamps.is('bundle', wanted)) return;
  say('bundling the core');
  await buildBundle(ROOT);
  stamps.set('bundle', wanted);
}

/** @returns whether the program ended well; all it prints goes to stderr */
function run(program, args, { shell = false, quiet = false } = {}) {
  const result = spawnSync(program, args, {
    cwd: ROOT,
    shell,
    stdio: ['ignore', quiet ? 'pipe' : 2, quiet ? 'pipe' : 2],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (quiet && result.status !== 0) process.stderr.write(tail(`${result.stdout ?? ''}${result.stderr ?? ''}`));
  return result.status === 0;
}

function tail(text) {
  const lines = text.trimEnd().split('\n').slice(-20);
  return lines.map(line => `  ${line}\n`).join('');
}

function fail(text) {
  say(text);
  process.exit(1);
}

await exclusively(at('.molva-setup.lock'), setUp);
