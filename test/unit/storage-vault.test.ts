import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { utf8 } from '../../core/base/bytes.ts';
import { CoreError, DecodeError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Secret } from '../../core/base/secret.ts';
import { UnlockDelayedError, unlockAllowedAt } from '../../core/storage/unlock-delay.io.ts';
import { delayAfter, delayAfterTry, delayAt, NO_DELAY } from '../../core/storage/unlock-delay.ts';
import {
  addKeychainSlot,
  changePassphrase,
  createVault,
  hasKeychainSlot,
  hasVault,
  openVault,
  openWithKeychain,
  removeKeychainSlot,
  VAULT_COPY,
  VAULT_FILE,
} from '../../core/storage/vault.io.ts';
import { decodeVault, encodeVault } from '../../core/storage/vault-file.ts';
import { temporaryFolder } from '../contract/storage-fixtures.ts';

const WEAK = { argon: { memoryKib: 64, passes: 1, lanes: 1 } };
const RIGHT = utf8('correct horse');
const WRONG = utf8('wrong horse');
const bytesOf = (secret: Secret): string => secret.use(memory => memory.toString('hex'));
const code = (expected: string) => (error: unknown) => error instanceof CoreError && error.code === expected;

async function profile(run: (folder: string, dataKey: string) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const path = join(folder.path, 'profile');
  const dataKey = await createVault(path, RIGHT, WEAK);
  try {
    await run(path, bytesOf(dataKey));
  } finally {
    dataKey.wipe();
    folder.remove();
  }
}

test('the passphrase opens the vault that it made, and files are the owner’s alone', () =>
  profile(async (folder, dataKey) => {
    assert.equal(bytesOf(await openVault(folder, RIGHT)), dataKey);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    for (const name of [VAULT_FILE, VAULT_COPY]) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
    await assert.rejects(createVault(folder, RIGHT, WEAK), code('already-exists'));
  }));

test('a wrong passphrase is told apart, delays the next try across a restart, and success ends the delay', () =>
  profile(async (folder, dataKey) => {
    let nowMs = 1_000_000;
    const at = { clock: () => nowMs };
    let delayMs = 0;
    for (let tries = 1; tries <= 4; tries += 1) {
      await assert.rejects(openVault(folder, WRONG, at), code('wrong-passphrase'));
      // nothing is held in memory: every call reads the file, as a new process would
      const allowedAtMs = unlockAllowedAt(folder, nowMs);
      assert.equal(allowedAtMs - nowMs, delayAfter(tries));
      assert.ok(allowedAtMs - nowMs > delayMs);
      delayMs = allowedAtMs - nowMs;
      await assert.rejects(
        openVault(folder, RIGHT, at),
        error => error instanceof UnlockDelayedError && error.allowedAtMs === allowedAtMs,
      );
      nowMs = allowedAtMs;
    }
    assert.equal(bytesOf(await openVault(folder, RIGHT, at)), dataKey);
    assert.equal(unlockAllowedAt(folder, nowMs), 0);
  }));

test('a clock set back neither shortens the delay nor locks for ever', () => {
  fc.assert(
    fc.property(fc.nat(12), fc.nat(2 ** 40), fc.array(fc.nat(2 ** 41), { minLength: 1 }), (failures, start, clocks) => {
      let delay = NO_DELAY;
      for (let i = 0; i <= failures; i += 1) delay = delayAfterTry(delay, start);
      const whole = delayAfter(delay.failures);
      for (const nowMs of clocks) {
        const next = delayAt(delay, nowMs);
        assert.ok(next.allowedAtMs - nowMs <= whole, 'never longer than the delay itself');
        if (nowMs < delay.writtenAtMs) assert.equal(next.allowedAtMs, nowMs + whole, 'set back: it begins anew');
        delay = next;
      }
    }),
  );
  assert.equal(delayAfter(1000), LIMITS.unlockDelayLastMs);
});

