import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Group, Message } from '../../core/commands/schema.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** How long what is said may take to a member who is connected, and to one who comes back. */
const SPREAD_MS = 5_000;

async function hears(core: RealCore, text: string): Promise<boolean> {
  const { stdout } = await core.molva('messages', 'Trip', '--limit', '10');
  const lines = stdout.split('\n').filter(line => line !== '');
  return lines.some(line => (JSON.parse(line) as Message).text === text);
}

test('Ben and Cleo, who know only Ada, read each other: at once through Ada, and from what Ada kept', async t => {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  const cleo = await RealCore.make(t, 'Cleo');
  await Promise.all([ada.start(), ben.start(), cleo.start()]);
  await introduce(ada, ben);
  await introduce(ada, cleo);
  const created = async () => (await ada.molva('group', 'create', 'Trip', 'Ben', 'Cleo')).code === 0;
  await until('both can be added', created, 150_000);
  const isIn = async (core: RealCore) => (await core.molva('group', 'info', 'Trip')).code === 0;
  for (const core of [ben, cleo]) await until('the group is there', () => isIn(core), 30_000);
  for (const core of [ben, cleo]) {
    await until(
      'all three are in it',
      async () => (await core.json<Group>('group', 'info', 'Trip')).members === 3,
      30_000,
    );
  }

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
