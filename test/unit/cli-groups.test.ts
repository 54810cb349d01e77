import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMANDS } from '../../core/cli/arguments.ts';
import { eventText } from '../../core/cli/event-text.ts';
import { GROUP_FORMS } from '../../core/cli/group-forms.ts';
import { GroupNames } from '../../core/cli/group-names.ts';
import { groupsText, membersText, noticeText } from '../../core/cli/group-text.ts';
import { commandHelp } from '../../core/cli/help.ts';
import { messageLine, messagesText } from '../../core/cli/text.ts';
import type { Group, GroupMember, Message, Notice } from '../../core/commands/schema.ts';

const id = (letter: string) => letter.repeat(26);
const crew: Group = {
  id: id('g'),
  conversation: id('h'),
  name: 'Crew',
  phase: 'member',
  role: 'member',
  members: 3,
  createdAt: 1,
};
const message: Message = {
  id: id('m'),
  conversation: crew.conversation,
  from: id('b'),
  fromNick: 'Bob',
  outgoing: false,
  text: 'hi',
  sentAt: new Date(2026, 0, 2, 3, 4).getTime(),
  place: '',
  state: 'received',
  heldBy: 0,
  until: null,
  late: false,
  notice: null,
  reach: null,
};

test('the help of groups names every action with its form and what it does', () => {
  const lines = commandHelp('group').split('\n');
  for (const [name, { form, summary }] of Object.entries(GROUP_FORMS)) {
    const line = lines.find(text => text.startsWith(`  ${name} ${form}`.trimEnd()) && text.endsWith(summary));
    assert.ok(line, name);
    assert.ok(COMMANDS.group.form.includes(`${name} ${form}`.trimEnd()));
  }
  for (const line of lines) assert.ok(line.length <= 110, line);
});

test('how one stands with a group is said beside it', () => {
  const phases = ['member', 'leaving', 'left', 'removed'] as const;
  const lines = groupsText(phases.map(phase => ({ ...crew, phase }))).split('\n');
  assert.match(lines[0] ?? '', /^Crew {2}3 members +member +g{26}$/);
  assert.match(lines[1] ?? '', /you are leaving/);
  assert.match(lines[2] ?? '', /you have left/);
  assert.match(lines[3] ?? '', /you were removed/);
  const lost = { ...crew, name: '', phase: 'unreadable', members: 0 } as const;
  assert.match(groupsText([lost]), /^\(unknown\) +cannot be read +g{26}\n$/);
  assert.match(groupsText([{ ...crew, role: 'admin', members: 1 }]), /1 member +admin/);
  assert.match(groupsText([]), /^No groups yet/);
});

test('a member is online or away, verified or not, and worrying in capitals', () => {
  const member: GroupMember = {
    id: id('b'),
    nick: 'Bob',
    role: 'member',
    you: false,
    contact: true,
    trust: 'changed',
    online: false,
    safetyNumber: null,
    equivocated: false,
  };
  assert.match(membersText([member]), /^ {2}Bob +member +away +KEY CHANGED +b{26}\n$/);
  assert.match(membersText([{ ...member, trust: 'unverified', online: true }]), /online +not verified/);
  assert.match(membersText([{ ...member, contact: false, trust: null }]), /no contact/);
  assert.match(membersText([{ ...member, equivocated: true }]), /SIGNED TWO DIFFERENT THINGS IN ONE PLACE\n$/);
  assert.ok(!membersText([{ ...member, nick: 'B\u001b[2J\u202e' }]).includes('\u001b'));
});

test('what happened is one sentence of each kind, with the names that are known', () => {
  const [ann, bob] = [
    { id: id('a'), nick: 'Ann' },
    { id: id('b'), nick: 'Bob' },
  ];
  const none = { by: null, member: null, name: null, count: null };
  const told: Record<Notice['kind'], string> = {
    made: 'Ann made the group Crew',
    renamed: 'Ann named the group Crew',
    added: 'Ann added Bob',
    removed: 'Ann removed Bob',
    left: 'Bob left',
    promoted: 'Ann made Bob an admin',
    demoted: 'Ann made Bob a plain member',
    'fork-healed': 'The group had come apart and is one again',
    equivocation: 'Bob signed two different messages in one place; some may have read the other',
    hole: "2 of Bob's messages have not come",
    returned: 'Bob had lost touch with the group and came back',
  };
  for (const [kind, sentence] of Object.entries(told)) {
    const notice = { ...none, kind: kind as Notice['kind'], by: ann, member: bob, name: 'Crew', count: 2 };
    assert.equal(noticeText(notice), sentence);
  }
  assert.equal(noticeText({ ...none, kind: 'removed', member: bob }), 'Somebody removed Bob');
  const posing = { id: id('e'), nick: 'SOMEBODY' };
  assert.equal(noticeText({ ...none, kind: 'removed', by: posing, member: bob }), '"SOMEBODY" removed Bob');
  assert.match(messageLine({ ...message, fromNick: 'You' }), /^03:04 {2}"You": hi$/);
  assert.equal(noticeText({ ...none, kind: 'hole', member: bob, count: 1 }), "1 of Bob's messages has not come");
});

test('two who bear one name are told apart', () => {
  const other = { ...message, from: id('k') };
  const lines = messagesText([message, other, { ...message, fromNick: 'Cyd', from: id('c') }]).split('\n');
  assert.deepEqual(lines.slice(1, 4), ['03:04  Bob bbbbbb: hi', '03:04  Bob kkkkkk: hi', '03:04  Cyd: hi']);
  assert.match(messagesText([message, message]), / Bob: hi/);
});

test('watch names the group in which something is said or happens, also once it is renamed', () => {
  const groups = new GroupNames();
  const said = { event: 'message-received', message } as const;
  assert.equal(eventText(said, groups), '03:04  Bob: hi');
  groups.learn([crew]);
  assert.equal(eventText(said, groups), '03:04  Crew: Bob: hi');
  groups.see({ event: 'group-changed', group: { ...crew, name: 'C\u001b[2Jrew' } });
  assert.equal(eventText(said, groups), '03:04  C\ufffd[2Jrew: Bob: hi');
  groups.see({ event: 'group-changed', group: crew });
  const commit = { event: 'group-commit', group: crew.id, epoch: '00', by: null, changes: ['add', 'rename'] } as const;
  assert.equal(eventText({ ...commit, changes: [...commit.changes] }, groups), 'group Crew: add, rename');
  const healed = { event: 'group-fork-healed', group: crew.id, rolledBack: 2 } as const;
  assert.equal(eventText(healed, groups), 'group Crew had come apart and is one again; 2 steps gone back');
  assert.equal(eventText({ event: 'group-deleted', group: crew.id }, groups), 'group Crew was deleted here');
  assert.match(eventText({ event: 'group-members', group: id('x') }, groups), /^group x{26}: /);
});
