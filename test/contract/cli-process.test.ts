import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

const PROGRAM = join(import.meta.dirname, 'cli-program.ts');
const PASSPHRASE = 'correct horse';
const BOB = 'b'.repeat(26);

let directory: string;
let passphraseFile: string;
let core: ChildProcess;

function program(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...args], { stdio: 'pipe', env: { ...process.env, ...env } });
}

interface Run {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

async function run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Run> {
  const child = program(args, env);
  let out = '';
  let err = '';
  child.stdout?.on('data', chunk => {
    out += chunk;
  });
  child.stderr?.on('data', chunk => {
    err += chunk;
  });
  child.stdin?.end(input);
  const [exit] = await once(child, 'close');
  return { exit, out, err };
}

const molva = (...args: string[]) => run(['--data-dir', directory, ...args]);

async function json(...args: string[]) {
  const { exit, out, err } = await molva('--json', ...args);
  assert.equal(err, '');
  return { exit, lines: lines(out) };
}

function lines(out: string) {
  assert.ok(out === '' || out.endsWith('\n'));
  return out
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line));
}

async function refused(exit: number, code: string, ...args: string[]) {
  const answer = await molva('--json', ...args);
  assert.equal(answer.out, '', 'stdout holds nothing but results');
  const { error } = JSON.parse(answer.err);
  assert.deepEqual([answer.exit, error.code], [exit, code], answer.err);
  assert.equal(typeof error.message, 'string');
}

async function startCore(dataDirectory: string, ...more: string[]) {
  const child = program(['start', '--headless', '--json', '--data-dir', dataDirectory, ...more]);
  const [line] = await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line');
  return { child, ready: JSON.parse(line) };
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  passphraseFile = join(directory, 'passphrase');
  writeFileSync(passphraseFile, `${PASSPHRASE}\n`);
  const started = await startCore(
    directory,
    '--passphrase-file',
    passphraseFile,
    '--listen',
    '/a',
    '--listen',
    '/b',
    '--offline',
  );
  core = started.child;
  assert.equal(started.ready.ready, true);
  assert.equal(started.ready.pid, core.pid);
  assert.match(started.ready.url, /^http:\/\/127\.0\.0\.1:\d+\/#code=/);
});

