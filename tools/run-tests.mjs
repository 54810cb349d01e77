// Does the set-up, then runs node:test over test/**/*.test.ts on the product's own Node. Arguments choose files by a part
// of their path; with --long first, only the files of test/long/ are run, which are left out otherwise.
import { spawn } from 'node:child_process';
import { join, relative } from 'node:path';
import './setup.mjs';
import { findRuntime, ROOT } from './runtime.mjs';
import { filesBelow } from './stamps.mjs';

const long = process.argv[2] === '--long';
const wanted = process.argv.slice(long ? 3 : 2);
const files = filesBelow(join(ROOT, 'test'))
  .filter(file => file.endsWith('.test.ts'))
  .map(file => relative(ROOT, file))
  .filter(file => file.startsWith(join('test', 'long')) === long)
  .filter(file => wanted.length === 0 || wanted.some(part => file.includes(part)));

const runtime = findRuntime();
if (!runtime || files.length === 0) {
  process.stderr.write(runtime ? 'No test file matches.\n' : 'The packages are not installed: npm run setup\n');
  process.exit(1);
}

// Two at a time: more only make the ones that measure time unreliable. The long ones go alone, an hour each at most.
const pace = long
  ? ['--test-concurrency=1', '--test-timeout=3600000']
  : ['--test-concurrency=2', '--test-timeout=300000'];
const flags = ['--test', ...pace, '--test-reporter=spec'];
const child = spawn(runtime, [...flags, ...files], { cwd: ROOT, stdio: 'inherit' });
child.on('exit', code => process.exit(code ?? 1));
