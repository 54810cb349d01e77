import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { UsageError } from '../../core/base/errors.ts';
import type { FakeBundles } from '../support/fake-profile.ts';
import { NO_BROWSER, until, usePage } from '../support/page.ts';

const MIB = 1024 * 1024;

/** A place to save to that needs no hand: a real file handle of the browser, in the page's own file system. */
const CHOOSES_A_FILE = `window.showSaveFilePicker = async ({ suggestedName }) => {
  window.suggested = suggestedName;
  const root = await navigator.storage.getDirectory();
  return root.getFileHandle('chosen', { create: true });
};`;
const NO_PICKER = 'delete window.showSaveFilePicker';

describe('page: messages carried by a file', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('an export streams into the chosen file, for the chosen contacts', async t => {
    const pieces = Array.from({ length: 24 }, () => randomBytes(MIB / 2));
    const { core, page, faults } = await open(t, profile => {
      profile.addContact('Mira');
      profile.addContact('Lena');
      profile.addContact('Sam', { phase: 'requested' });
      Object.assign(profile.bundles, { pieces, envelopes: 40 } satisfies Partial<FakeBundles>);
    });
    await page.evaluate(CHOOSES_A_FILE);
    await openExport(page);
    await page.getByRole('radio', { name: 'Chosen contacts' }).check();
    assert.deepEqual(await page.locator('.people bdi').allTextContents(), ['Mira', 'Lena']);
    await page.getByRole('button', { name: 'Choose a place' }).click();
    await page.getByText('Choose at least one contact.').waitFor();
    assert.equal(core.profile.bundles.for, null, 'nobody chosen is not everybody');
    await page.getByRole('checkbox', { name: 'Lena' }).check();
    await page.getByRole('button', { name: 'Choose a place' }).click();
    await page.getByText('The file is whole.').waitFor();
    assert.deepEqual(core.profile.bundles.for, [core.profile.find('Lena')?.id]);
    assert.equal(await savedHash(page), hashOf(Buffer.concat(pieces)));
    assert.match(await page.evaluate<string>('window.suggested'), /^molva-\d{4}-\d\d-\d\d\.bundle$/);
    assert.deepEqual(faults, []);
  });

  test('where no place can be chosen, the browser keeps the file among its downloads', async t => {
    const bytes = randomBytes(3 * MIB);
    const { core, page, faults } = await open(t, profile => {
      profile.addContact('Mira');
      Object.assign(profile.bundles, { pieces: [bytes], envelopes: 0 } satisfies Partial<FakeBundles>);
    });
    await page.evaluate(NO_PICKER);
    await openExport(page);
    const coming = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Choose a place' }).click();
    const download = await coming;
    assert.equal(hashOf(readFileSync(await download.path())), hashOf(bytes));
    await page.getByText(download.suggestedFilename()).waitFor();
    await page.getByText('nothing waits for these contacts').waitFor();
    assert.deepEqual(core.profile.bundles.for, []);
    assert.deepEqual(faults, []);
  });

  test('an export that is stopped, broken or refused leaves the file as it was, and says so', async t => {
    let go = () => {};
    const { core, page, faults } = await open(t, profile => void profile.addContact('Mira'));
    const { bundles } = core.profile;
    bundles.pieces = held(
      new Promise<void>(resolve => {
        go = resolve;
      }),
    );
    await page.evaluate(CHOOSES_A_FILE);
    await openExport(page);
    const start = page.getByRole('button', { name: 'Choose a place' });
    await start.click();
    await page.getByRole('progressbar', { name: 'Writing the file' }).waitFor();
    await page.getByText('1 sealed envelope, 512 KiB').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await start.waitFor();
    assert.equal(await savedHash(page), hashOf(Buffer.alloc(0)));
    go();
    bundles.pieces = broken();
    await start.click();
    await page.getByText('The file did not become whole').waitFor();
    assert.equal(await savedHash(page), hashOf(Buffer.alloc(0)));
    bundles.failure = new UsageError('locked', 'fake', 'Locked.');
    await start.click();
    await page.getByText('Molva is locked. Unlock it first.').waitFor();
    await page.evaluate(`window.showSaveFilePicker = async () => { throw new DOMException('', 'AbortError'); }`);
    await start.click();
    await page.getByText('Molva is locked. Unlock it first.').waitFor({ state: 'detached' });
    assert.equal(await page.getByText('The file is whole.').count(), 0);
    assert.deepEqual(faults, []);
  });

  test('an import is read to its end, shows how far it is, and says what became of it', async t => {
    const file = carriedFile(t, 12 * MIB);
    const { core, page, faults } = await open(t, profile => void profile.addContact('Mira'));
    const { bundles } = core.profile;
    bundles.report = { read: 9, taken: 5, seenBefore: 1, kept: 2, notOurs: 1, refused: 0, file: 'complete' };
    let go = () => {};
    bundles.gate = new Promise<void>(resolve => {
      go = resolve;
    });
    await openImport(page);
    const input = page.locator('input[type=file]');
    await input.setInputFiles(file);
    const bar = page.getByRole('progressbar', { name: 'Reading carried.bundle' });
    await page.getByText(/9 sealed envelopes, .* of 12 MiB/).waitFor();
    assert.ok(Number(await bar.getAttribute('max')) === 12 * MIB);
    go();
    const report = page.locator('molva-bundle-import [role=status]');
    await report.getByText('The file was whole.').waitFor();
    assert.deepEqual(await report.locator('li').allTextContents(), [
      '5 new for you',
      '2 now held for your contacts',
      '1 here before',
      '1 for people you do not know, left alone',
    ]);
    assert.equal(bundles.imported, 12 * MIB);
    bundles.report = { read: 0, taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0, file: 'damaged' };
    await input.setInputFiles(file);
    await report.getByText('This is no file that Molva exported').waitFor();
    assert.deepEqual(faults, []);
  });

  test('an import that is refused, stopped or left by the core says so', async t => {
    const file = carriedFile(t, 12 * MIB);
    const { core, page, faults } = await open(t, profile => void profile.addContact('Mira'));
    const { bundles } = core.profile;
    bundles.failure = new UsageError('locked', 'fake', 'Locked.');
    await openImport(page);
    const input = page.locator('input[type=file]');
    await input.setInputFiles(file);
    await page.getByText('Molva is locked. Unlock it first.').waitFor();
    bundles.failure = null;
    bundles.gate = new Promise<void>(() => {});
    await input.setInputFiles(file);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('Stopped. What was read until then is kept.').waitFor();
    await input.setInputFiles(file);
    await until(page, () => bundles.imported > 0);
    await core.crash();
    await page.getByText('Molva’s core stopped on the way').waitFor();
    await input.setInputFiles(file);
    await page.getByRole('alert').getByText('Molva’s core is not answering. Nothing was sent').waitFor();
    assert.deepEqual(faults, []);
  });
});

function carriedFile(t: TestContext, bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'molva-carried-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'carried.bundle');
  writeFileSync(file, randomBytes(bytes));
  return file;
}

async function openExport(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Export to a file…' }).click();
  await page.getByRole('dialog', { name: 'Export to a file' }).waitFor();
}

async function openImport(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Import a file…' }).click();
  await page.getByRole('dialog', { name: 'Import a file' }).waitFor();
}

/** SHA-256 of what lies in the chosen file. */
function savedHash(page: Page): Promise<string> {
  return page.evaluate(`navigator.storage.getDirectory()
    .then(root => root.getFileHandle('chosen'))
    .then(handle => handle.getFile())
    .then(file => file.arrayBuffer())
    .then(bytes => crypto.subtle.digest('SHA-256', bytes))
    .then(hash => Array.from(new Uint8Array(hash), b => b.toString(16).padStart(2, '0')).join(''))`);
}

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function* held(go: Promise<void>): AsyncGenerator<Uint8Array> {
  yield randomBytes(MIB / 2);
  await go;
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield randomBytes(MIB / 2);
  throw new Error('the core has stopped');
}
