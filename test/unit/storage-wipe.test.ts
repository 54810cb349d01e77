import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { utf8 } from '../../core/base/bytes.ts';
import { CoreError } from '../../core/base/errors.ts';
import { Secret } from '../../core/base/secret.ts';
import { Keychain, type KeychainEntry } from '../../core/storage/keychain.io.ts';
import { createVault, openVault, VAULT_COPY, VAULT_FILE, vaultId } from '../../core/storage/vault.io.ts';
import { finishWipe, WIPE_MARKER, type WipeStep, wipeProfile } from '../../core/storage/wipe.io.ts';
import { temporaryFolder } from '../contract/storage-fixtures.ts';

const WEAK = { argon: { memoryKib: 64, passes: 1, lanes: 1 } };
const PASS = utf8('a passphrase');
const DESKTOP = { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere' };

class Killed extends Error {}

async function profile(): Promise<{ path: string; remove: () => void }> {
  const folder = temporaryFolder();
  (await createVault(folder.path, PASS, WEAK)).wipe();
  mkdirSync(join(folder.path, 'store'));
  mkdirSync(join(folder.path, 'webview', 'Cache'), { recursive: true });
  for (const name of ['store/data.mdb', 'core.log', 'core.json', 'webview/Cache/0']) {
    writeFileSync(join(folder.path, name), 'something private');
  }
  return folder;
}

/** A keychain in memory. */
function keychain(): { items: Map<string, Uint8Array>; keychain: Keychain } {
  const items = new Map<string, Uint8Array>();
  const open = (account: string): KeychainEntry => ({
    getSecret: async () => Array.from(items.get(account) ?? []),
    setSecret: async secret => void items.set(account, Uint8Array.from(secret)),
    deleteCredential: async () => items.delete(account),
  });
  return { items, keychain: new Keychain(open, DESKTOP) };
}

test('a wipe leaves nothing, keys first, within 200 ms', async () => {
  const folder = await profile();
  const { items, keychain: chain } = keychain();
  await chain.store(vaultId(folder.path), Secret.take(Buffer.alloc(32, 1)));
  assert.equal(items.size, 1);
  const steps: WipeStep[] = [];
  const { keysGoneMs } = await wipeProfile(folder.path, { keychain: chain, onStep: step => steps.push(step) });
  assert.deepEqual(readdirSync(folder.path), []);
  assert.equal(items.size, 0);
  assert.ok(keysGoneMs < 200, `${keysGoneMs} ms`);
  assert.ok(steps.indexOf('keys-gone') < steps.indexOf('files-gone'));
  folder.remove();
});

for (const stop of ['marked', 'key-zeroed', 'key-gone', 'copy-zeroed', 'keys-gone', 'files-gone'] as const) {
  test(`a wipe ended at "${stop}" is finished at the next start`, async () => {
    const folder = await profile();
    const { items, keychain: chain } = keychain();
    await chain.store(vaultId(folder.path), Secret.take(Buffer.alloc(32, 1)));
    const die = (step: WipeStep): void => {
      if (step === stop) throw new Killed();
    };
    await assert.rejects(wipeProfile(folder.path, { onStep: die }));
    assert.ok(existsSync(join(folder.path, WIPE_MARKER)));
    assert.equal(await finishWipe(folder.path, { keychain: chain }), true);
    assert.deepEqual(readdirSync(folder.path), []);
    assert.equal(items.size, 0, 'the keychain’s item is found through the marker');
    assert.equal(await finishWipe(folder.path), false);
    folder.remove();
  });
}

test('the key file is overwritten where it lies before it is removed', async () => {
  const folder = await profile();
  const key = readFileSync(join(folder.path, VAULT_FILE));
  let [zeroed, copyZeroed] = [false, false];
  const isZero = (name: string): boolean => readFileSync(join(folder.path, name)).equals(Buffer.alloc(key.length));
  await wipeProfile(folder.path, {
    onStep: step => {
      if (step === 'key-zeroed') zeroed = isZero(VAULT_FILE);
      if (step === 'copy-zeroed') copyZeroed = isZero(VAULT_COPY);
    },
  });
  assert.ok(zeroed && copyZeroed);
  folder.remove();
});

test('a wiped profile cannot be opened from what is left half-way', async () => {
  const folder = await profile();
  const spare = temporaryFolder();
  await wipeProfile(folder.path, {
    onStep: step => {
      if (step !== 'keys-gone') return;
      for (const name of readdirSync(folder.path, { withFileTypes: true })) {
        if (name.isFile()) copyFileSync(join(folder.path, name.name), join(spare.path, name.name));
      }
    },
  });
  await assert.rejects(openVault(spare.path, PASS), error => error instanceof CoreError && error.code === 'no-profile');
  folder.remove();
  spare.remove();
});

test('a keychain that never answers, and a machine without one, are said plainly and in time', async () => {
  const silent = new Keychain(
    () => ({
      getSecret: () => new Promise(() => {}),
      setSecret: () => new Promise(() => {}),
      deleteCredential: () => new Promise(() => {}),
    }),
    DESKTOP,
  );
  assert.match((await silent.unavailable('x')) ?? '', /does not answer/);
  if (process.platform === 'linux') {
    const headless = new Keychain(undefined, {});
    assert.match((await headless.unavailable('x')) ?? '', /no desktop session/);
    await assert.rejects(
      headless.load('x'),
      error => error instanceof CoreError && error.code === 'keychain-unavailable',
    );
  }
});
