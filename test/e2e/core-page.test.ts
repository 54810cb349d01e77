import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, NO_BROWSER, REPORT_VIOLATIONS, WIDE } from '../support/page.ts';
import { LOOPBACK, PASSPHRASE, RealCore, until } from '../support/real-core.ts';

const KILLS = 3;
const EACH_TIME = 20;

describe('two people at their windows, on two real cores', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  after(() => browser?.close());

  /** A window of its own: cookies, storage and all. */
  async function openWindow(): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB' });
    const page = await context.newPage();
    const faults: string[] = [];
    await page.exposeBinding('reportViolation', (_, what: string) => void faults.push(what));
    await page.addInitScript({ content: REPORT_VIOLATIONS });
    page.on('pageerror', error => faults.push(error.message));
    return { page, faults };
  }

  test('first start, invite, request, messages both ways, and a core that is killed', async t => {
    const [ada, ben] = await Promise.all([RealCore.make(t), RealCore.make(t)]);
    const [atAda, atBen] = await Promise.all([openWindow(), openWindow()]);
    await Promise.all([firstStart(ada, atAda.page, 'Ada'), firstStart(ben, atBen.page, 'Ben')]);

    await atAda.page.getByRole('button', { name: 'Add a contact' }).first().click();
    const own = atAda.page.getByLabel('Your invite as text');
    await until('the invite is shown', async () => (await own.inputValue()).startsWith('molva:1/'));
    await atBen.page.getByRole('button', { name: 'Add a contact' }).first().click();
    await atBen.page.getByLabel('Invite you were given').fill(await own.inputValue());
    await atBen.page.getByRole('button', { name: 'Ask to talk' }).click();
    await atBen.page.getByRole('button', { name: 'Open the conversation' }).click();
    await atAda.page.keyboard.press('Escape');
    await atAda.page.getByRole('article', { name: 'Ben' }).getByRole('button', { name: 'Accept' }).click();

    await say(atAda.page, 'Ben', 'do you see this?');
    await shows(atBen.page, 'do you see this?');
    await hasState(atAda.page, 'do you see this?', 'read');
    await say(atBen.page, 'Ada', 'as you wrote it');
    await shows(atAda.page, 'as you wrote it');
    await hasState(atBen.page, 'as you wrote it', 'read');

    await atAda.page.getByText('1 contact online').waitFor();
    await ben.end('SIGTERM');
    await atAda.page.getByText('No contact online').waitFor();
    await say(atAda.page, 'Ben', 'while you are away');
    await hasState(atAda.page, 'while you are away', 'queued');
    const texts = ['do you see this?', 'as you wrote it', 'while you are away', ...(await writeAndKill(ada, ben))];
    await until('all are delivered', async () => (await ada.call('status.get', {})).queued === 0);

    await atBen.page.goto(ben.url);
    await atBen.page.getByRole('button', { name: /Ada/ }).click();
    for (const { page } of [atAda, atBen])
      await until('all are shown', async () => (await textsOf(page)).length === texts.length);
    assert.deepEqual(await textsOf(atAda.page), texts);
    assert.deepEqual(await textsOf(atBen.page), texts);
    await hasState(atAda.page, 'while you are away', 'read');
    assert.deepEqual([...atAda.faults, ...atBen.faults], []);
    await Promise.all([atAda, atBen].map(({ page }) => page.context().close()));
  });
});

async function firstStart(core: RealCore, page: Page, nick: string): Promise<void> {
  await core.start(LOOPBACK);
  await page.goto(core.url);
  await page.getByLabel('Your name').fill(nick);
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await page.getByLabel('Passphrase again', { exact: true }).fill(PASSPHRASE);
  await page.getByRole('button', { name: 'Start using Molva' }).click();
  await page.getByText('No one here yet.').waitFor();
}

/** Ada writes on while Ben's core is killed under it. */
async function writeAndKill(ada: RealCore, ben: RealCore): Promise<string[]> {
  const texts: string[] = [];
  const client = await ada.connect();
  for (let kill = 0; kill < KILLS; kill += 1) {
    await ben.start();
    const kept: Promise<unknown>[] = [];
    for (let number = 0; number < EACH_TIME; number += 1) {
      const text = `number ${kill * EACH_TIME + number}`;
      texts.push(text);
      kept.push(client.call('messages.send', { who: 'Ben', text }));
    }
    await kept[EACH_TIME >> 1];
    await ben.kill();
    await Promise.all(kept);
  }
  await ben.start();
  client.close();
  return texts;
}

async function say(page: Page, to: string, text: string): Promise<void> {
  const composer = page.getByLabel(`Message to ${to}`);
  await composer.fill(text);
  await composer.press('Enter');
  await shows(page, text);
}

async function shows(page: Page, text: string): Promise<void> {
  await page.getByRole('log').getByText(text, { exact: true }).waitFor();
}

async function hasState(page: Page, text: string, wanted: string): Promise<void> {
  const state = page.locator('li[data-id]').filter({ hasText: text }).locator('.state');
  await until(`"${text}" is ${wanted}`, async () => (await state.getAttribute('data-state')) === wanted);
}

async function textsOf(page: Page): Promise<string[]> {
  const texts = await page.locator('li[data-id] .text').allTextContents();
  return texts.map(text => text.trim());
}
