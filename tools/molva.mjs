#!/usr/bin/env node
// The `molva` command. Any Node from 18 on can start it; the work is done by the product's own Node, in this
// process where the system can replace one program by another, else in a child that ends with this process.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findRuntime, ROOT, RUNTIME_FLAGS } from './runtime.mjs';

const runtime = findRuntime() ?? setUpFirst();
const args = [...RUNTIME_FLAGS, join(ROOT, 'tools', 'run-core.mjs'), ...process.argv.slice(2)];

if (!runtime) {
  process.stderr.write('molva: the packages could not be installed; see above\n');
  process.exitCode = 1;
} else if (typeof process.execve === 'function' && process.platform !== 'win32') {
  process.execve(runtime, [runtime, ...args], process.env);
} else {
  runChild();
}

/** A fresh clone: the packages, and with them the runtime, are not there yet. */
function setUpFirst() {
  spawnSync(process.execPath, [join(ROOT, 'tools', 'setup.mjs')], { stdio: ['ignore', 2, 2] });
  return findRuntime();
}

function runChild() {
  // The ipc channel is how the child learns that this process is gone, whatever ended it.
  const child = spawn(runtime, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], windowsHide: false });
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child as well.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on('error', error => {
    process.stderr.write(`molva: the runtime could not be started: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
