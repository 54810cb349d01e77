import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { GroupDetails } from '../../core/commands/schema.ts';
import type { FakeCore } from '../support/fake-core.ts';
import {
  addGroup,
  FAKE_GROUP_INVITE,
  memberOf,
  notify,
  say,
  strangerIn,
  summary,
} from '../support/fake-group-commands.ts';
import type { FakeProfile } from '../support/fake-profile.ts';
import { NARROW, NO_BROWSER, until, usePage } from '../support/page.ts';

/** Mira, a contact; Ben, who is none; Lena, a contact outside. */
function crew(profile: FakeProfile): GroupDetails {
  const mira = profile.addContact('Mira', { trust: 'verified', online: true });
  profile.addContact('Lena');
  return addGroup(profile, 'Boat crew', [memberOf(mira), strangerIn(profile, 'Ben', { equivocated: true })]);
}

async function openDetails(page: Page): Promise<void> {
  await page.getByRole('button', { name: /Boat crew/ }).click();
  await page.getByRole('button', { name: 'Group details' }).click();
  await page.getByText('Not your contact').waitFor();
}

const member = (page: Page, nick: string) => page.locator('molva-group-member').filter({ hasText: nick });
const changes = (page: Page) => page.locator('li.notice .change');
const asked = (core: FakeCore, method: string) =>
  core.calls.filter(call => call.method === method).map(call => call.params);