after(() => {
  core.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

test('the core file is for the owner only', () => {
  assert.equal(statSync(join(directory, 'core.json')).mode & 0o777, 0o600);
});

test('start passes its options on and status shows them', async () => {
  const { exit, lines } = await json('status');
  assert.equal(exit, 0);
  assert.equal(lines.length, 1);
  assert.deepEqual(lines[0].network.addresses, ['/a', '/b']);
  assert.equal(lines[0].network.offlineMode, true);
  assert.equal(lines[0].state, 'unlocked');
  assert.match((await molva('status')).out, /^Molva 0\.0\.1 is running \(process \d+\)\.\n {2}Profile/);
});

test('a message is sent and read back, oldest first', async () => {
  const first = await json('send', 'bob', 'one');
  assert.equal(first.exit, 0);
  assert.equal(first.lines[0].state, 'queued');
  assert.match(first.lines[0].id, /^[a-z2-7]{26}$/);
  await json('send', BOB, '--', '--two');
  await run(['send', 'bob', '-', '--data-dir', directory], 'from a pipe\n');
  const { lines } = await json('messages', 'bob', '--limit', '3');
  assert.deepEqual(
    lines.map(line => line.text),
    ['one', '--two', 'from a pipe'],
  );
  assert.equal((await json('messages', 'bob', '--limit', '1')).lines.length, 1);
});

test('a proof prints what was signed, for people and for programs', async () => {
  const { id } = (await json('send', 'bob', 'sign this')).lines[0];
  const { lines } = await json('proof', id);
  assert.deepEqual([lines[0].id, lines[0].proofs[0].says, lines[0].proofs[0].statement], [id, 'read', '0b']);
  const { out } = await run(['proof', id, '--data-dir', directory]);
  assert.match(out, /^read at .* signed by Ben\n {2}identity +0a\n {2}statement +0b\n {2}signature +0c\n$/);
  await refused(2, 'bad-request', 'proof');
});

test('lists print one value a line', async () => {
  const contacts = await json('contacts');
  assert.deepEqual(
    contacts.lines.map(line => line.nick),
    ['Bob\u001b[2J', 'Cyd'],
  );
  assert.equal((await json('requests')).lines[0].nick, 'Dan');
});

test('what others wrote cannot steer the terminal', async () => {
  const { out } = await molva('contacts');
  assert.ok(!out.includes('\u001b'));
  assert.match(out, /Bob\ufffd\[2J/);
});

test('people: invite, add, accept, decline, rename, remove', async () => {
  assert.equal((await json('invite')).lines[0].invite, 'molva:1/abc');
  assert.equal((await json('add', 'molva:1/abc', '--nick', 'Bert')).lines[0].nick, 'Bert');
  assert.equal((await json('accept', 'd'.repeat(26))).lines[0].nick, 'Dan');
  assert.deepEqual((await json('decline', 'd'.repeat(26))).lines, [{ done: true }]);
  assert.equal((await json('rename', 'bob', 'Bertie')).lines[0].nick, 'Bertie');
  assert.equal((await json('rename', 'Annie')).lines[0].nick, 'Annie');
  assert.deepEqual((await json('remove', 'bob')).lines, [{ done: true }]);
  assert.equal((await json('open', '--print')).lines[0].launched, false);
});

test('groups: every command, for programs', async () => {
  const made = (await json('group', 'create', 'Sailors', 'bob')).lines[0];
  assert.deepEqual(
    [made.name, made.people.map((person: { nick: string }) => person.nick)],
    ['Sailors', ['Ann', 'Bob']],
  );
  assert.equal((await json('group', 'list')).lines[0].name, 'Sailors');
  assert.equal((await json('group', 'info', 'Sailors')).lines[0].role, 'admin');
  assert.equal((await json('group', 'add', 'Sailors', 'e'.repeat(26))).lines[0].members, 3);
  const members = await json('group', 'members', 'Sailors');
  assert.deepEqual(
    members.lines.map(({ role, you, trust }) => [role, you, trust]),
    [
      ['admin', true, null],
      ['member', false, 'verified'],
      ['member', false, null],
    ],
  );
  const roles = async (...args: string[]) =>
    (await json('group', 'admin', 'Sailors', ...args)).lines[0].people.map(({ role }: { role: string }) => role);
  assert.deepEqual(await roles('add', 'bob', 'e'.repeat(26)), ['admin', 'admin', 'admin']);
  assert.deepEqual(await roles('remove', 'bob'), ['admin', 'member', 'admin']);
  assert.equal((await json('group', 'remove', 'Sailors', 'bob')).lines[0].members, 2);
  assert.equal((await json('group', 'rename', 'Sailors', 'Crew')).lines[0].name, 'Crew');
  assert.equal((await json('group', 'invite', 'Crew')).lines[0].invite, 'molva:g1/abc');
  assert.equal((await json('group', 'join', 'molva:g1/abc')).lines[0].name, 'Crew');
  const piped = await run(['group', 'join', '-', '--json', '--data-dir', directory], 'molva:g1/abc\n');
  assert.equal(JSON.parse(piped.out).name, 'Crew');
  await refused(4, 'refused', 'group', 'delete', 'Crew', '--yes');
  assert.equal((await json('group', 'leave', 'Crew', '--yes')).lines[0].phase, 'left');
  await refused(2, 'bad-request', 'group', 'delete', 'Crew');
  assert.deepEqual((await json('group', 'delete', 'Crew', '--yes')).lines, [{ done: true }]);
  await refused(5, 'not-found', 'group', 'info', 'Crew');
});

test('groups: for people, and what is refused', async () => {
  await json('group', 'create', 'Crew', 'bob', 'e'.repeat(26));
  const { out } = await molva('group', 'members', 'Crew');
  assert.match(out, /^ {2}Ann +admin +online +you /m);
  assert.match(out, /^ {2}Bob +member +online +verified /m);
  assert.match(out, /^ {2}Eve\ufffd\[2J +member +away +no contact .*SIGNED TWO DIFFERENT THINGS/m);
  const half = await molva('group', 'admin', 'Crew', 'add', 'bob', 'nobody');
  assert.deepEqual([half.exit, half.out], [5, '']);
  assert.equal(half.err, 'Asked for 1 of 2, then refused:\nmolva: Nobody here is called "nobody".\n');
  await refused(4, 'refused', 'group', 'create', 'Crew', 'bob', '--suite', 'classical');
  await refused(2, 'bad-request', 'group', 'create', 'Crew', 'bob', '--suite', 'quantum');
  await refused(2, 'bad-request', 'group', 'list', '--suite', 'hybrid');
  await refused(2, 'bad-request', 'group');
  await refused(2, 'bad-request', 'group', 'nonsense');
  await refused(2, 'bad-request', 'group', 'info');
  await refused(2, 'bad-request', 'group', 'list', 'Crew');
  await refused(2, 'bad-request', 'group', 'leave', 'Crew');
  await refused(2, 'bad-request', 'group', 'info', 'Crew', '--yes');
  await refused(2, 'bad-request', 'group', 'admin', 'Crew', 'promote', 'bob');
  await refused(2, 'bad-request', 'group', 'rename', 'Crew', 'x'.repeat(129));
  await refused(2, 'bad-bytes', 'group', 'join', 'nonsense');
  await refused(5, 'not-found', 'group', 'info', 'Nobodies');
  await refused(5, 'not-found', 'group', 'remove', 'Crew', 'nobody');
});

test('exit codes: 2 usage', async () => {
  await refused(2, 'bad-request');
  await refused(2, 'bad-request', 'no-such-command');
  await refused(2, 'bad-request', 'send', 'bob');
  await refused(2, 'bad-request', 'status', '--limit', '3');
  await refused(2, 'bad-request', 'status', '--no-such-option');
  await refused(2, 'bad-request', 'messages', 'bob', '--limit', 'many');
  await refused(2, 'bad-request', 'send', 'bob', '');
  await refused(2, 'bad-request', 'wipe');
  await refused(2, 'bad-request', 'init');
  await refused(2, 'ambiguous', 'messages', 'twins');
  await refused(2, 'bad-bytes', 'add', 'nonsense');
});

test('exit codes: 4 refused, 5 not found', async () => {
  await refused(4, 'code-mismatch', 'verify', 'bob', 'WRONG');
  await refused(5, 'not-found', 'send', 'nobody', 'hello');
  await refused(5, 'not-found', 'accept', 'x');
});

test('errors for a person are one line on stderr', async () => {
  const { exit, out, err } = await molva('send', 'nobody', 'hello');
  assert.deepEqual([exit, out], [5, '']);
  assert.equal(err, 'molva: There is no contact "nobody".\n');
});

test('lock and unlock, the passphrase from a file or a pipe, never from the command line', async () => {
  await json('lock');
  await refused(4, 'locked', 'contacts');
  const wrong = await run(['unlock', '--json', '--data-dir', directory], 'wrong\n');
  assert.equal(wrong.exit, 4);
  assert.equal(JSON.parse(wrong.err).error.code, 'wrong-passphrase');
  assert.equal((await run(['unlock', '--data-dir', directory], `${PASSPHRASE}\r\n`)).exit, 0);
  await json('lock');
  assert.equal((await json('unlock', '--passphrase-file', passphraseFile)).exit, 0);
  await refused(2, 'bad-request', 'unlock', '--passphrase', PASSPHRASE);
  await refused(2, 'bad-request', 'unlock', '--passphrase-file', join(directory, 'missing'));
});

test('verify: shows a code, compares one, confirms', async () => {
  const shown = await json('verify', 'bob');
  assert.equal(shown.exit, 0);
  assert.equal(shown.lines.length, 1);
  assert.equal(shown.lines[0].code, 'ABCDEFGH2345');
  const typed = await json('verify', 'bob', 'ABCD', 'EFGH', '2345');
  assert.equal(typed.exit, 0);
  assert.equal(typed.lines[0].phase, 'verified');
  assert.equal((await json('verify', 'bob', '--confirm')).lines[0].trust, 'verified');
  assert.equal((await json('verify', 'bob', '--cancel')).lines[0].phase, 'cancelled');
  await refused(2, 'bad-request', 'verify', 'bob', '--cancel', '--confirm');
  await refused(2, 'bad-request', 'verify', 'bob', 'ABCDEFGH2345', '--cancel');
});

test('verify waits for the other side where a person looks on', async () => {
  const child = program(['verify', 'bob', '--data-dir', directory]);
  const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of output) if (line.includes('ABCD-EFGH-2345')) break;
  assert.equal(child.exitCode, null, 'it waits');
  const closed = once(child, 'close');
  await json('verify', 'bob', 'ABCDEFGH2345');
  assert.equal((await closed)[0], 0);
});

test('watch prints its first line when it listens, then each event, and ends cleanly', async () => {
  const child = program(['watch', '--json', '--data-dir', directory]);
  const output = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const first = JSON.parse(String((await output.next()).value));
  assert.deepEqual(first, { event: 'core-state', state: 'unlocked' });
  await json('send', 'bob', 'watched');
  const event = JSON.parse(String((await output.next()).value));
  assert.deepEqual([event.event, event.message.text], ['message-sent', 'watched']);
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [0, null]);
});

test('init takes the passphrase from the file, and needs no running core', async t => {
  const fresh = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(fresh, { recursive: true, force: true }));
  const made = await run(['init', '--nick', 'Ann', '--passphrase-file', passphraseFile, '--json', '--data-dir', fresh]);
  assert.deepEqual([made.exit, JSON.parse(made.out).nick], [0, 'Ann']);
});

test('no core, a dead one and a stranger on its port are all "no core running"', async t => {
  const fresh = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(fresh, { recursive: true, force: true }));
  const noCore = async (why: string) => {
    const { exit, out, err } = await run(['status', '--json', '--data-dir', fresh]);
    assert.deepEqual([exit, out, JSON.parse(err).error.code], [3, '', 'no-core'], why);
  };
  await noCore('nothing there');
  const { child } = await startCore(fresh);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.ok(existsSync(join(fresh, 'core.json')), 'a killed core leaves its file');
  await noCore('dead');
  const stranger = createServer((_request, response) => response.end('<html>hello</html>')).listen(0, '127.0.0.1');
  t.after(() => stranger.close());
  await once(stranger, 'listening');
  const file = JSON.parse(readFileSync(join(fresh, 'core.json'), 'utf8'));
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  writeFileSync(join(fresh, 'core.json'), JSON.stringify({ ...file, url, pid: process.pid }));
  await noCore('stranger');
  writeFileSync(join(fresh, 'core.json'), JSON.stringify({ ...file, url: 'http://evil.example:80', pid: process.pid }));
  await noCore('foreign address');
  writeFileSync(join(fresh, 'core.json'), '{');
  await noCore('damaged');
});

