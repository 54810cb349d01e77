import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MINUTE_MS } from '../../core/base/clock.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { people } from '../support/people.ts';
import type { Person } from '../support/person.ts';

function texts(person: Person, group: GroupId): number {
  const { conversation } = person.messenger.groups.get(group);
  return person.store.messages.newest(conversation, 1_000).filter(({ content }) => content === undefined).length;
}

function isIn(person: Person, group: GroupId): boolean {
  return person.messenger.groups.list().some(({ id }) => id === group);
}

it('a text costs the group’s row nothing, and what was said is known again after a restart', async () => {
  const { time, all } = await people(['Ada', 'Ben']);
  const [ada, ben] = all;
  for (const person of all) person.addable = true;
  await ada.meet(ben);
  await time.until(() => ada.store.peerKeyPackages.get(ben.id) !== undefined);
  const group = await time.run(ada.messenger.groups.create('Trip', [ben.id]));
  await time.until(() => isIn(ben, group));
  await time.pass(5 * MINUTE_MS);
  await ada.messenger.groups.send(group, 'first');
  await time.until(() => texts(ben, group) === 1);
  const row = (): number => ben.store.groups.get(group)?.state.length ?? 0;
  const before = row();
  for (let at = 0; at < 60; at += 1) await ada.messenger.groups.send(group, `text ${at}`);
  await time.until(() => texts(ben, group) === 61);
  assert.ok(row() <= before + 64, `${before} bytes, and ${row()} after 60 texts`);
  await ben.stop();
  await ada.messenger.groups.send(group, 'meanwhile');
  await ben.start();
  await time.until(() => texts(ben, group) === 62, 30 * MINUTE_MS);
  const notices = ben.store.messages.newest(ben.messenger.groups.get(group).conversation, 1_000);
  await time.pass(30 * MINUTE_MS);
  const { conversation } = ben.messenger.groups.get(group);
  assert.equal(
    ben.store.messages.newest(conversation, 1_000).length,
    notices.length,
    'neither a hole nor anybody is named',
  );
});