describe('page: groups', { skip: NO_BROWSER }, () => {
  const open = usePage();

  test('a group is made by keyboard with a name and contacts, and opens', async t => {
    const { core, page, faults } = await open(t, profile => {
      profile.addContact('Mira');
      profile.addContact('Sam', { phase: 'requested' });
      profile.addContact('Ole', { addable: false });
    });
    await page.getByRole('button', { name: 'New group' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('checkbox', { name: /Mira/ }).waitFor();
    for (const name of [/Sam.* Has not accepted yet/, /Ole.* be online at the same time once/]) {
      assert.ok(await page.getByRole('checkbox', { name }).isDisabled(), String(name));
    }
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Give the group a name.').waitFor();
    await page.keyboard.type('Boat crew');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Make the group' }).press('Enter');
    await page.getByRole('heading', { name: 'Boat crew' }).waitFor();
    await changes(page).getByText('You made the group “Boat crew”').waitFor();
    assert.deepEqual(asked(core, 'groups.create'), [{ name: 'Boat crew', members: [core.profile.find('Mira')?.id] }]);
    assert.equal(await page.getByRole('dialog').count(), 0);
    assert.deepEqual(faults, []);
  });

  test('who says what is named once in a row; what happened stands between, worries in words', async t => {
    let group = {} as GroupDetails;
    const { core, page, faults } = await open(t, profile => {
      group = crew(profile);
      const ben = group.people.find(({ nick }) => nick === 'Ben') ?? null;
      say(profile, group, 'Mira', 'one');
      say(profile, group, 'Mira', 'two');
      say(profile, group, 'Ben', 'three');
      notify(profile, group, { kind: 'equivocation', member: ben });
      notify(profile, group, { kind: 'hole', member: ben, count: 2 });
      notify(profile, group, { kind: 'fork-healed', count: 1 });
      say(profile, group, 'Ben', 'four');
    });
    const row = page.getByRole('button', { name: /Boat crew/ });
    await row.getByText('Ben: four').waitFor();
    await row.getByLabel('4 unread messages').waitFor();
    await row.click();
    await page.getByText('3 members, 1 online').waitFor();
    assert.deepEqual(
      (await page.locator('.from').allTextContents()).map(words => words.trim()),
      ['Mira:', 'Ben · not your contact:', 'Ben · not your contact:'],
    );
    const words = (await changes(page).allTextContents()).map(text => text.replaceAll(/\s+/g, ' ').trim());
    assert.match(words[0] ?? '', /^Ben signed two different messages in one place\./);
    assert.match(words[1] ?? '', /^2 messages of Ben have not come; Molva asks for them\./);
    assert.match(words[2] ?? '', /one again/);
    assert.equal(await page.locator('.change.grave').count(), 2);
    const elsewhere = notify(core.profile, group, { kind: 'renamed', by: { id: 'x', nick: 'Mira' }, name: 'Crew' });
    core.emit({ event: 'message-received', message: elsewhere });
    await page.locator('#announcer').getByText('Mira named the group “Crew”').waitFor({ state: 'attached' });
    assert.deepEqual(faults, []);
  });

  test('a member that takes the name of a contact is told apart from it', async t => {
    let group = {} as GroupDetails;
    const { page, faults } = await open(t, profile => {
      const mira = profile.addContact('Mira', { trust: 'verified' });
      group = addGroup(profile, 'Boat crew', [memberOf(mira), strangerIn(profile, 'ＭＩＲＡ')]);
      say(profile, group, 'Mira', 'the true one');
      say(profile, group, 'ＭＩＲＡ', 'the other');
    });
    const [, mira, other] = group.people.map(({ id, nick }) => `${nick} · ${id.slice(0, 4)}`);
    await page.getByRole('button', { name: /Boat crew/ }).click();
    await page.locator('.from').getByText(`${other}`).waitFor();
    assert.deepEqual(
      (await page.locator('.from').allTextContents()).map(words => words.trim()),
      [`${mira}:`, `${other} · not your contact:`],
    );
    await page.getByRole('button', { name: 'Group details' }).click();
    await member(page, `${other}`).getByText('Not your contact').waitFor();
    await member(page, `${mira}`).getByText('Verified').waitFor();
    assert.deepEqual(faults, []);
  });

  test('an own text says how many have it, as far as that is known', async t => {
    let group = {} as GroupDetails;
    const { core, page } = await open(t, profile => {
      group = crew(profile);
    });
    await page.getByRole('button', { name: /Boat crew/ }).click();
    await page.getByLabel('Message to Boat crew').fill('hello');
    await page.keyboard.press('Enter');
    const below = page.locator('.waiting');
    await below.getByText('Waiting', { exact: true }).waitFor();
    const { id, conversation } = core.profile.messages.get(group.conversation)?.at(-1) ?? { id: '', conversation: '' };
    const told = { event: 'message-state', id, conversation, state: 'sent', heldBy: 0, until: null, at: 1 } as const;
    core.emit({ ...told, reach: null });
    await below.getByText('Sent', { exact: true }).waitFor();
    core.emit({ ...told, reach: { deliveredTo: 1, of: 2 } });
    await below.getByText('1 of 2 have it').waitFor();
    assert.equal((await page.locator('.state .hidden').textContent())?.trim(), '1 of 2 have it');
    core.emit({ ...told, reach: { deliveredTo: 2, of: 2 } });
    await below.getByText('Everyone has it').waitFor();
  });

  test('the number to compare stands with each member, contact or not; a contact can be talked to', async t => {
    let group = {} as GroupDetails;
    const { page, faults } = await open(t, profile => {
      group = crew(profile);
    });
    await openDetails(page);
    for (const nick of ['Ben', 'Mira']) {
      await page.getByRole('button', { name: `More about ${nick}` }).click();
      const shown = await member(page, nick).locator('.numbers span').allTextContents();
      assert.equal(shown.join(' '), group.people.find(person => person.nick === nick)?.safetyNumber);
    }
    assert.equal(await member(page, 'Ben').getByRole('button', { name: 'Open the conversation' }).count(), 0);
    await member(page, 'Mira').getByRole('button', { name: 'Open the conversation' }).click();
    await page.getByLabel('Message to Mira').waitFor();
    assert.deepEqual(faults, []);
  });

  test('of many members a few are shown until all are asked for', async t => {
    const { page, faults } = await open(t, profile => {
      const others = Array.from({ length: 30 }, (_, i) => strangerIn(profile, `Guest ${i + 1}`));
      addGroup(profile, 'Boat crew', others);
    });
    await page.getByRole('button', { name: /Boat crew/ }).click();
    await page.getByRole('button', { name: 'Group details' }).click();
    await member(page, 'Guest 11').waitFor();
    assert.equal(await member(page, 'Guest 12').count(), 0);
    await page.getByRole('button', { name: 'Show all 31' }).click();
    await member(page, 'Guest 30').waitFor();
    assert.deepEqual(faults, []);
  });

  test('the last admin is told to make another before leaving; then it is leaving until somebody learns of it', async t => {
    const { core, page, faults } = await open(t, profile => void crew(profile));
    await openDetails(page);
    const leave = page.getByRole('button', { name: 'Leave the group' });
    assert.ok(await leave.isDisabled());
    await page.getByText('you are the only one. Make somebody else one first.').waitFor();
    await page.getByRole('button', { name: 'More about Mira' }).click();
    await member(page, 'Mira').getByRole('button', { name: 'Make admin' }).click();
    await leave.press('Enter');
    await until(page, () => page.getByRole('button', { name: 'Cancel' }).evaluate(no => no.matches(':focus')));
    await page.keyboard.press('Enter');
    await until(page, () => leave.evaluate(button => button.matches(':focus')));
    assert.deepEqual(asked(core, 'groups.leave'), [], 'asked first');
    const [group] = core.profile.groups.values();
    assert.ok(group);
    const { people: _, ...brief } = { ...group, phase: 'leaving' as const };
    core.emit({ event: 'group-changed', group: brief });
    await page.getByText(/^You are leaving: it is done as soon as another member learns of it/).waitFor();
    assert.equal(await page.getByLabel('Message to Boat crew').count(), 0);
    assert.equal(await leave.count(), 0);
    assert.deepEqual(faults, []);
  });

  test('members: who they are, roles, and who is to be worried about', async t => {
    const { page, faults } = await open(t, profile => void crew(profile), { viewport: NARROW });
    await openDetails(page);
    await member(page, 'Ada').getByText('(you)').waitFor();
    await member(page, 'Ada').getByText('Admin', { exact: true }).waitFor();
    await member(page, 'Mira').getByText('Verified').waitFor();
    await member(page, 'Mira').getByRole('img', { name: 'Online' }).waitFor();
    await member(page, 'Ben').getByText('Signed two different messages in one place').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Not your contact').waitFor({ state: 'detached' });
    assert.deepEqual(faults, []);
  });

  test('an admin promotes, demotes and removes, the last after a question; focus comes back', async t => {
    const { core, page, faults } = await open(t, profile => void crew(profile));
    await openDetails(page);
    const more = page.getByRole('button', { name: 'More about Mira' });
    await more.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    assert.equal(await more.getAttribute('aria-expanded'), 'false', 'Escape closes what is open there alone');
    await more.press('Enter');
    await member(page, 'Mira').getByRole('button', { name: 'Make admin' }).press('Enter');
    await member(page, 'Mira').getByText('Admin', { exact: true }).waitFor();
    await changes(page).getByText('You made Mira an admin').waitFor();
    await until(page, () => more.evaluate(button => button.matches(':focus')));
    await more.press('Enter');
    await member(page, 'Mira').getByRole('button', { name: 'Make plain member' }).click();
    await changes(page).getByText('You took the admin’s role from Mira').waitFor();
    await page.getByRole('button', { name: 'More about Ada' }).click();
    assert.equal(await member(page, 'Ada').getByRole('button', { name: 'Make plain member' }).isDisabled(), true);
    await page.getByRole('button', { name: 'More about Ben' }).click();
    await member(page, 'Ben').getByRole('button', { name: 'Remove from the group' }).click();
    assert.deepEqual(asked(core, 'groups.remove'), [], 'asked first');
    await member(page, 'Ben').getByRole('button', { name: 'Remove', exact: true }).click();
    await changes(page).getByText('You removed Ben').waitFor();
    assert.equal(await member(page, 'Ben').count(), 0);
    await page.getByText('2 members, 1 online').waitFor();
    assert.deepEqual(faults, []);
  });

  test('a plain member sees who is there and can only leave; afterwards it reads, and cannot write', async t => {
    const { page, faults } = await open(t, profile => {
      const mira = memberOf(profile.addContact('Mira'), { role: 'admin' });
      addGroup(profile, 'Boat crew', [mira, strangerIn(profile, 'Ben')], { role: 'member' });
    });
    await openDetails(page);
    for (const nick of ['Mira', 'Ben']) await page.getByRole('button', { name: `More about ${nick}` }).click();
    await member(page, 'Mira').getByText('The same 60 digits').waitFor();
    for (const name of [/^Make /, /^Remove/, 'More about Ada', 'Add people…', 'Save']) {
      assert.equal(await page.getByRole('button', { name }).count(), 0, String(name));
    }
    await page.getByRole('button', { name: 'Leave the group' }).click();
    await page.getByRole('button', { name: 'Leave', exact: true }).click();
    await page.getByText('You have left this group. What was said until then stays readable here.').waitFor();
    await changes(page).getByText('You left').waitFor();
    assert.equal(await page.getByLabel('Message to Boat crew').count(), 0);
    assert.equal(await page.getByRole('button', { name: 'Leave the group' }).count(), 0);
    assert.deepEqual(faults, []);
  });

  test('one that ended is deleted after a question, and is gone from the list', async t => {
    const { core, page, faults } = await open(t, profile => {
      const mira = memberOf(profile.addContact('Mira'), { role: 'admin' });
      addGroup(profile, 'Boat crew', [mira, strangerIn(profile, 'Ben')], { role: 'member', phase: 'removed' });
    });
    await openDetails(page);
    const first = page.getByRole('button', { name: 'Delete the group' });
    await first.click();
    await page
      .getByText('All that was said in it is deleted from this computer. Others keep what they have.')
      .waitFor();
    await until(page, () => page.getByRole('button', { name: 'Cancel' }).evaluate(no => no.matches(':focus')));
    await page.keyboard.press('Enter');
    await until(page, () => first.evaluate(button => button.matches(':focus')));
    assert.deepEqual(asked(core, 'groups.delete'), [], 'asked first');
    await first.click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: /Boat crew/ }).waitFor({ state: 'detached' });
    assert.equal(asked(core, 'groups.delete').length, 1);
    assert.equal(await page.getByRole('heading', { name: 'Boat crew' }).count(), 0);
    assert.deepEqual(faults, []);
  });

  test('a question about leaving does not turn into one about deleting when one is removed meanwhile', async t => {
    const { core, page, faults } = await open(t, profile => {
      const mira = memberOf(profile.addContact('Mira'), { role: 'admin' });
      addGroup(profile, 'Boat crew', [mira, strangerIn(profile, 'Ben')], { role: 'member' });
    });
    await openDetails(page);
    await page.getByRole('button', { name: 'Leave the group' }).click();
    const [group] = core.profile.groups.values();
    assert.ok(group);
    core.emit({ event: 'group-changed', group: { ...summary(group), phase: 'removed' } });
    await page.getByRole('button', { name: 'Delete the group' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Delete', exact: true }).count(), 0);
    assert.deepEqual(faults, []);
  });

  test('one that cannot be read has a name that says so, and can be deleted', async t => {
    const { core, page, faults } = await open(t, profile => {
      addGroup(profile, '', [], { role: 'member', phase: 'unreadable' });
    });
    await page.getByRole('button', { name: /Group without a name/ }).click();
    await page.getByText('What this computer kept of this group is damaged.').waitFor();
    await page.getByRole('button', { name: 'Group details' }).click();
    await page.getByRole('button', { name: 'Delete the group' }).click();
    await page.getByText('The others go on taking you for a member.').waitFor();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('button', { name: /Group without a name/ }).waitFor({ state: 'detached' });
    assert.equal(core.profile.groups.size, 0);
    assert.deepEqual(faults, []);
  });

  test('people are added from the contacts that are outside, and it is renamed', async t => {
    const { core, page, faults } = await open(t, profile => void crew(profile));
    await openDetails(page);
    await page.getByRole('button', { name: 'Add people…' }).click();
    await page.getByRole('checkbox', { name: /Lena/ }).check();
    assert.equal(await page.getByRole('checkbox').count(), 1, 'members are not offered');
    await page.getByRole('button', { name: 'Add 1 person' }).click();
    await changes(page).getByText('You added Lena').waitFor();
    assert.equal(await page.getByRole('dialog').count(), 0);
    await page.getByLabel('Name of the group').fill('Harbour crew');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Harbour crew' }).waitFor();
    assert.equal(asked(core, 'groups.rename').length, 1);
    assert.deepEqual(faults, []);
  });

  test('a link is made by an admin, and pasted where invites are: then who made it is asked', async t => {
    const { core, page, faults } = await open(t, profile => void crew(profile), { viewport: NARROW });
    await openDetails(page);
    await page.getByRole('button', { name: 'Add people…' }).click();
    await page.getByRole('button', { name: 'Make a link' }).click();
    await page.getByRole('img', { name: 'Invite to the group as a QR code' }).waitFor();
    const link = await page.getByLabel('Invite to the group as text').inputValue();
    assert.equal(link, FAKE_GROUP_INVITE);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByText('Not your contact').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Add a contact' }).click();
    await page.getByLabel('Invite you were given').fill(link);
    await page.getByRole('button', { name: 'Ask to talk' }).click();
    await page.getByText('Tomasz is asked to add you to “Harbour”.').waitFor();
    assert.deepEqual(asked(core, 'groups.join'), [{ invite: link }]);
    assert.deepEqual(asked(core, 'contacts.add'), []);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /Tomasz/ }).waitFor();
    assert.deepEqual(faults, []);
  });

  test('a change from elsewhere is seen at once, also being removed oneself', async t => {
    let group = {} as GroupDetails;
    const { core, page } = await open(t, profile => {
      group = crew(profile);
    });
    await openDetails(page);
    const people = group.people.filter(({ nick }) => nick !== 'Ben');
    const { people: _, ...brief } = { ...group, members: 2, phase: 'removed' as const };
    core.profile.groups.set(group.id, { ...brief, people });
    core.emit({ event: 'group-changed', group: brief });
    core.emit({ event: 'group-members', group: group.id });
    await member(page, 'Ben').waitFor({ state: 'detached' });
    await page.getByText('You were removed from this group.').waitFor();
    await page.getByRole('button', { name: 'More about Mira' }).click();
    await member(page, 'Mira').getByText('The same 60 digits').waitFor();
    assert.equal(await page.getByRole('button', { name: /^(Make|Remove)/ }).count(), 0);
  });
});
