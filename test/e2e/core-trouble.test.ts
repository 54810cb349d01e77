import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Status } from '../../core/commands/schema.ts';
import { type Ended, introduce, LOOPBACK, PASSPHRASE, RealCore, until } from '../support/real-core.ts';
import { skipHere } from '../support/skip.ts';
import { ROOT, temporaryRoot } from '../support/temporary-root.ts';

const LOCKED = LOOPBACK;
const PAGE = 4096;

/** Why a start failed. */
async function refusal(core: RealCore, words?: readonly string[]): Promise<[number | null, string]> {
  core.launch(words);
  const { code, stdout, stderr } = (await core.ended(30_000)) as Ended;
  assert.equal(stdout, '');
  return [code, JSON.parse(stderr).error.code];
}

function flip(path: string, at: (bytes: Buffer) => number): Buffer {
  const original = readFileSync(path);
  const damaged = Buffer.from(original);
  const place = at(damaged);
  damaged.writeUInt8(damaged.readUInt8(place) ^ 0xff, place);
  writeFileSync(path, damaged);
  return original;
}

describe('trouble with the profile', () => {
  test('a wrong passphrase is said; the delay grows and outlives a restart', async t => {
    const core = await RealCore.make(t, 'Ada');
    await core.start(LOCKED);
    const allowed = async () => (await core.call('status.get', {})).unlockAllowedAt;
    const waits: number[] = [];
    for (let tries = 0; tries < 3; tries += 1) {
      await until('the delay is over', async () => (await allowed()) <= Date.now());
      await assert.rejects(core.call('vault.unlock', { passphrase: 'no' }), { code: 'wrong-passphrase' });
      waits.push((await allowed()) - Date.now());
    }
    for (const [at, wait] of waits.entries()) if (at > 0) assert.ok(wait > (waits[at - 1] as number) * 1.2, `${waits}`);
    await core.kill();
    await core.start(LOCKED);
    await assert.rejects(core.call('vault.unlock', { passphrase: PASSPHRASE }), { code: 'unlock-delayed' });
    await until('the delay is over', async () => (await allowed()) <= Date.now());
    assert.equal((await core.call('vault.unlock', { passphrase: PASSPHRASE })).nick, 'Ada');
    assert.equal(await allowed(), 0);
  });

  test('a damaged key file is said, with the way out; the copy put in its place opens the profile', async t => {
    const core = await RealCore.make(t, 'Ada');
    const [path, copy] = ['vault.key', 'vault.key.bak'].map(name => join(core.directory, name)) as [string, string];
    const middle = (bytes: Buffer) => bytes.length >> 1;
    flip(path, middle);
    const damaged = readFileSync(path);
    assert.deepEqual(await refusal(core), [4, 'vault-damaged']);
    assert.ok(readFileSync(path).equals(damaged), 'nothing was changed');
    assert.match(core.printed, /copy that file over vault\.key/);
    copyFileSync(copy, path);
    await core.start();
    assert.equal((await core.call('profile.get', {})).nick, 'Ada');
    await core.end('SIGTERM');
    for (const file of [path, copy]) flip(file, middle);
    assert.deepEqual(await refusal(core), [4, 'vault-damaged']);
  });

  test('a damaged page of the database is said, and a whole copy put back has all', async t => {
    const [core, peer] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
    await Promise.all([core.start(), peer.start()]);
    await introduce(core, peer);
    const client = await core.connect();
    const text = 'x'.repeat(500);
    await Promise.all(Array.from({ length: 200 }, () => client.call('messages.send', { who: 'Ben', text })));
    await core.end('SIGTERM');
    const path = databaseFile(core.directory);
    const said: string[] = [];
    for (const part of [0.2, 0.4, 0.6, 0.8]) {
      const whole = flip(path, bytes => Math.floor((bytes.length / PAGE) * part) * PAGE + PAGE / 2);
      core.launch();
      // A page that is free, or free in the middle, holds nothing that could be lost.
      let outcome: Ended | undefined;
      const ended = core.ended(30_000).then(end => {
        outcome = end;
      });
      await until('it serves or has ended', async () => outcome !== undefined || (await serves(core)), 30_000);
      if (outcome) {
        said.push(JSON.parse(outcome.stderr).error.code);
      } else await core.end('SIGTERM');
      await ended;
      writeFileSync(path, whole);
    }
    assert.ok(said.length > 0, 'a page in use was met');
    assert.ok(said.every(code => code === 'database-damaged'));
    await core.start();
    assert.equal((await core.call('messages.list', { who: 'Ben', limit: 500 })).messages.length, 200);
  });

  test('a second process on the same profile is refused and disturbs nothing', async t => {
    const core = await RealCore.make(t, 'Ada');
    await core.start();
    const second = await core.molva('start', '--passphrase-file', core.passphraseFile, ...LOOPBACK);
    assert.deepEqual([second.code, JSON.parse(second.stderr).error.code], [4, 'profile-in-use']);
    const init = await core.molva('init', '--nick', 'Eve', '--passphrase-file', core.passphraseFile);
    assert.notEqual(init.code, 0);
    assert.equal((await core.call('profile.get', {})).nick, 'Ada');
    await core.kill();
    await core.start();
  });

  test('without the addon Molva starts, and status says what is missing', async t => {
    const root = temporaryRoot();
    t.after(() => root.remove());
    cpSync(join(ROOT, 'core'), join(root.path, 'core'), { recursive: true });
    symlinkSync(join(ROOT, 'ui'), join(root.path, 'ui'), 'junction');
    const core = await RealCore.make(t, 'Ada', { molva: join(root.path, 'tools', 'molva.mjs') });
    await core.start();
    const { hardening } = await core.json<Status>('status');
    assert.equal(hardening.addon, 'missing');
    assert.match(hardening.missing.join(), /npm run setup/);
  });
});