test('stop and SIGTERM end a core cleanly and remove its file; its watchers are told', async t => {
  const fresh = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(fresh, { recursive: true, force: true }));
  const first = await startCore(fresh);
  const watcher = program(['watch', '--json', '--data-dir', fresh]);
  await once(watcher.stdout as NodeJS.ReadableStream, 'data');
  const watcherClosed = once(watcher, 'close');
  const closed = once(first.child, 'close');
  assert.equal((await run(['stop', '--json', '--data-dir', fresh])).out, '{"done":true}\n');
  assert.deepEqual(await closed, [0, null]);
  assert.equal((await watcherClosed)[0], 3);
  assert.ok(!existsSync(join(fresh, 'core.json')));
  const second = await startCore(fresh);
  const terminated = once(second.child, 'close');
  second.child.kill('SIGTERM');
  assert.deepEqual(await terminated, [0, null]);
  assert.ok(!existsSync(join(fresh, 'core.json')));
});

test('a core that does not stop is ended all the same, in bounded time', { timeout: 20_000 }, async t => {
  const fresh = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(fresh, { recursive: true, force: true }));
  const { child } = await startCore(fresh, '--listen', '/never-stops');
  t.after(() => child.kill('SIGKILL'));
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  assert.deepEqual(await closed, [4, null]);
});

