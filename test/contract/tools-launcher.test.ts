import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, it } from 'node:test';
import { RUNTIME_FLAGS } from '../../tools/runtime.mjs';
import { temporaryRoot } from '../support/temporary-root.ts';

/** Stands in for the core: says what it was given, then does what its first argument says. */
const CORE = `
import { writeFileSync } from 'node:fs';
const [what, ...rest] = process.argv.slice(2);
const say = (value: object) => process.stdout.write(JSON.stringify(value) + '\\n');
const hello = { args: rest, pid: process.pid, version: process.versions.node, flags: process.execArgv };
if (what !== 'stay') say(hello);
if (what === 'echo') process.stdin.pipe(process.stdout);
else if (what === 'die') process.kill(process.pid, 'SIGKILL');
else if (what === 'stay') {
  const keep = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => {
    writeFileSync(rest[0] as string, 'stopped cleanly');
    clearInterval(keep);
  });
  say(hello);
} else process.exitCode = Number(what) || 0;
`;

interface Hello {
  readonly args: string[];
  readonly pid: number;
  readonly version: string;
  readonly flags: string[];
}

const root = temporaryRoot({ 'core/main.io.ts': CORE });
after(() => root.remove());
const onWindows = process.platform === 'win32';

/** `older` runs the launcher as a Node that cannot replace itself, as all before 23.11 and all on Windows. */
function launch(args: string[], older: boolean): ChildProcess {
  const asOlder = older ? ['--import', 'data:text/javascript,process.execve=undefined'] : [];
  return spawn(process.execPath, [...asOlder, join(root.path, 'tools', 'molva.mjs'), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function linesOf(child: ChildProcess, count: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (lines.push(line) === count) break;
  }
  return lines;
}

async function helloOf(child: ChildProcess): Promise<Hello> {
  const [line = ''] = await linesOf(child, 1);
  return JSON.parse(line);
}

async function untilGone(pid: number): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline; ) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  process.kill(pid, 'SIGKILL');
  assert.fail('the core stayed behind');
}

for (const older of onWindows ? [true] : [false, true]) {
  describe(`launcher ${older ? 'with a child' : 'replacing itself'}`, () => {
    it('passes arguments, flags and the exit code', async () => {
      const child = launch(['7', '--json', '--data-dir', 'a b', ''], older);
      const [hello, [code]] = await Promise.all([helloOf(child), once(child, 'exit')]);
      assert.deepEqual(hello.args, ['--json', '--data-dir', 'a b', '']);
      assert.equal(hello.version, process.versions.node);
      for (const flag of RUNTIME_FLAGS) assert.ok(hello.flags.includes(flag));
      assert.equal(hello.pid === child.pid, !older);
      assert.equal(code, 7);
    });

    it('passes stdin and stdout', async () => {
      const child = launch(['echo'], older);
      child.stdin?.end('one\ntwo\n');
      const [lines, [code]] = await Promise.all([linesOf(child, 3), once(child, 'exit')]);
      assert.deepEqual([lines.slice(1), code], [['one', 'two'], 0]);
    });

    it('passes SIGTERM on and lets the core stop cleanly', { skip: onWindows && 'no signals' }, async () => {
      const note = join(root.path, `stopped-${older}`);
      const child = launch(['stay', note], older);
      await helloOf(child);
      child.kill('SIGTERM');
      const [code] = await once(child, 'exit');
      assert.equal(code, 0);
      assert.equal(readFileSync(note, 'utf8'), 'stopped cleanly');
    });

    it('ends as the core ended', { skip: onWindows && 'no signals' }, async () => {
      const child = launch(['die'], older);
      const [code, signal] = await once(child, 'exit');
      assert.deepEqual([code, signal], [null, 'SIGKILL']);
    });
  });
}

describe('launcher that is killed', () => {
  it('leaves no core behind, and the core stops cleanly', async () => {
    const note = join(root.path, 'stopped-after-kill');
    const child = launch(['stay', note], true);
    const { pid } = await helloOf(child);
    assert.notEqual(pid, child.pid);
    child.kill('SIGKILL');
    await untilGone(pid);
    assert.ok(existsSync(note));
  });
});

describe('npm start', () => {
  it('sets up, then starts the core with the arguments, and prints nothing of its own', async () => {
    const started = temporaryRoot({ 'core/main.io.ts': 'console.log(JSON.stringify(process.argv.slice(2)));' });
    try {
      const command = [join(started.path, 'tools', 'start.mjs'), '--headless', '--json', '--data-dir', 'D'];
      const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
      child.stderr.resume();
      const [lines, [code]] = await Promise.all([linesOf(child, 2), once(child, 'exit')]);
      assert.deepEqual(lines, ['["start","--headless","--json","--data-dir","D"]']);
      assert.equal(code, 0);
      assert.ok(existsSync(join(started.path, 'dist', 'core.mjs')));
    } finally {
      started.remove();
    }
  });
});
