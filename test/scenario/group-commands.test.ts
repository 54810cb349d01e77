import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as v from 'valibot';
import type { GroupId } from '../../core/base/ids.ts';
import { apiEventOf } from '../../core/commands/events.ts';
import type { CoreHost } from '../../core/commands/host.ts';
import { EVENTS, METHODS, type MethodName, type Params, type Result } from '../../core/commands/schema.ts';
import { createCommands } from '../../core/commands/table.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** Ada knows Ben and Cem, who do not know each other. */
async function begin() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const [ada, ben, cem] = await Promise.all(['Ada', 'Ben', 'Cem'].map(name => Person.create(name, network, time)));
  if (!ada || !ben || !cem) throw new Error('three people');
  for (const person of [ada, ben, cem]) person.addable = true;
  await ada.meet(ben);
  await ada.meet(cem);
  await time.until(() => [ben, cem].every(({ id }) => ada.store.peerKeyPackages.get(id) !== undefined));
  return { time, network, ada, ben, cem };
}

/** Calls as the API does: parameters and result are checked against the schema. */
function caller(time: VirtualTime, person: Person) {
  const commands = createCommands({ messenger: () => person.messenger } as CoreHost);
  return async <M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> => {
    const { params: form, result } = METHODS[method];
    const command = commands[method] as (params: unknown) => Promise<unknown>;
    return v.parse(v.strictObject({ answer: result as v.GenericSchema }), {
      answer: await time.run(command(v.parse(form, params))),
    }).answer as Result<M>;
  };
}

/** What clients of the API were told. */
function told(person: Person) {
  return person.events.flatMap(event => {
    const shown = apiEventOf(person.messenger, event);
    if (!shown) return [];
    v.assert(EVENTS[shown.event] as v.GenericSchema, shown);
    return [shown];
  });
}

const named = (people: readonly { readonly nick: string }[]) => people.map(({ nick }) => nick);

