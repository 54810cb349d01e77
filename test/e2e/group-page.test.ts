import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM, NO_BROWSER, REPORT_VIOLATIONS, WIDE } from '../support/page.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** How long what one member does may take to be seen by another: members wait a moment before they commit. */
const SEEN_MS = 20_000;

describe('a group at the windows of real cores', { skip: NO_BROWSER }, () => {
  let browser: Browser;
  before(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  after(() => browser?.close());

  async function windowOf(core: RealCore): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB' });
    context.setDefaultTimeout(SEEN_MS);
    const page = await context.newPage();
    const faults: string[] = [];
    await page.exposeBinding('reportViolation', (_, what: string) => void faults.push(what));
    await page.addInitScript({ content: REPORT_VIOLATIONS });
    page.on('pageerror', error => faults.push(error.message));
    await page.goto(core.url);
    return { page, faults };
  }

  test('made, talked in, changed and left: each change is seen at the other window', async t => {
    const [ada, ben, cleo] = await Promise.all(['Ada', 'Ben', 'Cleo'].map(nick => RealCore.make(t, nick)));
    assert.ok(ada && ben && cleo);
    await Promise.all([ada.start(), ben.start(), cleo.start()]);
    await introduce(ada, ben);
    await introduce(ada, cleo);
    const [atAda, atBen] = await Promise.all([windowOf(ada), windowOf(ben)]);

    await make(atAda.page);
    await atBen.page.getByRole('button', { name: /Trip/ }).click();
    await changed(atBen.page, 'Ada added you');
    await atBen.page.getByText(/^3 members/).waitFor();

    await say(atAda.page, 'who brings bread?');
    await atBen.page.getByRole('log').getByText('who brings bread?', { exact: true }).waitFor();
    await say(atBen.page, 'I do');
    await atAda.page.getByRole('log').getByText('I do', { exact: true }).waitFor();

    await changeIt(atAda.page);
    await changed(atBen.page, 'Ada named the group “Voyage”');
    await changed(atBen.page, 'Ada made you an admin');
    await changed(atBen.page, 'Ada removed Cleo');
    await atBen.page.getByRole('heading', { name: 'Voyage' }).waitFor();
    await atBen.page.getByText(/^2 members/).waitFor();
    const isOut = async () => (await cleo.call('groups.list', {}))[0]?.phase === 'removed';
    await until('Cleo knows', isOut, SEEN_MS);
    const refused = await cleo.molva('send', 'Voyage', 'am I still in?');
    assert.deepEqual([refused.code, JSON.parse(refused.stderr).error.code], [4, 'refused']);

    await leave(atBen.page);
    await changed(atAda.page, 'Ben left');
    await atAda.page.getByText('1 member', { exact: true }).waitFor();
    assert.deepEqual([...atAda.faults, ...atBen.faults], []);
  });
});

/** Ben and Cleo can be chosen as soon as what it takes has come from them. */
async function make(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'New group' }).click();
  await page.getByLabel('Name of the group').fill('Trip');
  for (const nick of ['Ben', 'Cleo']) await page.getByRole('checkbox', { name: nick }).check();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await page.getByRole('heading', { name: 'Trip' }).waitFor();
  await page.getByText(/^3 members/).waitFor();
}

/** Another name, another admin, one member less. */
async function changeIt(page: Page): Promise<void> {
  const member = (nick: string) => page.locator('molva-group-member').filter({ hasText: nick });
  await page.getByRole('button', { name: 'Group details' }).click();
  await page.getByLabel('Name of the group').fill('Voyage');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'More about Ben' }).click();
  await member('Ben').getByRole('button', { name: 'Make admin' }).click();
  await member('Ben').getByText('Admin', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'More about Cleo' }).click();
  await member('Cleo').getByRole('button', { name: 'Remove from the group' }).click();
  await member('Cleo').getByRole('button', { name: 'Remove', exact: true }).click();
  await member('Cleo').waitFor({ state: 'detached' });
}

async function leave(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Group details' }).click();
  await page.getByRole('button', { name: 'Leave the group' }).click();
  await page.getByRole('button', { name: 'Leave', exact: true }).click();
  await page.getByText(/stays readable here/).waitFor();
}

async function changed(page: Page, words: string): Promise<void> {
  await page.locator('li.notice .change').getByText(words, { exact: true }).waitFor();
}

async function say(page: Page, text: string): Promise<void> {
  const composer = page.getByLabel('Message to Trip');
  await composer.fill(text);
  await composer.press('Enter');
}