test('a damaged vault.key is told apart from a wrong passphrase, counts as no try, and its copy repairs it', () =>
  profile(async (folder, dataKey) => {
    const path = join(folder, VAULT_FILE);
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      writeFileSync(path, bytes);
      await assert.rejects(openVault(folder, RIGHT), code('vault-damaged'));
    }
    for (const bytes of [Buffer.of(), whole.subarray(0, 40), Buffer.alloc(whole.length)]) {
      writeFileSync(path, bytes);
      await assert.rejects(openVault(folder, RIGHT), code('vault-damaged'));
    }
    assert.equal(unlockAllowedAt(folder, Date.now()), 0);
    assert.ok(hasVault(folder));
    writeFileSync(path, readFileSync(join(folder, VAULT_COPY)));
    assert.equal(bytesOf(await openVault(folder, RIGHT)), dataKey);
  }));

test('slots changed by who does not hold the data key are found out', () =>
  profile(async folder => {
    const dataKey = await openVault(folder, RIGHT);
    const path = join(folder, VAULT_FILE);
    const before = readFileSync(path);
    const secret = Secret.take(Buffer.alloc(32, 5));
    addKeychainSlot(folder, dataKey, secret);
    const with2 = decodeVault(readFileSync(path));
    writeFileSync(path, encodeVault({ ...with2, slots: with2.slots.slice(0, 1) }));
    await assert.rejects(openVault(folder, RIGHT), code('vault-damaged'));
    writeFileSync(path, encodeVault({ ...decodeVault(before), slots: with2.slots }));
    await assert.rejects(openVault(folder, RIGHT, { clock: () => Date.now() + 60_000 }), code('vault-damaged'));
    dataKey.wipe();
    secret.wipe();
  }));

test('the keychain’s secret opens the vault until its slot is removed', () =>
  profile(async (folder, expected) => {
    const dataKey = await openVault(folder, RIGHT);
    const secret = (): Secret => Secret.take(Buffer.alloc(32, 5));
    assert.throws(() => openWithKeychain(folder, secret()), code('keychain-unavailable'));
    addKeychainSlot(folder, dataKey, secret());
    assert.ok(hasKeychainSlot(folder));
    assert.equal(bytesOf(openWithKeychain(folder, secret())), expected);
    assert.throws(() => openWithKeychain(folder, Secret.take(Buffer.alloc(32, 6))), code('not-authentic'));
    assert.equal(bytesOf(await openVault(folder, RIGHT)), expected);
    removeKeychainSlot(folder, dataKey);
    assert.throws(() => openWithKeychain(folder, secret()), code('keychain-unavailable'));
  }));

test('a changed passphrase replaces the old one, in the copy too, and keeps the data key', () =>
  profile(async (folder, dataKey) => {
    const next = Secret.take(Buffer.from('next horse'));
    await changePassphrase(folder, RIGHT, next, WEAK);
    await assert.rejects(openVault(folder, RIGHT), code('wrong-passphrase'));
    const later = { clock: () => Date.now() + 60_000 };
    assert.equal(bytesOf(await openVault(folder, next, later)), dataKey);
    assert.deepEqual(readFileSync(join(folder, VAULT_FILE)), readFileSync(join(folder, VAULT_COPY)));
  }));

test('a vault file asks no more of Argon2 than the limits, and its reader throws DecodeError only', () =>
  profile(async folder => {
    const vault = decodeVault(readFileSync(join(folder, VAULT_FILE)));
    const [slot] = vault.slots;
    assert.ok(slot);
    for (const cost of [
      { memoryKib: LIMITS.argonMemoryKib + 1, passes: 1, lanes: 1 },
      { memoryKib: 64, passes: LIMITS.argonPasses + 1, lanes: 1 },
      { memoryKib: 64, passes: 0, lanes: 1 },
      { memoryKib: 4, passes: 1, lanes: 1 },
    ]) {
      assert.throws(() => decodeVault(encodeVault({ ...vault, slots: [{ ...slot, cost }] })), DecodeError);
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        assert.throws(() => decodeVault(Buffer.from(bytes)), DecodeError);
      }),
      { numRuns: 2000 },
    );
  }));

test('there is no profile where there is no vault', async () => {
  const folder = temporaryFolder();
  assert.equal(hasVault(folder.path), false);
  await assert.rejects(openVault(folder.path, RIGHT), code('no-profile'));
  assert.equal(existsSync(join(folder.path, 'unlock.delay')), false);
  folder.remove();
});