describe('groups over the API', () => {
  it('make, read, write and rename one; members who are no contacts have their own names', async () => {
    const { time, ada, ben, cem } = await begin();
    const [call, ofBen] = [caller(time, ada), caller(time, ben)];
    const made = await call('groups.create', { name: ' Trip ', members: ['ben', cem.id, 'Ben'] });
    assert.deepEqual([made.name, made.role, made.phase], ['Trip', 'admin', 'member']);
    const members = async () => (await ofBen('groups.list', {})).find(({ id }) => id === made.id)?.members;
    await time.until(() => [ben, cem].every(person => person.messenger.groups.list()[0]?.members.length === 3));
    assert.equal(await members(), 3);
    const people = await call('groups.get', { group: 'trip' });
    assert.deepEqual(named(people.people), ['Ada', 'Ben', 'Cem']);
    assert.deepEqual(
      people.people.map(({ you, contact, trust, role }) => [you, contact, trust, role]),
      [
        [true, false, null, 'admin'],
        [false, true, 'unverified', 'member'],
        [false, true, 'unverified', 'member'],
      ],
    );
    const sent = await ofBen('messages.send', { who: 'TRIP', text: 'hello' });
    assert.deepEqual([sent.state, sent.fromNick, sent.reach], ['queued', 'Ben', { deliveredTo: 0, of: 2 }]);
    await time.until(() => told(cem).some(event => event.event === 'message-received' && event.message.text !== ''));
    const read = await caller(time, cem)('messages.list', { who: made.conversation });
    const text = read.messages.find(message => message.text === 'hello');
    assert.deepEqual(
      [text?.id, text?.fromNick, text?.notice],
      [sent.id, 'Ben', null],
      'by the card Ben gave the group',
    );
    await call('groups.rename', { group: made.id, name: 'Voyage' });
    await time.until(() => ben.messenger.groups.list()[0]?.name === 'Voyage');
    const notices = (await ofBen('messages.list', { who: 'voyage' })).messages.flatMap(({ notice }) => notice ?? []);
    assert.deepEqual(notices.map(({ kind, by, name }) => [kind, by?.nick, name]).at(-1), ['renamed', 'Ada', 'Voyage']);
    const row = (await ofBen('conversations.list', {})).find(({ group }) => group?.id === made.id);
    assert.deepEqual([row?.contact, row?.group?.name], [null, 'Voyage']);
    const names = told(ben).map(({ event }) => event);
    for (const event of ['group-changed', 'group-members', 'group-commit'] as const) assert.ok(names.includes(event));
  });

  it('a text is unread until it is marked read; how many have it is told', async () => {
    const { time, ada, ben } = await begin();
    const [call, ofBen] = [caller(time, ada), caller(time, ben)];
    const { id, conversation } = await call('groups.create', { name: 'Trip', members: ['Ben'] });
    await time.until(() => ben.messenger.groups.list()[0]?.members.length === 2);
    const { id: message } = await call('messages.send', { who: 'Trip', text: 'hello' });
    const unread = async () => (await ofBen('conversations.list', {})).find(row => row.id === conversation)?.unread;
    await time.until(() => ben.store.conversations.list().some(row => row.group === id && row.unread > 0));
    assert.equal(await unread(), 1, 'what the core tells does not count');
    await ofBen('messages.markRead', { who: id });
    assert.equal(await unread(), 0);
    const reached = () =>
      told(ada).some(
        event => event.event === 'message-state' && event.id === message && event.reach?.deliveredTo === 1,
      );
    await time.until(reached);
    const [own] = (await call('messages.list', { who: id })).messages.filter(({ outgoing }) => outgoing);
    assert.deepEqual([own?.state, own?.reach], ['sent', { deliveredTo: 1, of: 1 }]);
  });

  it('a name that a contact and a group bear is ambiguous for messages, and clear elsewhere', async () => {
    const { time, ada, ben } = await begin();
    const call = caller(time, ada);
    const { id } = await call('groups.create', { name: 'Ben', members: [] });
    await assert.rejects(call('messages.send', { who: 'ben', text: 'to whom?' }), { code: 'ambiguous' });
    assert.equal((await call('messages.send', { who: ben.id, text: 'to you' })).reach, null);
    assert.notEqual((await call('messages.send', { who: id, text: 'to all' })).reach, null);
    assert.equal((await call('groups.get', { group: 'Ben' })).id, id);
    assert.equal((await call('groups.add', { group: 'Ben', who: 'Ben' })).id, id);
    await call('groups.create', { name: 'BEN', members: [] });
    await assert.rejects(call('groups.get', { group: 'ben' }), { code: 'ambiguous' });
    await assert.rejects(call('messages.list', { who: 'Nobody' }), { code: 'not-found' });
    await assert.rejects(call('groups.remove', { group: id, member: 'Nobody' }), { code: 'not-found' });
  });

  it('who can be added is known before, and why not is said; so is everything else that is refused', async () => {
    const { time, network, ada, ben, cem } = await begin();
    const [call, ofBen, ofCem] = [caller(time, ada), caller(time, ben), caller(time, cem)];
    const dan = await Person.create('Dan', network, time);
    await ada.meet(dan);
    const addable = async () => (await call('contacts.list', {})).map(({ nick, addable }) => [nick, addable]);
    assert.deepEqual((await addable()).sort(), [
      ['Ben', true],
      ['Cem', true],
      ['Dan', false],
    ]);
    const { id: group } = await call('groups.create', { name: 'Trip', members: ['Ben'] });
    const no = (answer: Promise<unknown>, code: string, message: RegExp) => assert.rejects(answer, { code, message });
    await no(call('groups.create', { name: 'Other', members: ['Dan'] }), 'refused', /cannot be added yet/);
    await no(call('groups.add', { group, who: 'Dan' }), 'refused', /cannot be added yet/);
    await no(call('groups.add', { group, who: 'Eve' }), 'not-found', /^Nobody here is called "Eve"\.$/);
    await no(call('groups.get', { group: 'Nope' }), 'not-found', /^There is no group called "Nope"\.$/);
    await no(call('groups.leave', { group: 'a'.repeat(26) }), 'not-found', /^There is no group called/);
    await time.until(() => ben.messenger.groups.list()[0]?.members.length === 2);
    await no(call('groups.add', { group, who: 'Ben' }), 'refused', /already/);
    await no(call('groups.promote', { group, member: 'Cem' }), 'not-found', /^No member of the group is called "Cem"/);
    await no(call('groups.leave', { group }), 'refused', /admin before you leave/);
    await no(call('groups.demote', { group, member: 'Ada' }), 'refused', /needs an admin/);
    for (const method of ['groups.remove', 'groups.promote', 'groups.demote'] as const) {
      await no(ofBen(method, { group, member: 'Ada' }), 'refused', /^Only an admin/);
    }
    await no(ofBen('groups.rename', { group, name: 'Mine' }), 'refused', /^Only an admin/);
    await no(ofBen('groups.invite', { group }), 'refused', /admin/);
    await no(ofCem('messages.send', { who: group, text: 'hello' }), 'not-found', /^Nobody here is called/);
    await no(ofCem('groups.join', { invite: 'molva:g1/nonsense' }), 'bad-bytes', /./);
    assert.deepEqual(
      (await call('groups.list', {})).map(({ name, members }) => [name, members]),
      [['Trip', 2]],
      'nothing was made or changed on the way',
    );
    dan.addable = true;
    await time.until(() =>
      told(ada).some(
        event => event.event === 'contact-changed' && event.contact.nick === 'Dan' && event.contact.addable,
      ),
    );
    await call('groups.add', { group, who: 'Dan' });
  });

  it('members who have never met can compare a number, the same on both sides', async () => {
    const { time, ada, ben, cem } = await begin();
    const { id: group } = await caller(time, ada)('groups.create', { name: 'Trip', members: ['Ben', 'Cem'] });
    const known = (one: Person, other: Person) => one.store.groupMembers.get(group as GroupId, other.id) !== undefined;
    await time.until(() => known(ben, cem) && known(cem, ben));
    const numberAt = async (one: Person, other: Person) => {
      const { people } = await caller(time, one)('groups.get', { group });
      return people.find(({ id }) => id === other.id)?.safetyNumber;
    };
    const [atBen, atCem] = [await numberAt(ben, cem), await numberAt(cem, ben)];
    assert.match(atBen ?? '', /^(\d{5} ){11}\d{5}$/);
    assert.equal(atBen, atCem);
    assert.equal(await numberAt(ada, ben), await numberAt(ben, ada));
    assert.notEqual(await numberAt(ada, ben), atBen);
    assert.equal(await numberAt(ada, ada), null);
  });

  it('roles change, a member is removed and is told, one leaves; then nothing can be written', async () => {
    const { time, ada, ben, cem } = await begin();
    const [call, ofBen, ofCem] = [caller(time, ada), caller(time, ben), caller(time, cem)];
    const { id: group } = await call('groups.create', { name: 'Trip', members: ['Ben', 'Cem'] });
    await time.until(() => [ben, cem].every(person => person.messenger.groups.list()[0]?.members.length === 3));
    await assert.rejects(ofBen('groups.rename', { group, name: 'Mine' }), { code: 'refused' });
    await call('groups.promote', { group, member: 'Ben' });
    await time.until(() => ben.messenger.groups.list()[0]?.admin === true);
    assert.equal((await ofBen('groups.get', { group })).role, 'admin');
    await ofBen('groups.demote', { group, member: ben.id });
    await time.until(() => ada.messenger.groups.list()[0]?.members.filter(({ admin }) => admin).length === 1);
    await assert.rejects(call('groups.demote', { group, member: 'Ada' }), { code: 'refused' });
    await call('groups.remove', { group, member: 'cem' });
    await time.until(() => cem.messenger.groups.list()[0]?.phase === 'removed');
    assert.equal((await ofCem('groups.list', {}))[0]?.phase, 'removed');
    await assert.rejects(ofCem('messages.send', { who: group, text: 'wait' }), { code: 'refused' });
    assert.equal((await ofBen('groups.leave', { group })).phase, 'leaving', 'until a member has carried it out');
    await assert.rejects(ofBen('messages.send', { who: group, text: 'one thing more' }), { code: 'refused' });
    await time.until(() => told(ben).some(event => event.event === 'group-changed' && event.group.phase === 'left'));
    await time.until(() => ada.messenger.groups.list()[0]?.members.length === 1);
    const kinds = (await call('messages.list', { who: group })).messages.flatMap(({ notice }) => notice?.kind ?? []);
    for (const kind of ['made', 'promoted', 'demoted', 'removed', 'left'] as const)
      assert.ok(kinds.includes(kind), kind);
  });
});
