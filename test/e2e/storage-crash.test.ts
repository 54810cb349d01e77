import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { lockProfile } from '../../core/storage/lock.io.ts';
import { openStore } from '../../core/storage/store.io.ts';
import {
  CONVERSATION,
  conversation,
  dataKey,
  messageId,
  storedMessage,
  temporaryFolder,
} from '../contract/storage-fixtures.ts';
import { endOf, linesOf, runChild, startChild } from './storage-process.ts';

const code = (expected: string) => (error: unknown) => error instanceof CoreError && error.code === expected;
/** Small, seeded, good enough to choose places: printed so that a failure can be run again. */
function chooser(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test('killed 20 times while writing: every acknowledged write is there, and nothing half', async t => {
  const seed = Date.now() >>> 0;
  t.diagnostic(`seed ${seed}`);
  const choose = chooser(seed);
  const folder = temporaryFolder();
  const store = await openStore(folder.path, dataKey(), { create: true });
  await store.write(tx => store.conversations.put(tx, conversation()));
  await store.close();
  let next = 0;
  for (let round = 0; round < 20; round += 1) {
    const child = startChild('write', folder.path, next);
    t.after(() => child.kill('SIGKILL'));
    const ended = endOf(child);
    const killAfter = 1 + choose(40);
    let acknowledged = 0;
    for await (const line of linesOf(child)) {
      assert.match(line, /^ack /);
      acknowledged += 1;
      if (acknowledged === killAfter) child.kill('SIGKILL');
    }
    assert.equal((await ended).signal, 'SIGKILL');
    const { answer } = await runChild('read', folder.path);
    assert.ok(answer && !answer.error, JSON.stringify(answer));
    const { count, right, queued, byId, last } = answer as Record<string, number>;
    assert.ok((count ?? 0) >= next + acknowledged, `${count} of ${next + acknowledged}`);
    assert.deepEqual(
      [right, queued, byId, last],
      [count, count, count, (count ?? 0) - 1],
      'all rows of a write or none',
    );
    next = count ?? 0;
  }
  folder.remove();
});

test('damaged pages give their own error or right data; never a crash, wrong data or a new file', async t => {
  const seed = Date.now() >>> 0;
  t.diagnostic(`seed ${seed}`);
  const choose = chooser(seed);
  const folder = temporaryFolder();
  const store = await openStore(folder.path, dataKey(), { create: true });
  await store.write(tx => store.conversations.put(tx, conversation()));
  for (let n = 0; n < 400; n += 20) {
    await store.write(tx => {
      for (let i = n; i < n + 20; i += 1) {
        store.messages.put(tx, CONVERSATION, storedMessage(i, { outgoing: true }));
        store.messages.setState(tx, messageId(i), { state: 'queued', atMs: i, receipt: null });
      }
    });
  }
  await store.close();
  const data = join(folder.path, 'store', 'data.mdb');
  const whole = readFileSync(data);
  const pages = whole.length / 4096;
  const seen = { damaged: 0, right: 0 };
  for (let round = 0; round < 28; round += 1) {
    const bytes = Buffer.from(whole);
    const page = round < 4 ? round : choose(pages);
    const kind = round % 4;
    const at = page * 4096;
    if (kind === 0) bytes.fill(0, at, at + 4096);
    else if (kind === 1) for (let i = 0; i < 4096; i += 1) bytes[at + i] = choose(256);
    else if (kind === 2) bytes.copy(bytes, at, choose(pages) * 4096, choose(pages) * 4096 + 4096);
    else bytes[at + choose(4096)] = choose(256);
    writeFileSync(data, bytes);
    rmSync(join(folder.path, 'store', 'lock.mdb'), { force: true });
    const { answer, signal } = await runChild('read', folder.path);
    const what = `page ${page}, damage ${kind}: ${JSON.stringify(answer)}, ${signal}`;
    assert.ok(answer, what);
    if (answer.error) {
      assert.equal(answer.error, 'database-damaged', what);
      assert.deepEqual(readFileSync(data), bytes, `the file is left as it was (${what})`);
      seen.damaged += 1;
    } else {
      assert.deepEqual([answer.count, answer.right, answer.byId, answer.queued], [400, 400, 400, 400], what);
      seen.right += 1;
    }
  }
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.damaged > 7);
  for (const cut of [0, 100, 4096, whole.length - 4096]) {
    writeFileSync(data, whole);
    truncateSync(data, cut);
    const { answer } = await runChild('read', folder.path);
    assert.equal(answer?.error, 'database-damaged', `cut to ${cut}: ${JSON.stringify(answer)}`);
    assert.equal(statSync(data).size, cut);
  }
  rmSync(data);
  assert.equal(
    (await runChild('read', folder.path)).answer?.error,
    'database-damaged',
    'a missing file is not made anew',
  );
  writeFileSync(data, whole);
  assert.equal((await runChild('read', folder.path)).answer?.count, 400, 'nothing was lost');
  folder.remove();
});

