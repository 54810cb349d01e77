import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, NO_BROWSER, REPORT_VIOLATIONS, WIDE } from '../support/page.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

describe('windows on real cores: held by a friend, carried by file', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  const faults: string[] = [];
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  after(() => browser?.close());

  /** A window that has no dialog to save a file, so that the browser saves it where the test finds it. */
  async function openWindow(t: TestContext, core: RealCore): Promise<Page> {
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB' });
    t.after(() => context.close());
    const page = await context.newPage();
    await page.exposeBinding('reportViolation', (_, what: string) => void faults.push(what));
    await page.addInitScript({ content: `${REPORT_VIOLATIONS}; delete window.showSaveFilePicker;` });
    page.on('pageerror', error => faults.push(error.message));
    await page.goto(core.url);
    return page;
  }

  test('Ada sees who holds her words for Ben, and hands them over in a file that Ben imports twice', async t => {
    const [ada, ben, cleo] = await Promise.all(['Ada', 'Ben', 'Cleo'].map(nick => RealCore.make(t, nick)));
    assert.ok(ada && ben && cleo);
    await Promise.all([ada.start(), ben.start(), cleo.start()]);
    await introduce(ada, ben);
    await introduce(ada, cleo);
    await introduce(ben, cleo);
    await ben.end('SIGTERM');

    const atAda = await openWindow(t, ada);
    await atAda.getByRole('button', { name: /Ben/ }).click();
    const composer = atAda.getByLabel('Message to Ben');
    await composer.fill('see you on Friday');
    await composer.press('Enter');
    await atAda
      .locator('.waiting')
      .getByText(/^Held by 1 contact until /)
      .waitFor();

    const file = await exportTo(t, atAda, 'Ben');
    const custody = await cleo.call('custody.get', {});
    const atCleo = await openWindow(t, cleo);
    await atCleo.getByRole('button', { name: 'Settings' }).click();
    await atCleo.getByText(`Held now: ${custody.envelopes} sealed envelope`).waitFor();
    assert.ok(custody.envelopes > 0);
    await Promise.all([ada.end('SIGTERM'), cleo.end('SIGTERM')]);

    await ben.start();
    const atBen = await openWindow(t, ben);
    const { taken } = await importFrom(atBen, file);
    assert.ok(taken >= 1);
    await atBen.getByRole('button', { name: 'Import another file…' }).waitFor();
    const again = await importFrom(atBen, file);
    assert.equal(again.taken, 0);
    assert.ok(again.before >= taken, 'everything was here before');
    await atBen.keyboard.press('Escape');
    await atBen.getByRole('button', { name: /Ada/ }).click();
    await atBen.getByRole('log').getByText('see you on Friday', { exact: true }).waitFor();
    assert.equal(await atBen.locator('li[data-id]').count(), 1);

    await ada.start();
    await atAda.goto(ada.url);
    await atAda.getByRole('button', { name: /Ben/ }).click();
    const state = atAda.locator('.state');
    await until('Ada knows that Ben has read it', async () => (await state.getAttribute('data-state')) === 'read');
    assert.equal(await atAda.locator('.waiting').count(), 0);
    assert.deepEqual(faults, []);
  });
});

async function exportTo(t: TestContext, page: Page, nick: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'molva-carried-'));
  t.after(() => rmSync(folder, { recursive: true }));
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('button', { name: 'Export to a file…' }).click();
  await page.getByRole('radio', { name: 'Chosen contacts' }).check();
  await page.getByRole('checkbox', { name: nick }).check();
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Choose a place…' }).click();
  const file = join(folder, 'carried.bundle');
  await (await coming).saveAs(file);
  await page.getByText('The file is whole.').waitFor();
  await page.keyboard.press('Escape');
  return file;
}

/** What the window says of a file: how many envelopes were new, and how many known. */
async function importFrom(page: Page, file: string): Promise<{ taken: number; before: number }> {
  if ((await page.getByRole('dialog').count()) === 0) {
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByRole('button', { name: 'Import a file…' }).click();
  }
  const answered = page.waitForResponse(response => response.url().endsWith('/bundle/import'));
  await page.locator('input[type=file]').setInputFiles(file);
  await answered;
  const said = page.locator('molva-bundle-import [role=status]');
  await said.getByText('The file was whole.').waitFor();
  const lines = await said.locator('li').allTextContents();
  const count = (words: string) => Number.parseInt(lines.find(line => line.includes(words)) ?? '0', 10);
  return { taken: count('new for you'), before: count('here before') };
}
