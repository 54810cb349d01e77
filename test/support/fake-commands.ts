import { AuthError, UsageError } from '../../core/base/errors.ts';
import { parseLink } from '../../core/commands/link.ts';
import type { ApiEvent, CommandTable, Contact, Message, Profile, Status } from '../../core/commands/schema.ts';
import { fakeGroupCommands, findGroup, say, summary } from './fake-group-commands.ts';
import type { FakeProfile } from './fake-profile.ts';

type Emit = (event: ApiEvent) => void;
type Family = Partial<CommandTable>;

const DONE = { done: true } as const;
export const FAKE_CODE = 'ABCDEFGH2345';
/** Of the size of a real one: key, secret, four addresses, checksum. */
export const FAKE_INVITE = `molva:1/${'k7q2x5vjm3'.repeat(16)}`;

/** Every command of the schema over a profile in memory. */
export function fakeCommands(profile: FakeProfile, emit: Emit): CommandTable {
  const families: Required<Family>[] | Family[] = [
    coreCommands(profile, emit),
    vaultCommands(profile, emit),
    contactCommands(profile, emit),
    fakeGroupCommands(profile, emit),
    messageCommands(profile, emit),
    verificationCommands(profile, emit),
  ];
  return Object.assign({}, ...families) as CommandTable;
}

function own(profile: FakeProfile): Profile {
  return { id: profile.id, nick: profile.nick, createdAt: 1_700_000_000_000 };
}

function find(profile: FakeProfile, who: string): Contact {
  const contact = profile.find(who);
  if (contact === undefined) throw new UsageError('not-found', 'fake', 'There is no such contact.');
  return contact;
}

function change(profile: FakeProfile, emit: Emit, contact: Contact): Contact {
  profile.contacts.set(contact.id, contact);
  emit({ event: 'contact-changed', contact });
  return contact;
}

function statusOf(profile: FakeProfile): Status {
  const unlocked = profile.state === 'unlocked';
  return {
    version: '0.1.0',
    state: profile.state,
    pid: process.pid,
    dataDirectory: '/home/ada/.local/share/molva',
    startedAt: 1_700_000_000_000,
    unlockAllowedAt: profile.unlockAllowedAt,
    profile: unlocked ? own(profile) : null,
    network: { online: true, offlineMode: false, peerId: null, addresses: ['/ip4/192.168.1.20/tcp/43110'], peers: 2 },
    keychain: profile.keychain,
    hardening: profile.hardening,
    settings: profile.settings,
    queued: 0,
    restoredAt: profile.restoredAt,
    memoryBytes: 70_000_000,
  };
}

function coreCommands(profile: FakeProfile, emit: Emit): Family {
  return {
    'status.get': async () => statusOf(profile),
    'core.stop': async () => DONE,
    'window.open': async () => ({ url: 'http://127.0.0.1/', launched: true }),
    'settings.set': async ({ theme }) => {
      profile.settings = { ...profile.settings, theme };
      return profile.settings;
    },
    'custody.get': async () => profile.custody,
    'custody.set': async ({ holds }) => {
      profile.custody = { ...profile.custody, holds };
      return profile.custody;
    },
    'link.open': async ({ url }) => ({ url: parseLink(url) }),
    'profile.get': async () => own(profile),
    'profile.create': async ({ nick, passphrase }) => {
      Object.assign(profile, { nick, passphrase, state: 'unlocked' });
      return own(profile);
    },
    'profile.rename': async ({ nick }) => {
      profile.nick = nick;
      return own(profile);
    },
    'panic.wipe': async () => {
      setImmediate(() => emit({ event: 'core-state', state: 'stopping' }));
      return { keysGoneMs: 11.3 };
    },
  };
}

function vaultCommands(profile: FakeProfile, emit: Emit): Family {
  return {
    'vault.unlock': async ({ passphrase }) => {
      if (Date.now() < profile.unlockAllowedAt) throw new AuthError('unlock-delayed', 'fake', 'Wait.');
      if (passphrase !== undefined && passphrase !== profile.passphrase) {
        profile.wrongPassphrases += 1;
        if (profile.wrongPassphrases > 1) profile.unlockAllowedAt = Date.now() + 2000;
        throw new AuthError('wrong-passphrase', 'fake', 'This is not the passphrase.');
      }
      profile.state = 'unlocked';
      return own(profile);
    },
    'vault.lock': async () => {
      profile.state = 'locked';
      emit({ event: 'core-state', state: 'locked' });
      return DONE;
    },
    'vault.changePassphrase': async ({ current, next }) => {
      if (current !== profile.passphrase) throw new AuthError('wrong-passphrase', 'fake', 'Wrong.');
      profile.passphrase = next;
      return DONE;
    },
    'vault.keychain': async ({ enabled }) => {
      profile.keychain = { ...profile.keychain, enabled };
      return { enabled };
    },
  };
}