test('a second process on a profile is refused by name; the lock ends with its holder, however that ends', async t => {
  const folder = temporaryFolder();
  const child = startChild('lock', folder.path);
  t.after(() => child.kill('SIGKILL'));
  const ended = endOf(child);
  for await (const line of linesOf(child)) {
    assert.equal(line, 'locked');
    break;
  }
  assert.throws(
    () => lockProfile(folder.path),
    error => code('profile-in-use')(error) && (error as Error).message.includes(String(child.pid)),
  );
  child.kill('SIGKILL');
  await ended;
  const lock = lockProfile(folder.path);
  assert.throws(() => lockProfile(folder.path), code('profile-in-use'), 'twice in one process, too');
  lock.release();
  lockProfile(folder.path).release();
  assert.equal(statSync(join(folder.path, 'profile.lock')).mode & 0o777, 0o600);
  folder.remove();
});

test('files are the owner’s alone, and none holds a text, a nick or an id in the clear', async () => {
  const folder = temporaryFolder();
  const store = await openStore(folder.path, dataKey(), { create: true });
  const [text, secret] = ['marked text quetzalcoatl', Buffer.from('marked secret axolotl')];
  await store.write(tx => {
    store.conversations.put(tx, conversation());
    for (let n = 0; n < 300; n += 1) store.messages.put(tx, CONVERSATION, storedMessage(n, { text: `${text} ${n}` }));
    store.invites.put(tx, { secret: secret.subarray(0, 16), createdAtMs: 1, expiresAtMs: 2 });
    store.declined.add(tx, Buffer.alloc(32, 'axolotl') as never);
  });
  await store.close();
  assert.equal(statSync(join(folder.path, 'store')).mode & 0o777, 0o700);
  for (const name of ['data.mdb', 'lock.mdb']) {
    const path = join(folder.path, 'store', name);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const bytes = readFileSync(path);
    for (const mark of ['quetzalcoatl', 'axolotl', 'marked secret', CONVERSATION, messageId(7)]) {
      assert.equal(bytes.includes(mark), false, `${name} holds ${mark}`);
    }
  }
  folder.remove();
});

test('the wrong data key opens nothing', async () => {
  const folder = temporaryFolder();
  await (await openStore(folder.path, dataKey(), { create: true })).close();
  const { Secret } = await import('../../core/base/secret.ts');
  await assert.rejects(openStore(folder.path, Secret.take(Buffer.alloc(32, 8))), code('database-damaged'));
  await (await openStore(folder.path, dataKey())).close();
  const copy = join(folder.path, 'copy', 'store');
  mkdirSync(copy, { recursive: true });
  copyFileSync(join(folder.path, 'store', 'data.mdb'), join(copy, 'data.mdb'));
  await (await openStore(join(folder.path, 'copy'), dataKey())).close();
  folder.remove();
});
