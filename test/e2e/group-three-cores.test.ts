import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, Message } from '../../core/commands/schema.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** How long what is said may take to a member who is connected, and to one who comes back. */
const SPREAD_MS = 5_000;
const JOIN_MS = 30_000;

async function hears(core: RealCore, text: string): Promise<boolean> {
  const { messages } = await core.call('messages.list', { who: 'Trip', limit: 10 });
  return messages.some(message => message.text === text);
}

test('Ben and Cleo, who know only Ada, read each other: at once through Ada, and from what Ada kept', async t => {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  const cleo = await RealCore.make(t, 'Cleo');
  await Promise.all([ada.start(), ben.start(), cleo.start()]);
  await introduce(ada, ben);
  await introduce(ada, cleo);
  const addable = async () => (await ada.call('contacts.list', {})).every(contact => contact.addable);
  await until('both can be added', addable, JOIN_MS);
  await ada.json<Group>('group', 'create', 'Trip', 'Ben', 'Cleo');
  const isIn = async (core: RealCore) => (await core.call('groups.list', {}))[0]?.members === 3;
  for (const core of [ben, cleo]) await until('all three are in it', () => isIn(core), JOIN_MS);

  await ben.json<Message>('send', 'Trip', 'from Ben');
  await until('Cleo hears Ben', () => hears(cleo, 'from Ben'), SPREAD_MS);

  await cleo.end('SIGTERM');
  await ben.json<Message>('send', 'Trip', 'while Cleo is away');
  await until('Ada hears Ben', () => hears(ada, 'while Cleo is away'), SPREAD_MS);
  await ben.end('SIGTERM');
  await cleo.start();
  await until('Cleo has it from Ada', () => hears(cleo, 'while Cleo is away'), SPREAD_MS);
  assert.ok(await hears(cleo, 'from Ben'));
});
