// `npm run bench`: the product's set-up, the peers, every measurement one after the other in its own process, and
// the results in bench/results. Words choose measurements by name: `npm run bench -- ratchet store`.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import '../tools/setup.mjs';
import { findHeaders, findRuntime } from '../tools/runtime.mjs';
import { fingerprint, Stamps } from '../tools/stamps.mjs';
import { toMarkdown } from './report.mjs';

const HERE = import.meta.dirname;
const RESULTS = join(HERE, 'results');
const MEASUREMENTS = ['ratchet', 'mls', 'store', 'messaging', 'start', 'memory', 'placing'];

const say = text => process.stderr.write(`bench: ${text}\n`);

/** The peers are not the product's: they have their own lock file, and run their install scripts to be built. */
function installPeers(runtime) {
  const stamps = new Stamps(join(HERE, 'node_modules', '.molva-bench.json'));
  const wanted = fingerprint(HERE, ['package-lock.json'], [process.platform, process.arch]);
  if (stamps.is('peers', wanted)) return;
  say('installing the peers');
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts=false'], {
    cwd: HERE,
    // What is built here is built for the product's runtime, against its own headers.
    env: { ...process.env, npm_config_nodedir: findHeaders(runtime) ?? '' },
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (done.status !== 0) return say('the peers were not installed: what is measured against them is left out');
  stamps.set('peers', wanted);
}

/** @returns the rows, or undefined when the measurement failed */
function measure(runtime, name) {
  say(name);
  const args = ['--no-warnings', join(HERE, `${name}.ts`)];
  const done = spawnSync(runtime, args, { cwd: HERE, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
  if (done.status !== 0) return undefined;
  return done.stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter(name => !MEASUREMENTS.includes(name));
const runtime = findRuntime();
if (unknown.length > 0 || !runtime) {
  say(unknown.length > 0 ? `no such measurement: ${unknown.join(', ')}` : 'the packages are not installed');
  process.exit(2);
}
installPeers(runtime);
/** What was measured before and is not now stays, each with its own time. */
function partsBefore() {
  const file = join(RESULTS, 'latest.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).parts : {};
}

const failed = [];
const before = partsBefore();
const parts = {};
for (const name of MEASUREMENTS) {
  const at = new Date().toISOString();
  const isWanted = wanted.length === 0 || wanted.includes(name);
  const rows = isWanted ? measure(runtime, name) : undefined;
  if (rows) parts[name] = { at, rows };
  else if (isWanted) failed.push(name);
  else if (before[name]) parts[name] = before[name];
}
const [cpu] = cpus();
const run = {
  runtime: spawnSync(runtime, ['--version'], { encoding: 'utf8' }).stdout.trim(),
  machine: `${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model.trim() || 'processor of unknown make'}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  failed,
  parts,
};
const markdown = toMarkdown(run);
if (!existsSync(RESULTS)) mkdirSync(RESULTS);
writeFileSync(join(RESULTS, 'latest.json'), `${JSON.stringify(run, null, 2)}\n`);
writeFileSync(join(RESULTS, 'latest.md'), markdown);
process.stdout.write(markdown);
process.exitCode = failed.length > 0 ? 1 : 0;