function contactCommands(profile: FakeProfile, emit: Emit): Family {
  return {
    'invite.create': async () => ({ invite: FAKE_INVITE, expiresAt: Date.now() + 7 * 86_400_000 }),
    'contacts.list': async () => [...profile.contacts.values()],
    'contacts.add': async ({ invite, nick }) => {
      if (invite.includes('expired')) throw new UsageError('refused', 'fake', 'This invite has expired.');
      return profile.addContact(nick ?? 'Unnamed', { phase: 'requested', addedAt: Date.now() });
    },
    'contacts.rename': async ({ who, nick }) => change(profile, emit, { ...find(profile, who), nick }),
    'contacts.remove': async ({ who }) => {
      const { id } = find(profile, who);
      profile.contacts.delete(id);
      emit({ event: 'contact-removed', id });
      return DONE;
    },
    'requests.list': async () => [...profile.requests.values()],
    'requests.accept': async ({ id }) => {
      const request = profile.requests.get(id);
      if (request === undefined) throw new UsageError('not-found', 'fake', 'No such request.');
      profile.requests.delete(id);
      emit({ event: 'request-closed', id });
      return change(profile, emit, profile.addContact(request.nick));
    },
    'requests.decline': async ({ id }) => {
      profile.requests.delete(id);
      emit({ event: 'request-closed', id });
      return DONE;
    },
  };
}

/** A contact's conversation or a group's. */
function talkOf(profile: FakeProfile, who: string): { conversation: string } {
  return profile.find(who) ?? findGroup(profile, who);
}

function sent(profile: FakeProfile, who: string, text: string): Message {
  const contact = profile.find(who);
  if (contact) return profile.addMessage(contact, text, { outgoing: true });
  const group = findGroup(profile, who);
  if (group.phase !== 'member') throw new UsageError('refused', 'fake', 'You are no member of this group.');
  return say(profile, group, 'you', text, { reach: { deliveredTo: 0, of: group.members - 1 } });
}

function messageCommands(profile: FakeProfile, emit: Emit): Family {
  const standing = (conversation: string) => ({
    id: conversation,
    lastMessage: profile.messages.get(conversation)?.at(-1) ?? null,
    unread: profile.unread.get(conversation) ?? 0,
  });
  return {
    'conversations.list': async () => {
      const people = [...profile.contacts.values()].map(contact => {
        return { ...standing(contact.conversation), contact, group: null };
      });
      const groups = [...profile.groups.values()].map(group => {
        return { ...standing(group.conversation), contact: null, group: summary(group) };
      });
      return [...people, ...groups].sort((a, b) => (b.lastMessage?.sentAt ?? 0) - (a.lastMessage?.sentAt ?? 0));
    },
    'messages.send': async ({ who, text }) => {
      const message = sent(profile, who, text);
      emit({ event: 'message-sent', message });
      return message;
    },
    'messages.sendAgain': async ({ id }) => {
      const expired = [...profile.messages.values()].flat().find(message => message.id === id);
      if (expired?.state !== 'expired') throw new UsageError('refused', 'fake', 'It has not expired.');
      const message = sent(profile, expired.conversation, expired.text);
      emit({ event: 'message-sent', message });
      return message;
    },
    'messages.proof': async ({ id }) => ({ id, proofs: [] }),
    'messages.list': async ({ who, limit, before }) => {
      const { conversation } = talkOf(profile, who);
      const all = profile.listed(conversation);
      const end = before === undefined ? all.length : all.findIndex(message => message.id === before);
      const start = Math.max(0, end - limit);
      const whole = { completeUpTo: all.at(-1)?.id ?? null, missing: 0 };
      return { messages: all.slice(start, end), more: start > 0, ...(profile.gaps.get(conversation) ?? whole) };
    },
    'messages.markRead': async ({ who }) => {
      const { conversation } = talkOf(profile, who);
      profile.unread.delete(conversation);
      emit({ event: 'conversation-read', conversation });
      return DONE;
    },
  };
}

function verificationCommands(profile: FakeProfile, emit: Emit): Family {
  function set(contact: Contact, more: Partial<NonNullable<ReturnType<typeof get>>>) {
    const old = get(contact);
    const verification = { ...old, ...more };
    profile.verifications.set(contact.id, verification);
    emit({ event: 'verification-changed', verification });
    return verification;
  }
  function get(contact: Contact) {
    return (
      profile.verifications.get(contact.id) ?? {
        contact: contact.id,
        role: 'shows' as const,
        phase: 'exchanging' as const,
        code: null,
        triesLeft: 3,
        expiresAt: Date.now() + 600_000,
      }
    );
  }
  return {
    'verification.start': async ({ who }) => {
      const contact = find(profile, who);
      profile.verifications.delete(contact.id);
      setImmediate(() => set(contact, { phase: 'ready', code: FAKE_CODE }));
      return set(contact, {});
    },
    'verification.get': async ({ who }) => profile.verifications.get(find(profile, who).id) ?? null,
    'verification.enter': async ({ who, code }) => {
      const contact = find(profile, who);
      const triesLeft = get(contact).triesLeft - 1;
      if (code === FAKE_CODE) {
        change(profile, emit, { ...contact, trust: 'verified' });
        return set(contact, { phase: 'verified' });
      }
      set(contact, triesLeft > 0 ? { triesLeft } : { triesLeft, phase: 'burnt' });
      throw new AuthError(triesLeft > 0 ? 'code-mismatch' : 'code-burnt', 'fake', 'The codes differ.');
    },
    'verification.confirm': async ({ who }) => {
      const contact = find(profile, who);
      if (get(contact).phase !== 'matched') throw new UsageError('refused', 'fake', 'Nothing to confirm.');
      set(contact, { phase: 'verified' });
      return change(profile, emit, { ...contact, trust: 'verified' });
    },
    'verification.cancel': async ({ who }) => {
      const contact = find(profile, who);
      return profile.verifications.has(contact.id) ? set(contact, { phase: 'cancelled', code: null }) : null;
    },
  };
}
