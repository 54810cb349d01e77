import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import type { Contact } from '../../core/commands/schema.ts';
import { NARROW, NO_BROWSER, until, usePage } from '../support/page.ts';

describe('page: conversations', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('a sent message shows its true state as receipts arrive, and never goes back', async t => {
    let mira = {} as Contact;
    const { core, page, faults } = await open(t, profile => {
      mira = profile.addContact('Mira');
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    const composer = page.getByLabel('Message to Mira');
    await composer.pressSequentially('first line');
    await composer.press('Shift+Enter');
    await composer.pressSequentially('second line');
    await composer.press('Enter');
    const state = page.locator('.state');
    await hasState(page, state, 'queued');
    const sent = core.profile.messages.get(mira.conversation)?.[0];
    assert.ok(sent);
    assert.equal(sent.text, 'first line\nsecond line');
    assert.equal(await composer.inputValue(), '');
    const tell = (to: 'delivered' | 'read' | 'expired') =>
      core.emit({
        event: 'message-state',
        id: sent.id,
        conversation: sent.conversation,
        state: to,
        heldBy: 0,
        until: null,
        reach: null,
        at: Date.now(),
      });
    tell('delivered');
    await hasState(page, state, 'delivered');
    assert.match((await state.getAttribute('title')) ?? '', /signed a receipt/);
    tell('read');
    await hasState(page, state, 'read');
    tell('delivered');
    core.emit({ event: 'message-received', message: core.profile.addMessage(mira, 'after') });
    await page.getByRole('log').getByText('after').waitFor();
    assert.equal(await state.getAttribute('data-state'), 'read');
    assert.deepEqual(faults, []);
  });

  test('what arrives is shown, counted and announced; it is read when it is in front of a person', async t => {
    let mira = {} as Contact;
    let jonas = {} as Contact;
    const { core, page } = await open(t, profile => {
      mira = profile.addContact('Mira');
      jonas = profile.addContact('Jonas');
    });
    const marked = () => core.calls.filter(call => call.method === 'messages.markRead').length;
    await page.getByRole('button', { name: /Mira/ }).click();
    core.emit({ event: 'message-received', message: core.profile.addMessage(jonas, 'psst') });
    await page.getByLabel('1 unread message').waitFor();
    assert.equal(await page.title(), '(1) Molva');
    assert.equal(await page.locator('#announcer').textContent(), 'New message from Jonas');
    assert.equal(marked(), 0);
    core.emit({ event: 'message-received', message: core.profile.addMessage(mira, 'hello you') });
    await until(page, () => marked() === 1);
    assert.equal(await page.locator('#announcer').textContent(), 'Mira: hello you');
    await page.getByRole('button', { name: /Jonas/ }).click();
    await until(page, () => marked() === 2);
    await page.getByLabel('1 unread message').waitFor({ state: 'detached' });
    await page.getByText('New', { exact: true }).waitFor();
  });

  test('a window nobody looks at: nothing is read, and its title counts messages and requests', async t => {
    let mira = {} as Contact;
    const { core, page } = await open(t, profile => {
      mira = profile.addContact('Mira');
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    await page.getByLabel('Message to Mira').waitFor();
    await look(page, false);
    for (const text of ['one', 'two']) {
      core.emit({ event: 'message-received', message: core.profile.addMessage(mira, text) });
    }
    core.emit({ event: 'contact-request', request: core.profile.addRequest('Noor') });
    await until(page, async () => (await page.title()) === '(3) Molva');
    assert.equal(core.calls.filter(call => call.method === 'messages.markRead').length, 0);
    await look(page, true);
    await until(page, async () => (await page.title()) === '(1) Molva');
    assert.equal(core.calls.filter(call => call.method === 'messages.markRead').length, 1);
  });

  test('a link is opened by the core alone, after all of it was shown', async t => {
    const { core, page, faults } = await open(t, profile => {
      const mira = profile.addContact('Mira');
      profile.addMessage(
        mira,
        'Look (https://example.org/a?b=c): not javascript:alert(1) nor https://a:b@evil.example',
      );
      profile.addMessage(mira, 'https://аpple.com/login');
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    const links = page.getByRole('link');
    await links.first().waitFor();
    assert.deepEqual(await links.allTextContents(), ['https://example.org/a?b=c', 'https://аpple.com/login']);
    assert.equal(await page.locator('a, [href]:not(link)').count(), 0, 'the browser has nothing to follow');
    await links.first().click();
    const dialog = page.getByRole('dialog', { name: 'Open this address?' });
    const address = page.locator('molva-link-dialog');
    await address.getByText('https://example.org/a?b=c', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByLabel('Message to Mira').waitFor();
    assert.equal(opened().length, 0);
    await links.last().focus();
    await page.keyboard.press('Enter');
    await address.getByText('https://xn--pple-43d.com/login', { exact: true }).waitFor();
    await page.getByText('letters of another alphabet').waitFor();
    await page.getByRole('button', { name: 'Open in the browser' }).click();
    await dialog.waitFor({ state: 'detached' });
    assert.deepEqual(opened(), [{ url: 'https://xn--pple-43d.com/login' }]);
    assert.equal(page.context().pages().length, 1);
    assert.deepEqual(faults, []);

    function opened() {
      return core.calls.filter(call => call.method === 'link.open').map(call => call.params);
    }
  });

  test('direction signs in a text turn nothing around it', async t => {
    const { page } = await open(t, profile => {
      const mira = profile.addContact('Mira');
      profile.addMessage(mira, 'plain');
      profile.addMessage(mira, 'turned \u202e\u2067\u202d');
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    const bubbles = page.locator('.bubble');
    await bubbles.nth(1).waitFor();
    const [plain, turned] = await bubbles.evaluateAll(found =>
      found.map(bubble => {
        const right = bubble.getBoundingClientRect().right;
        return right - (bubble.querySelector('time')?.getBoundingClientRect().right ?? 0);
      }),
    );
    assert.equal(turned, plain, 'the time stands where it always does');
  });

  test('people come and go online', async t => {
    let mira = {} as Contact;
    const { core, page } = await open(t, profile => {
      mira = profile.addContact('Mira');
    });
    await page.getByText('No contact online').waitFor();
    core.emit({ event: 'peer-connected', contact: mira.id });
    await page.getByText('1 contact online').waitFor();
    await page.getByRole('img', { name: 'Online' }).waitFor();
    core.emit({ event: 'peer-disconnected', contact: mira.id });
    await page.getByText('No contact online').waitFor();
  });

  test('10,000 messages: opens at once, keeps few rows, goes back to the first, keeps the place', async t => {
    const { page } = await open(t, profile => {
      const mira = profile.addContact('Mira');
      for (let i = 0; i < 10_000; i++) {
        profile.addMessage(mira, `number ${i}`, { sentAt: 1_700_000_000_000 + i * 60_000 });
      }
      profile.unread.clear();
    });
    const started = performance.now();
    await page.getByRole('button', { name: /Mira/ }).click();
    const log = page.getByRole('log');
    await log.getByText('number 9999', { exact: true }).waitFor();
    assert.ok(performance.now() - started < 3000, 'the newest are shown without reading all');
    const rows = page.locator('li[data-id]');
    const first = log.getByText('number 0', { exact: true });
    await until(
      page,
      async () => {
        await log.evaluate(box => box.scrollTo({ top: 0 }));
        const count = await rows.count();
        assert.ok(count <= 301, `${count} rows are in the document`);
        return (await first.count()) === 1;
      },
      60_000,
    );
    await page.getByText('Beginning of the conversation').waitFor();
    await page.getByRole('button', { name: 'To the newest message' }).click();
    await log.getByText('number 9999', { exact: true }).waitFor();
    await assertKeepsPlace(page, log);
  });

  test('a text near 32 KiB shows what is left, and a longer one cannot be sent', async t => {
    const { core, page } = await open(t, profile => void profile.addContact('Mira'));
    await page.getByRole('button', { name: /Mira/ }).click();
    const composer = page.getByLabel('Message to Mira');
    await composer.fill('é'.repeat(15_000));
    await page.getByText('2.7 KiB left of 32').waitFor();
    await composer.fill('é'.repeat(17_000));
    await page.getByText('1.2 KiB too long.').waitFor();
    await composer.press('Enter');
    assert.equal(await page.getByRole('button', { name: 'Send' }).isDisabled(), true);
    assert.equal(core.calls.filter(call => call.method === 'messages.send').length, 0);
  });

  test('a narrow window shows list and conversation as two screens', async t => {
    const { page } = await open(t, profile => void profile.addContact('Mira'), { viewport: NARROW });
    const list = page.getByRole('navigation', { name: 'Conversations' });
    await list.getByRole('button', { name: /Mira/ }).click();
    await page.getByLabel('Message to Mira').waitFor();
    assert.equal(await list.isVisible(), false);
    await page.getByRole('button', { name: 'Back to conversations' }).click();
    await list.waitFor();
  });
});

/** As if the window were in front of a person, or behind another. */
function look(page: Page, looking: boolean): Promise<void> {
  return page.evaluate(`{
    document.hasFocus = () => ${looking};
    dispatchEvent(new Event('${looking ? 'focus' : 'blur'}'));
  }`);
}

async function hasState(page: Page, state: Locator, wanted: string): Promise<void> {
  await until(page, async () => (await state.getAttribute('data-state')) === wanted);
}

interface Place {
  readonly id: string;
  readonly y: number;
  readonly first: string;
}

/** Scrolls up until older rows come in above: the row being read stays where it is. */
async function assertKeepsPlace(page: Page, log: Locator): Promise<void> {
  const before: Place = await log.evaluate(box => {
    box.scrollTop = box.clientHeight / 2;
    const rows = [...box.querySelectorAll('li[data-id]')];
    const edge = box.getBoundingClientRect().top;
    const seen = rows.find(row => row.getBoundingClientRect().bottom > edge);
    return {
      id: seen?.getAttribute('data-id') ?? '',
      y: seen?.getBoundingClientRect().top ?? Number.NaN,
      first: rows[0]?.getAttribute('data-id') ?? '',
    };
  });
  const rows = page.locator('li[data-id]');
  await until(page, async () => (await rows.first().getAttribute('data-id')) !== before.first);
  const y = await page.locator(`li[data-id="${before.id}"]`).evaluate(row => row.getBoundingClientRect().top);
  assert.ok(Math.abs(y - before.y) < 2, `moved from ${before.y} to ${y}`);
}
