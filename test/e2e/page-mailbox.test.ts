import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Contact, Message } from '../../core/commands/schema.ts';
import type { FakeCore } from '../support/fake-core.ts';
import { placeOf } from '../support/fake-profile.ts';
import { NARROW, NO_BROWSER, until, usePage } from '../support/page.ts';

const DAY_MS = 86_400_000;

describe('page: messages that travel by others', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('who holds a message and until when, in words, for as long as it waits', async t => {
    let sent = {} as Message;
    const { core, page, faults } = await open(t, profile => {
      const mira = profile.addContact('Mira');
      sent = profile.addMessage(mira, 'hello', { outgoing: true });
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    const state = page.locator('.state');
    const below = page.locator('.waiting');
    await below.getByText('Waiting', { exact: true }).waitFor();
    const day = new Date(Date.now() + 6 * DAY_MS);
    day.setHours(14, 5, 0, 0);
    tellState(core, sent, 'held', { heldBy: 1, until: day.getTime() });
    await below.getByText(/^Held by 1 contact until /).waitFor();
    tellState(core, sent, 'held', { heldBy: 3, until: day.getTime() });
    await below.getByText(/^Held by 3 contacts until /).waitFor();
    const words = (await below.textContent()) ?? '';
    assert.match(words, new RegExp(`\\b${day.getDate()}\\b.*\\b14:05$`));
    assert.equal((await state.locator('.hidden').textContent())?.trim(), words, 'the same words for a screen reader');
    assert.match((await state.getAttribute('title')) ?? '', /^Held by 3 contacts.*signed a receipt/);
    tellState(core, sent, 'queued');
    await below.getByText('Waiting', { exact: true }).waitFor();
    tellState(core, sent, 'delivered');
    await below.waitFor({ state: 'detached' });
    assert.equal(await state.getAttribute('data-state'), 'delivered');
    assert.deepEqual(faults, []);
  });

  test('an expired message is sent again once; when that is refused, it can be tried again', async t => {
    let old = {} as Message;
    const { core, page } = await open(t, profile => {
      old = profile.addMessage(profile.addContact('Mira'), 'old words', { outgoing: true, state: 'expired' });
    });
    const kept = core.profile.messages.get(old.conversation) as Message[];
    await page.getByRole('button', { name: /Mira/ }).click();
    const again = page.getByRole('button', { name: 'Send again' });
    kept.splice(0, 1, { ...old, state: 'delivered' });
    await again.click();
    await page.getByRole('alert').getByText('It has not expired.').waitFor();
    kept.splice(0, 1, old);
    await again.click();
    await page.getByText('Sent again below').waitFor();
    const texts = page.locator('li[data-id] .text');
    await until(page, async () => (await texts.count()) === 2);
    assert.deepEqual(await texts.allTextContents(), ['old words', 'old words']);
    assert.equal(await again.count(), 0);
    const asked = core.calls.filter(call => call.method === 'messages.sendAgain').map(call => call.params);
    assert.deepEqual(asked, [{ id: old.id }, { id: old.id }]);
    assert.equal(core.calls.filter(call => call.method === 'messages.send').length, 0);
  });

  test('the order is the core’s; what came late says so; the line of a gap goes when the gap is filled', async t => {
    let mira = {} as Contact;
    const now = Date.now();
    const { core, page, faults } = await open(t, profile => {
      mira = profile.addContact('Mira');
      const first = profile.addMessage(mira, 'first', { sentAt: now, place: placeOf(1, 0) });
      profile.addMessage(mira, 'third', { sentAt: now - 5000, place: placeOf(3, 0) });
      profile.gaps.set(mira.conversation, { completeUpTo: first.id, missing: 1 });
    });
    await page.getByRole('button', { name: /Mira/ }).click();
    const row = (text: string) => page.locator('li[data-id]').filter({ hasText: text });
    await row('third').locator('.gap').getByText('One message below has not come yet').waitFor();
    assert.equal(await row('first').locator('.gap').count(), 0);
    core.profile.gaps.delete(mira.conversation);
    const late = { sentAt: now + 9000, place: placeOf(2, 0), late: true };
    core.emit({ event: 'message-received', message: core.profile.addMessage(mira, 'second', late) });
    await row('second').getByText('arrived late').waitFor();
    await page.locator('.gap').waitFor({ state: 'detached' });
    const texts = page.locator('li[data-id] .text');
    assert.deepEqual(await texts.allTextContents(), ['first', 'second', 'third']);
    await page.reload();
    await page.getByRole('button', { name: /Mira/ }).click();
    await row('second').getByText('arrived late').waitFor();
    assert.deepEqual(await texts.allTextContents(), ['first', 'second', 'third']);
    assert.deepEqual(faults, []);
  });

  test('holding for contacts: how much is held, off and on by keyboard, and a helper’s choice is fixed', async t => {
    const { core, page, faults } = await open(t, profile => {
      profile.addContact('Mira');
      profile.custody = { ...profile.custody, envelopes: 12, bytes: 340 * 1024 };
    });
    await page.getByRole('button', { name: 'Settings' }).click();
    const hold = page.getByRole('switch', { name: 'Hold messages for my contacts' });
    await page.getByText('Held now: 12 sealed envelopes, 340 KiB of 64 MiB.', { exact: true }).waitFor();
    assert.equal(await hold.isChecked(), true);
    await hold.focus();
    await page.keyboard.press('Space');
    await page.getByText('What was promised is held to its end.').waitFor();
    assert.equal(core.profile.custody.holds, false);
    await page.keyboard.press('Space');
    await until(page, () => core.profile.custody.holds);
    assert.equal(await hold.isChecked(), true);
    await page.keyboard.press('Escape');
    core.profile.custody = { ...core.profile.custody, helper: true, envelopes: 0 };
    await page.getByRole('button', { name: 'Settings' }).click();
    await page.getByText('Nothing is held now.').waitFor();
    await page.getByText('started as a helper').waitFor();
    assert.equal(await hold.isDisabled(), true);
    assert.deepEqual(faults, []);
  });

  test('a restored profile: told while it runs and at the start, with what to do, until it is dismissed', async t => {
    const { core, page, faults } = await open(t, profile => void profile.addContact('Mira'), { viewport: NARROW });
    await page.getByRole('button', { name: /Mira/ }).waitFor();
    const notice = page.getByRole('alert', { name: 'This profile is an older copy' });
    assert.equal(await notice.count(), 0);
    core.profile.restoredAt = Date.now();
    core.emit({ event: 'profile-restored', at: core.profile.restoredAt });
    await notice.getByText('Use it in one place only').waitFor();
    await page.reload();
    await notice.waitFor();
    await page.getByRole('button', { name: 'Understood' }).click();
    await notice.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByRole('button', { name: /Mira/ }).waitFor();
    assert.equal(await notice.count(), 0);
    core.emit({ event: 'profile-restored', at: core.profile.restoredAt + 1 });
    await notice.waitFor();
    assert.deepEqual(faults, []);
  });

  test('a sync under way is said once, where the person looks, and goes with its end', async t => {
    const people: Contact[] = [];
    const { core, page } = await open(t, profile => {
      people.push(profile.addContact('Mira', { online: true }), profile.addContact('Lena', { online: true }));
    });
    const [mira, lena] = people.map(({ id }) => id) as [string, string];
    await page.getByRole('button', { name: /Mira/ }).click();
    await page.getByLabel('Message to Mira').waitFor();
    const lines = page.locator('.sync');
    const said = async () => (await lines.allTextContents()).map(words => words.trim());
    core.emit({ event: 'offline-sync-started', contact: mira, direction: 'in', queued: 12 });
    await lines.waitFor();
    assert.deepEqual(await said(), ['· Fetching messages… 12']);
    core.emit({ event: 'offline-sync-started', contact: lena, direction: 'out', queued: 3 });
    await until(page, async () => (await lines.count()) === 2);
    assert.deepEqual((await said()).sort(), ['Handing messages to Lena… 3', '· Fetching messages… 12'].sort());
    core.emit({ event: 'offline-sync-finished', contact: mira, direction: 'in', sent: 0, received: 12 });
    await until(page, async () => (await lines.count()) === 1);
    core.emit({ event: 'peer-disconnected', contact: lena });
    await lines.waitFor({ state: 'detached' });
  });
});

function tellState(core: FakeCore, sent: Message, state: Message['state'], more: Partial<Message> = {}): void {
  const { heldBy = 0, until = null } = more;
  const { id, conversation } = sent;
  core.emit({ event: 'message-state', id, conversation, state, heldBy, until, reach: null, at: Date.now() });
}
