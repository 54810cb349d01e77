import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Contact, Conversation, Notice } from '../../core/commands/schema.ts';
import { choiceFor, hindrance } from '../../ui/src/group-choice.ts';
import { nameAmong } from '../../ui/src/member-names.ts';
import { type Link, Model } from '../../ui/src/model.ts';
import { noticeText } from '../../ui/src/notice-words.ts';
import { EMPTY } from '../../ui/src/state.ts';
import { addGroup, strangerIn } from '../support/fake-group-commands.ts';
import { FakeProfile } from '../support/fake-profile.ts';

const conversationOf = (contact: Contact): Conversation => ({
  id: contact.conversation,
  contact,
  group: null,
  lastMessage: null,
  unread: 0,
});

describe('page: groups in words', () => {
  it('those who can be chosen stand first; members are left out; each hindrance has its words', () => {
    const profile = new FakeProfile();
    const sam = profile.addContact('Sam', { phase: 'requested' });
    const ole = profile.addContact('Ole', { addable: false });
    const [mira, lena] = ['Mira', 'Lena'].map(nick => profile.addContact(nick)) as [Contact, Contact];
    const state = { ...EMPTY, conversations: [sam, mira, ole, lena].map(conversationOf) };
    assert.deepEqual(
      choiceFor(state).map(({ nick }) => nick),
      ['Mira', 'Lena', 'Sam', 'Ole'],
    );
    assert.deepEqual(
      choiceFor(state, new Set([mira.id])).map(({ nick }) => nick),
      ['Lena', 'Sam', 'Ole'],
    );
    assert.equal(hindrance(mira), null);
    assert.notEqual(hindrance(sam), hindrance(ole));
  });

  it('nobody can call itself by the words for oneself', () => {
    const none: Notice = { kind: 'removed', by: null, member: null, name: null, count: null };
    const [me, bob, posing] = ['Ann', 'Bob', ' YOU'].map((nick, i) => ({ id: String(i), nick }));
    assert.ok(me && bob && posing);
    const said = (by: Notice['by'], member: Notice['member']) => noticeText({ ...none, by, member }, me.id);
    assert.equal(said(me, bob), 'You removed Bob');
    assert.equal(said(bob, me), 'Bob removed you');
    assert.equal(said(posing, bob), '“ YOU” removed Bob');
    assert.equal(said(null, bob), 'Somebody removed Bob');
  });

  it('names that look the same have the beginning of an id beside them', () => {
    const profile = new FakeProfile();
    const [ben, twin, cyd] = ['Ben K', 'ben  k', 'Cyd'].map(nick => strangerIn(profile, nick));
    assert.ok(ben && twin && cyd);
    const people = [ben, twin, cyd];
    assert.deepEqual(
      people.map(one => nameAmong(people, one)),
      [`Ben K · ${ben.id.slice(0, 4)}`, `ben  k · ${twin.id.slice(0, 4)}`, 'Cyd'],
    );
    assert.equal(nameAmong(people, { id: 'gone', nick: 'Cyd' }), 'Cyd · gone', 'also of one who is gone');
  });

  it('many changes of members at once: they are read at most twice, and the last answer is shown', async () => {
    const profile = new FakeProfile();
    const group = addGroup(profile, 'Crew', []);
    const answers: (() => void)[] = [];
    let asked = 0;
    const link: Link = {
      onState: () => {},
      onEvent: () => {},
      start: async () => {},
      retryNow: () => {},
      call: (async (method: string) => {
        if (method === 'messages.list') return { messages: [], more: false, completeUpTo: null, missing: 0 };
        assert.equal(method, 'groups.get');
        asked += 1;
        const name = `as asked for the ${asked}.`;
        await new Promise<void>(resolve => answers.push(resolve));
        return { ...group, name };
      }) as Link['call'],
      post: async () => new Response(),
    };
    const model = new Model(link);
    const { people: _, ...brief } = group;
    link.onEvent({ event: 'group-changed', group: brief });
    const opened = model.select(group.conversation);
    for (let i = 0; i < 50; i++) link.onEvent({ event: 'group-members', group: group.id });
    assert.equal(asked, 1);
    answers[0]?.();
    for (let turn = 0; turn < 100 && asked < 2; turn++) await Promise.resolve();
    answers[1]?.();
    await opened;
    assert.equal(asked, 2, 'once to open, once for all that came meanwhile');
    assert.equal(model.state.group?.name, 'as asked for the 2.');
    link.onEvent({ event: 'group-members', group: 'another' });
    assert.equal(asked, 2, 'another group is not asked about');
  });
});
