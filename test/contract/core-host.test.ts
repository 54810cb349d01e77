import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { Host } from '../../core/host.io.ts';
import { Keychain, type KeychainEntry } from '../../core/storage/keychain.io.ts';
import { DELAY_FILE } from '../../core/storage/unlock-delay.io.ts';
import { VAULT_FILE } from '../../core/storage/vault.io.ts';
import { until } from '../support/real-core.ts';
import { temporaryFolder } from './storage-fixtures.ts';

const DESKTOP = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };
const PASS = () => Buffer.from('a passphrase');
const refused = (error: unknown) => error instanceof CoreError && error.code === 'refused';

/** A keychain in memory that takes a secret when it is let. */
function slowKeychain() {
  const items = new Map<string, Uint8Array>();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const open = (account: string): KeychainEntry => ({
    getSecret: async () => Array.from(items.get(account) ?? []),
    setSecret: async secret => {
      asked.resolve();
      await answer.promise;
      items.set(account, Uint8Array.from(secret));
    },
    deleteCredential: async () => items.delete(account),
  });
  return { items, asked: asked.promise, answer: answer.resolve, keychain: new Keychain(open, DESKTOP) };
}

function core(t: TestContext, keychain = slowKeychain().keychain) {
  const folder = temporaryFolder();
  const stops: number[] = [];
  const host = new Host({
    version: '0',
    dataDirectory: folder.path,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    offline: true,
    helper: false,
    native: { loaded: false, reason: 'not needed' },
    hardening: undefined,
    keychain,
    onFault: fault => assert.fail(String(fault)),
    onStop: () => void stops.push(1),
    openWindow: async () => ({ url: '', launched: false }),
    openLink: async () => undefined,
  });
  t.after(async () => {
    await host.close();
    folder.remove();
  });
  return { host, path: folder.path, stops, has: (name: string) => existsSync(join(folder.path, name)) };
}

test('a wipe while a passphrase is being changed: no key file comes back', async t => {
  const { host, path, stops, has } = core(t);
  await host.createProfile('Ada', PASS());
  const change = assert.rejects(host.changePassphrase(PASS(), Buffer.from('another')), refused);
  // The try is noted while the old passphrase is judged; from then on the new one is being stretched.
  await until('the old passphrase is being judged', () => has(DELAY_FILE));
  await until('the old passphrase is found right', () => !has(DELAY_FILE));
  assert.ok((await host.wipe()) < 200);
  await change;
  assert.deepEqual(readdirSync(path), []);
  assert.equal(stops.length, 1);
});

test('a wipe while a profile is being made, or unlocked: nothing is left, nothing is open', async t => {
  const making = core(t);
  const made = assert.rejects(making.host.createProfile('Ada', PASS()), refused);
  await making.host.wipe();
  await made;
  assert.deepEqual(readdirSync(making.path), []);

  const unlocking = core(t);
  await unlocking.host.createProfile('Ada', PASS());
  await unlocking.host.lock();
  const unlocked = assert.rejects(unlocking.host.unlock(PASS()), refused);
  await until('the passphrase is being judged', () => unlocking.has(DELAY_FILE));
  await unlocking.host.wipe();
  await unlocked;
  assert.deepEqual(readdirSync(unlocking.path), []);
  assert.equal(unlocking.host.state(), 'stopping');
});

test('a wipe while the keychain is being asked: neither key file nor keychain item comes back', async t => {
  const slow = slowKeychain();
  const { host, path } = core(t, slow.keychain);
  await host.createProfile('Ada', PASS());
  const change = assert.rejects(host.setKeychain(true), refused);
  await slow.asked;
  const wiped = host.wipe();
  slow.answer();
  await wiped;
  await change;
  assert.deepEqual(readdirSync(path), []);
  assert.equal(slow.items.size, 0);
});

test('once a wipe has begun no change is begun, and settings are not written', async t => {
  const { host, path } = core(t);
  await host.createProfile('Ada', PASS());
  const settings = host.settings();
  await Promise.all([host.wipe(), host.wipe()]);
  await assert.rejects(host.createProfile('Ada', PASS()), refused);
  assert.throws(() => host.changeSettings(settings), refused);
  assert.deepEqual(readdirSync(path), []);
});

test('a wipe that cannot overwrite a key file says so, and the core stops all the same', async t => {
  const { host, path, stops } = core(t);
  // A folder in the place of the key file cannot be opened for writing.
  mkdirSync(join(path, VAULT_FILE));
  await assert.rejects(host.wipe(), (error: CoreError) => error.code === 'disk-failed');
  assert.equal(stops.length, 1);
});