test('a full disk while sending: said, nothing is lost, and it goes on when there is room', async t => {
  const disk = smallDisk(t);
  if (disk === undefined) return;
  const [ada, ben] = await Promise.all([
    RealCore.make(t, 'Ada', { directory: join(disk, 'data') }),
    RealCore.make(t, 'Ben'),
  ]);
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  await ben.end('SIGTERM');
  const client = await ada.connect();
  const stored: string[] = [];
  const text = (number: number) => `${number} ${'x'.repeat(20_000)}`;
  await assert.rejects(
    async () => {
      for (let number = 0; number < 2000; number += 1) {
        stored.push((await client.call('messages.send', { who: 'Ben', text: text(number) })).id);
      }
    },
    { code: 'disk-full' },
  );
  assert.ok(stored.length > 3);
  await assert.rejects(client.call('messages.send', { who: 'Ben', text: text(-1) }), { code: 'disk-full' });
  const list = async () =>
    (await client.call('messages.list', { who: 'Ben', limit: 5000 })).messages.map(({ id }) => id);
  assert.deepEqual(await list(), stored, 'what was acknowledged is there, what was refused is not');
  execFileSync('mount', ['-o', 'remount,size=64m', disk]);
  await until('sending works again', () =>
    client.call('messages.send', { who: 'Ben', text: 'room' }).then(
      ({ id }) => stored.push(id) > 0,
      () => false,
    ),
  );
  await ada.kill();
  await Promise.all([ada.start(), ben.start()]);
  await until('all are delivered', async () => (await ada.call('status.get', {})).queued === 0, 60_000);
  const { messages } = await ben.call('messages.list', { who: 'Ada', limit: 5000 });
  assert.deepEqual(
    messages.map(({ id }) => id),
    stored,
  );
});

describe('panic wipe', () => {
  const left = (core: RealCore) => (existsSync(core.directory) ? readdirSync(core.directory) : []);

  test('with a running core: keys gone within 200 ms, the core ends, the folder is empty', async t => {
    const core = await RealCore.make(t, 'Ada');
    await core.start();
    assert.equal((await core.molva('wipe')).code, 2, 'not without --yes');
    const { keysGoneMs } = await core.json<{ keysGoneMs: number }>('wipe', '--yes');
    assert.equal((await core.ended()).code, 0);
    assert.deepEqual(left(core), []);
    t.diagnostic(`keys gone after ${keysGoneMs.toFixed(1)} ms`);
    assert.ok(keysGoneMs < 200);
  });

  test('without a core', async t => {
    const core = await RealCore.make(t, 'Ada');
    await core.json('wipe', '--yes');
    assert.deepEqual(left(core), []);
  });

  test('killed half-way, it is finished at the next start', async t => {
    for (const from of ['marked', 'key-gone', 'keys-gone'] as const) {
      const core = await RealCore.make(t, 'Ada');
      const script = `import { wipeProfile } from ${JSON.stringify(join(ROOT, 'core/storage/wipe.io.ts'))};
        await wipeProfile(${JSON.stringify(core.directory)}, { onStep: step => step === '${from}' && process.kill(process.pid, 'SIGKILL') });`;
      assert.throws(() => execFileSync(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' }), {
        signal: 'SIGKILL',
      });
      assert.ok(existsSync(join(core.directory, 'wipe.marker')));
      await core.start(LOCKED);
      assert.equal((await core.call('status.get', {})).state, 'no-profile', from);
      for (const name of ['vault.key', 'vault.key.bak', 'wipe.marker']) assert.ok(!left(core).includes(name), name);
      assert.throws(() => databaseFile(core.directory), { code: 'ENOENT' });
      await core.end('SIGTERM');
    }
  });
});

async function serves(core: RealCore): Promise<boolean> {
  return core.call('status.get', {}).then(
    () => true,
    () => false,
  );
}

function databaseFile(directory: string): string {
  const folder = join(directory, 'store');
  const name = readdirSync(folder).find(file => file.endsWith('.mdb') && !file.startsWith('lock'));
  assert.ok(name, `a database in ${folder}`);
  return join(folder, name);
}

/** A disk of a few megabytes; undefined, and the test is skipped, where none can be made. */
function smallDisk(t: TestContext): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    skipHere(t, 'needs Linux and root to mount a small disk');
    return undefined;
  }
  const path = mkdtempSync(join(tmpdir(), 'molva-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    rmdirSync(path);
    skipHere(t, 'mounting is not permitted here');
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', path]);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}
