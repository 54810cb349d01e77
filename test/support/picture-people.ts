import type { Contact, Group, GroupDetails, GroupMember, Message } from '../../core/commands/schema.ts';
import { addGroup, memberOf, notify, say, strangerIn } from './fake-group-commands.ts';
import type { FakeProfile } from './fake-profile.ts';

/** The people and words on the pictures in the documents. */

const MINUTE = 60_000;
const DAY = 1440 * MINUTE;

export function people(profile: FakeProfile): void {
  const evening = Date.now() - 25 * MINUTE;
  const mira = profile.addContact('Mira', { trust: 'verified', online: true });
  const say = (at: number, text: string, more: Partial<Message> = {}) =>
    profile.addMessage(mira, text, { sentAt: evening + at * MINUTE, ...more });
  const mine = { outgoing: true, state: 'read' } as const;
  say(-1460, 'The boat is back in the water. First leak found after eleven minutes.');
  say(-1455, 'A new record. Is it the same plank as last year?', mine);
  say(-1454, 'Its neighbour. They are in this together.');
  say(0, 'Are you still coming on Saturday?');
  say(1, 'We would leave at nine, before the wind turns.');
  say(3, 'Yes! I bring bread, cheese and the good thermos.', mine);
  say(3, 'And something for the leak.', mine);
  say(
    6,
    'You are a true friend. The forecast says sun until four, then rain, so we turn round at two at the latest and walk the last part along the shore.',
  );
  say(7, 'The map: https://example.org/islands/north?from=jetty&on=foot');
  say(19, 'Perfect. See you at the jetty', { outgoing: true, state: 'delivered' });
  say(22, 'The bus is at 8:12, by the way', { outgoing: true, state: 'held', heldBy: 3, until: evening + 7 * DAY });
  profile.unread.clear();
  others(profile, evening);
}

/** A conversation in which something expired, came late and is missing. */
export function troubled(profile: FakeProfile): void {
  people(profile);
  const mira = profile.find('Mira');
  if (mira === undefined) return;
  const lately = Date.now() - 2 * MINUTE;
  const say = (seconds: number, text: string, more: Partial<Message> = {}) =>
    profile.addMessage(mira, text, { sentAt: lately + seconds * 1000, ...more });
  say(0, 'Bring the red rope', { outgoing: true, state: 'expired' });
  const last = say(10, 'The ferry is late again.', { late: true });
  say(30, 'So it goes without us?');
  say(60, 'No. I asked them to wait.', { outgoing: true, state: 'queued' });
  profile.gaps.set(mira.conversation, { completeUpTo: last.id, missing: 2 });
  profile.restoredAt = Date.now();
  profile.custody = { ...profile.custody, envelopes: 128, bytes: 1_530_000 };
  profile.unread.clear();
}

export function strangers(profile: FakeProfile): void {
  people(profile);
  profile.addRequest('Tomasz from the choir');
}

export function lockedPeople(profile: FakeProfile): void {
  people(profile);
  profile.state = 'locked';
  profile.unlockAllowedAt = Date.now() + 42_000;
  profile.keychain = { available: true, enabled: true, reason: null };
}

function others(profile: FakeProfile, evening: number): void {
  const jonas = profile.addContact('Jonas', { trust: 'changed', lastSeenAt: evening - 3 * 60 * MINUTE });
  profile.addMessage(jonas, 'New laptop, finally. The old one was held together by stickers.', {
    sentAt: evening - 70 * MINUTE,
  });
  const lena = profile.addContact('Lena Vogt', { lastSeenAt: evening - DAY });
  profile.addMessage(lena, 'Did you get the photos?', {
    sentAt: evening - 26 * 60 * MINUTE,
    outgoing: true,
    state: 'delivered',
  });
  const grandma = profile.addContact('Baba Nina', { trust: 'verified', online: true });
  profile.addMessage(grandma, 'Пирог готов, приезжай!', { sentAt: evening - 3 * DAY });
  profile.addMessage(grandma, 'И привези банки.', { sentAt: evening - 3 * DAY + MINUTE });
  const ole = profile.addContact('Ole', {
    addable: false,
    addedAt: evening - 11 * DAY,
    lastSeenAt: evening - 11 * DAY,
  });
  profile.unread.delete(ole.conversation);
  const sam = profile.addContact('Sam', { phase: 'requested', addedAt: evening - 12 * DAY });
  profile.unread.delete(sam.conversation);
}

/** A group in which much happened. */
export function crew(
  profile: FakeProfile,
  more: Partial<Group> = {},
  other: GroupMember['role'] = 'admin',
): GroupDetails {
  people(profile);
  const [mira, lena, nina] = ['Mira', 'Lena Vogt', 'Baba Nina'].map(nick => profile.find(nick)) as Contact[];
  const known = [mira, lena, nina].map(contact => memberOf(contact as Contact));
  const tomasz = strangerIn(profile, 'Tomasz', { role: other, online: true });
  const ben = strangerIn(profile, 'Ben', { equivocated: true });
  const group = addGroup(profile, 'Boat crew', [...known, tomasz, ben], more);
  const you = { id: profile.id, nick: profile.nick };
  const start = Date.now() - 58 * MINUTE;
  const at = (minutes: number) => ({ sentAt: start + minutes * MINUTE });
  const write = (minutes: number, who: string, text: string, also: Partial<Message> = {}) =>
    say(profile, group, who, text, { ...at(minutes), ...also });
  notify(profile, group, { kind: 'made', by: you, name: 'Saturday' }, at(0));
  notify(profile, group, { kind: 'added', by: you, member: known[0] ?? null }, at(1));
  notify(profile, group, { kind: 'promoted', by: you, member: tomasz }, at(2));
  notify(profile, group, { kind: 'renamed', by: tomasz, name: 'Boat crew' }, at(3));
  write(5, 'Tomasz', 'Who brings the pump?');
  write(6, 'Tomasz', 'And who checks that plank?');
  write(8, 'Mira', 'The pump is in the shed. The plank I would not touch before Saturday.');
  write(9, 'you', 'I have the thermos, the bread and the good rope.', {
    state: 'sent',
    reach: { deliveredTo: 5, of: 5 },
  });
  notify(profile, group, { kind: 'fork-healed', count: 1 }, at(20));
  write(21, 'Lena Vogt', 'I was in a tunnel for an hour, did I miss something?');
  notify(profile, group, { kind: 'equivocation', member: ben }, at(30));
  notify(profile, group, { kind: 'hole', member: lena ?? null, count: 2 }, at(31));
  write(40, 'Ben', 'Leaving at nine!');
  write(50, 'you', 'Nine it is.', { state: 'sent', reach: { deliveredTo: 3, of: 5 } });
  profile.unread.clear();
  return group;
}
