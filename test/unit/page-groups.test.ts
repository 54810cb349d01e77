import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Contact, Conversation, Notice } from '../../core/commands/schema.ts';
import { choiceFor, hindrance } from '../../ui/src/group-choice.ts';
import { noticeText } from '../../ui/src/notice-words.ts';
import { EMPTY } from '../../ui/src/state.ts';
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
});