test('wipe works through a running core and without one', async t => {
  const fresh = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(fresh, { recursive: true, force: true }));
  const key = join(fresh, 'vault.key');
  writeFileSync(key, 'key');
  const { child } = await startCore(fresh);
  const closed = once(child, 'close');
  const through = await run(['wipe', '--yes', '--json', '--data-dir', fresh]);
  assert.deepEqual(JSON.parse(through.out), { keysGoneMs: 1.5 });
  assert.ok(!existsSync(key));
  assert.equal((await closed)[0], 0);
  writeFileSync(key, 'key');
  const direct = await run(['wipe', '--yes', '--json', '--data-dir', fresh]);
  assert.deepEqual(JSON.parse(direct.out), { keysGoneMs: 0.5 });
  assert.ok(!existsSync(key));
});

test('a file named portable puts the data beside the program', async t => {
  const place = mkdtempSync(join(tmpdir(), 'molva-cli-'));
  t.after(() => rmSync(place, { recursive: true, force: true }));
  writeFileSync(join(place, 'portable'), '');
  const { err } = await run(['status'], '', { TEST_PROGRAM_DIRECTORY: place });
  assert.ok(err.includes(join(place, 'data')), err);
  const elsewhere = await run(['status'], '', { TEST_PROGRAM_DIRECTORY: '/', XDG_DATA_HOME: '/tmp/molva-nowhere' });
  assert.ok(elsewhere.err.includes(join('/tmp/molva-nowhere', 'molva')), elsewhere.err);
});

test('help and version', async () => {
  const { exit, out } = await run(['help']);
  assert.equal(exit, 0);
  for (const name of ['init', 'start', 'verify', 'wipe', 'watch']) assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
  assert.match((await run(['send', '--help'])).out, /^Usage: molva send WHO TEXT/);
  assert.match((await run(['group', '--help'])).out, /^ {2}admin G add\|remove WHO\.\.\. /m);
  assert.equal((await run(['--version', '--json'])).out, '{"version":"0.0.1"}\n');
});
