import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreError } from '../../core/base/errors.ts';
import type { GroupId } from '../../core/base/ids.ts';
import { askToJoin, inviteToGroup } from '../../core/state/groups/invites.ts';
import { decodeGroupInvite, encodeGroupInvite } from '../../core/wire/group-invite.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const DAY_MS = 86_400_000;

/** Ada has a group of her own; Ben knows nobody. */
async function begin() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const [ada, ben, cem] = await Promise.all(['Ada', 'Ben', 'Cem'].map(name => Person.create(name, network, time)));
  if (!ada || !ben || !cem) throw new Error('three people');
  for (const person of [ada, ben, cem]) person.addable = true;
  const group = await time.run(ada.messenger.groups.create('Trip', []));
  return { time, ada, ben, cem, group };
}

function memberCount(person: Person, group: GroupId): number {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members.length ?? 0;
}

const refused = (error: CoreError) => error.code === 'refused';

describe('a link to a group', () => {
  it('makes whoever holds it a member once the request is accepted, and they talk', async () => {
    const { time, ada, ben, group } = await begin();
    const { invite } = await time.run(inviteToGroup(ada.messenger, group));
    assert.match(invite, /^molva:g1\//);
    const asked = await time.run(askToJoin(ben.messenger, ` ${invite.toUpperCase()}\n`));
    assert.deepEqual(asked, { contact: ada.id, name: 'Trip' });
    await time.until(() => ada.store.requests.get(ben.id) !== undefined);
    assert.equal(memberCount(ada, group), 1, 'not before the request is accepted');
    await time.run(ada.messenger.acceptRequest(ben.id));
    await time.until(() => memberCount(ada, group) === 2 && memberCount(ben, group) === 2);
    await time.run(ben.messenger.groups.send(group, 'hello'));
    const { conversation } = ada.messenger.groups.get(group);
    await time.until(() => ada.store.messages.newest(conversation, 9).some(({ text }) => text === 'hello'));
    await assert.rejects(time.run(askToJoin(ben.messenger, invite)), { code: 'already-exists' });
  });

  it('is made by admins alone, and opens no other group and not after its time', async () => {
    const { time, ada, ben, cem, group } = await begin();
    await ada.meet(ben);
    await ada.meet(cem);
    const other = await time.run(ada.messenger.groups.create('Other', []));
    const { invite } = await time.run(inviteToGroup(ada.messenger, group));
    const { invite: last } = await time.run(inviteToGroup(ada.messenger, other));
    // Somebody who knows another group's id puts it into the link that was given.
    const forged = encodeGroupInvite({ ...decodeGroupInvite(invite), group: other });
    await time.run(askToJoin(ben.messenger, forged));
    await time.run(askToJoin(ben.messenger, invite));
    await time.until(() => memberCount(ben, group) === 2);
    assert.equal(memberCount(ada, other), 1);
    await assert.rejects(time.run(inviteToGroup(ben.messenger, group)), refused);
    await time.jump(8 * DAY_MS);
    await assert.rejects(time.run(askToJoin(cem.messenger, last)), refused);
  });

  it('lets nobody in again who was removed; an admin may add them by hand', async () => {
    const { time, ada, ben, cem, group } = await begin();
    await ada.meet(ben);
    await ada.meet(cem);
    const { invite } = await time.run(inviteToGroup(ada.messenger, group));
    await time.run(askToJoin(ben.messenger, invite));
    await time.until(() => memberCount(ben, group) === 2);
    await time.run(ada.messenger.groups.change(group, { kind: 'remove', member: ben.id }));
    await time.until(() => ben.messenger.groups.get(group).phase === 'removed');
    await time.run(askToJoin(ben.messenger, invite));
    // What was asked earlier was answered by the time what is asked later is.
    await time.until(() => ben.store.outbox.count() === 0);
    await time.run(askToJoin(cem.messenger, invite));
    await time.until(() => memberCount(cem, group) === 2);
    const membersNow = () => ada.messenger.groups.get(group).members.map(({ id }) => id);
    assert.deepEqual(membersNow().toSorted(), [ada.id, cem.id].toSorted());
    await time.run(ada.messenger.groups.add(group, ben.id));
    await time.until(() => memberCount(ben, group) === 3);
    await time.run(ben.messenger.groups.leave(group));
    await time.until(() => memberCount(ada, group) === 2 && ben.messenger.groups.get(group).phase === 'left');
    await time.run(askToJoin(ben.messenger, invite));
    await time.until(() => memberCount(ben, group) === 3, 10 * 60_000);
  });

  it('that is mistyped or cut is not taken', async () => {
    const { time, ada, ben, group } = await begin();
    const { invite } = await time.run(inviteToGroup(ada.messenger, group));
    for (const text of [
      invite.slice(0, -1),
      invite.replace('g1', '1'),
      `${invite.slice(0, 40)}a${invite.slice(41)}b`,
    ]) {
      await assert.rejects(time.run(askToJoin(ben.messenger, text)), { code: 'bad-bytes' });
    }
  });
});
