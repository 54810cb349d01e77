import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../core/commands/error-map.ts';
import type { Group, GroupDetails, GroupMember } from '../../core/commands/schema.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

const DONE_MS = 30_000;

/** How a command ended, and the code of its error. */
async function refusal(core: RealCore, ...words: string[]): Promise<[number | null, string]> {
  const { code, stderr } = await core.molva(...words);
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return [code, last === '' ? '' : JSON.parse(last).error.code];
}

async function becomes(core: RealCore, group: string, what: string, is: (group: GroupDetails) => boolean) {
  await until(what, async () => is(await core.call('groups.get', { group })), DONE_MS);
}

async function threeCores(t: Parameters<typeof RealCore.make>[0]): Promise<[RealCore, RealCore, RealCore]> {
  const cores = await Promise.all(['Ada', 'Ben', 'Cleo'].map(nick => RealCore.make(t, nick)));
  const [ada, ben, cleo] = cores as [RealCore, RealCore, RealCore];
  await Promise.all(cores.map(core => core.start()));
  await introduce(ada, ben);
  await introduce(ada, cleo);
  const addable = async () => (await ada.call('contacts.list', {})).every(contact => contact.addable);
  await until('both can be added', addable, DONE_MS);
  return [ada, ben, cleo];
}

test('molva group on three running cores: create, members, rename, admin, remove, add, leave, invite, join, delete', async t => {
  const [ada, ben, cleo] = await threeCores(t);
  const made = await ada.json<GroupDetails>('group', 'create', 'Trip', 'Ben', 'Cleo');
  assert.equal(made.name, 'Trip');
  const at = made.id;
  for (const core of [ben, cleo]) {
    const arrived = async () => (await core.call('groups.list', {}))[0]?.members === 3;
    await until('everybody is in it', arrived, DONE_MS);
  }
  const people = (await ben.molva('group', 'members', 'Trip')).stdout.trim().split('\n');
  const roles = people.map(line => JSON.parse(line) as GroupMember).map(({ nick, role, you }) => [nick, role, you]);
  assert.deepEqual(roles.sort(), [
    ['Ada', 'admin', false],
    ['Ben', 'member', true],
    ['Cleo', 'member', false],
  ]);

  assert.deepEqual(await refusal(ben, 'group', 'rename', 'Trip', 'Mine'), [EXIT.refused, 'refused']);
  assert.deepEqual(await refusal(ben, 'group', 'invite', 'Trip'), [EXIT.refused, 'refused']);
  assert.deepEqual(await refusal(ada, 'group', 'info', 'Nowhere'), [EXIT.notFound, 'not-found']);
  assert.deepEqual(await refusal(ada, 'group', 'leave', 'Trip', '--yes'), [EXIT.refused, 'refused']);
  assert.deepEqual(await refusal(ada, 'group', 'add', 'Trip', 'Nobody'), [EXIT.notFound, 'not-found']);
  assert.deepEqual(await refusal(cleo, 'group', 'join', 'molva:g1/x'), [EXIT.usage, 'bad-bytes']);
  assert.equal((await ada.molva('group', 'dissolve', 'Trip')).code, EXIT.usage);

  await ada.json<GroupDetails>('group', 'rename', 'Trip', 'Voyage');
  for (const core of [ada, ben, cleo]) await becomes(core, at, 'it is renamed', ({ name }) => name === 'Voyage');
  await ada.json<GroupDetails>('group', 'admin', 'Voyage', 'add', 'Ben');
  await becomes(ben, at, 'Ben is an admin', ({ role }) => role === 'admin');

  await ben.json<GroupDetails>('group', 'remove', 'Voyage', 'Cleo');
  await becomes(cleo, at, 'Cleo is out', ({ phase }) => phase === 'removed');
  await becomes(ada, at, 'Ada knows', ({ members }) => members === 2);
  assert.deepEqual(await refusal(cleo, 'send', 'Voyage', 'may I?'), [EXIT.refused, 'refused']);
  // Cleo is a contact of Ada's alone.
  assert.deepEqual(await refusal(ben, 'group', 'add', 'Voyage', 'Cleo'), [EXIT.notFound, 'not-found']);
  const again = async () => (await ada.molva('group', 'add', 'Voyage', 'Cleo')).code === EXIT.done;
  await until('Cleo can be added again', again, DONE_MS);
  await becomes(cleo, at, 'Cleo is back', ({ phase, members }) => phase === 'member' && members === 3);

  assert.deepEqual(await refusal(cleo, 'group', 'leave', 'Voyage'), [EXIT.usage, 'bad-request']);
  await cleo.json<Group>('group', 'leave', 'Voyage', '--yes');
  await becomes(cleo, at, 'Cleo has left', ({ phase }) => phase === 'left');
  for (const core of [ada, ben]) await becomes(core, at, 'Cleo has left', ({ members }) => members === 2);
  const { invite } = await ada.json<{ invite: string }>('group', 'invite', 'Voyage');
  const asked = await cleo.json<{ name: string; contact: { nick: string } }>('group', 'join', invite);
  assert.deepEqual([asked.name, asked.contact.nick], ['Voyage', 'Ada']);
  await becomes(cleo, at, 'Cleo has come by the link', ({ phase, members }) => phase === 'member' && members === 3);
  assert.deepEqual(await refusal(cleo, 'group', 'join', invite), [EXIT.refused, 'already-exists']);

  await ada.json<GroupDetails>('group', 'admin', 'Voyage', 'remove', 'Ben');
  await becomes(ben, at, 'Ben is a plain member', ({ role }) => role === 'member');
  await ben.json('send', 'Voyage', 'all is well');
  const hears = async (core: RealCore) => {
    const { messages } = await core.call('messages.list', { who: at });
    return messages.some(({ text }) => text === 'all is well');
  };
  for (const core of [ada, cleo]) await until(`${core === ada ? 'Ada' : 'Cleo'} hears Ben`, () => hears(core), DONE_MS);
  const listed = await cleo.json<Group>('group', 'list');
  assert.deepEqual([listed.name, listed.members, listed.role], ['Voyage', 3, 'member']);

  assert.deepEqual(await refusal(cleo, 'group', 'delete', 'Voyage', '--yes'), [EXIT.refused, 'refused']);
  await ada.json<GroupDetails>('group', 'remove', 'Voyage', 'Cleo');
  await becomes(cleo, at, 'Cleo is out', ({ phase }) => phase === 'removed');
  assert.deepEqual(await cleo.json('group', 'delete', 'Voyage', '--yes'), { done: true });
  await cleo.kill();
  await cleo.startAgain();
  assert.deepEqual(await cleo.call('groups.list', {}), [], 'gone for good');
  assert.ok((await cleo.call('conversations.list', {})).every(({ group }) => group === null));
  await until('Cleo can be added again', again, DONE_MS);
  const isBack = async () => (await cleo.call('groups.list', {})).some(({ id, members }) => id === at && members === 3);
  await until('Cleo is back', isBack, DONE_MS);
  assert.equal(await hears(cleo), false, 'what was deleted stays deleted');
});
