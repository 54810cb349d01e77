import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { heldOf, NO_BROWSER, until, usePage } from '../support/page.ts';

describe('page: link, wipe and keyboard', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('a lost core: the composer says why, nothing is queued, and all is back after it', async t => {
    const { core, page, faults } = await open(t, profile => void profile.addContact('Mira', { online: true }));
    await page.getByRole('button', { name: /Mira/ }).click();
    await page.getByText('1 contact online').waitFor();
    const composer = page.getByLabel('Message to Mira');
    await composer.fill('half a thought');
    await core.crash();
    await page.getByText('Molva’s core is not answering.').waitFor();
    await page.getByText('You can write again when').waitFor();
    assert.equal(await composer.isDisabled(), true);
    await page.getByText('No contact online').waitFor();
    const [mira] = core.profile.contacts.values();
    assert.ok(mira);
    core.profile.addMessage(mira, 'meanwhile');
    await core.revive();
    await page.getByRole('log').getByText('meanwhile').waitFor();
    await page.getByText('Molva’s core is not answering.').waitFor({ state: 'detached' });
    assert.equal(await composer.inputValue(), 'half a thought');
    assert.equal(core.calls.filter(call => call.method === 'messages.send').length, 0);
    await composer.press('Enter');
    await until(page, () => core.calls.some(call => call.method === 'messages.send'));
    assert.deepEqual(faults, []);
  });

  test('a core that ends on purpose is not waited for', async t => {
    const { core, page } = await open(t);
    await page.getByText('No one here yet.').waitFor();
    core.profile.state = 'stopping';
    core.emit({ event: 'core-state', state: 'stopping' });
    await page.getByText('Molva is stopping.').waitFor();
    await core.crash();
    await page.getByText('Molva has stopped.').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Try now' }).count(), 0);
  });

  test('the core erases only after two full seconds of holding', async t => {
    const { core, page, faults } = await open(t);
    await page.getByRole('button', { name: 'Settings' }).click();
    const hold = page.getByRole('button', { name: 'Hold for 2 seconds to erase' });
    await hold.hover();
    await page.mouse.down();
    await until(page, async () => Number(await heldOf(page)) > 0.3);
    await page.mouse.up();
    await until(page, async () => Number(await heldOf(page)) === 0);
    assert.equal(wipes(), 0);
    const from = Date.now();
    await page.mouse.down();
    await page.getByText('Everything is erased').waitFor();
    assert.ok(Date.now() - from >= 2000);
    assert.equal(wipes(), 1);
    await page.getByText('The keys were gone after 12 ms.').waitFor();
    await core.crash();
    await core.revive();
    await page.getByText('Everything is erased').waitFor();
    assert.deepEqual(faults, []);

    function wipes() {
      return core.calls.filter(call => call.method === 'panic.wipe').length;
    }
  });

  test('the held button works by keyboard, also for a locked profile', async t => {
    const { page } = await open(t, profile => {
      profile.state = 'locked';
    });
    await page.getByText('Forgot the passphrase?').click();
    const hold = page.getByRole('button', { name: 'Hold for 2 seconds to erase' });
    await hold.focus();
    await page.keyboard.press('Enter');
    assert.equal(Number(await heldOf(page)) < 0.5, true);
    await page.keyboard.down(' ');
    await page.getByText('Everything is erased').waitFor();
    await page.keyboard.up(' ');
  });

  test('keyboard alone: list, message, details, dialog, and Escape back', async t => {
    const { core, page } = await open(t, profile => {
      for (const [i, nick] of ['Mira', 'Jonas', 'Lena'].entries()) {
        profile.addMessage(profile.addContact(nick), `from ${nick}`, { sentAt: Date.now() - i * 60_000 });
      }
    });
    await page.getByRole('button', { name: /Mira/ }).waitFor();
    await tabTo(page, 'Add a contact');
    await page.keyboard.press('Tab');
    assert.match(await focused(page), /Mira/);
    await page.keyboard.press('ArrowDown');
    assert.match(await focused(page), /Jonas/);
    await page.keyboard.press('End');
    assert.match(await focused(page), /Lena/);
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByLabel('Message to Jonas').waitFor();
    await until(page, async () => (await focused(page)) === 'Message to Jonas');
    await page.keyboard.type('typed only');
    await page.keyboard.press('Enter');
    await until(page, () => core.calls.some(call => call.method === 'messages.send'));
    await page.keyboard.press('Shift+Tab');
    await tabTo(page, 'Contact details', 'Shift+Tab');
    assert.notEqual(await outlineOf(page), 'none', 'the focus is visible');
    await page.keyboard.press('Enter');
    await until(page, async () => (await focused(page)) === 'Close');
    await page.keyboard.press('Escape');
    await until(page, async () => (await focused(page)) === 'Contact details');
    await page.keyboard.press('Escape');
    await page.getByText('Choose a conversation').waitFor();
    await tabTo(page, 'Settings');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await until(page, async () => (await focused(page)) === 'Settings');
  });

  test('the policy of the page is in force: inline script and foreign requests are refused', async t => {
    const { page, faults } = await open(t);
    await page.getByText('No one here yet.').waitFor();
    assert.deepEqual(faults, []);
    await page
      .locator('body')
      .evaluate(body => {
        const script = body.ownerDocument.createElement('script');
        script.setAttribute('src', 'data:text/javascript,document.title="owned"');
        body.append(script);
      })
      .catch(() => {});
    await until(page, () => faults.length > 0);
    assert.match(faults.join(' '), /script|trusted/i);
    assert.equal(await page.title(), 'Molva');
  });
});

/** The accessible name of what has the focus, through shadow trees. */
function focused(page: Page): Promise<string> {
  return page.locator('html').evaluate(root => {
    let active = root.ownerDocument.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active?.getAttribute('aria-label') ?? active?.textContent?.replaceAll(/\s+/g, ' ').trim() ?? '';
  });
}

function outlineOf(page: Page): Promise<string> {
  return page.locator('html').evaluate(root => {
    let active = root.ownerDocument.activeElement;
    while (active?.shadowRoot?.activeElement) active = active.shadowRoot.activeElement;
    return active ? (root.ownerDocument.defaultView?.getComputedStyle(active).outlineStyle ?? 'none') : 'none';
  });
}

async function tabTo(page: Page, name: string, key = 'Tab'): Promise<void> {
  for (let i = 0; i < 20; i++) {
    if ((await focused(page)) === name) return;
    await page.keyboard.press(key);
  }
  assert.fail(`${name} is not reached by ${key}`);
}
