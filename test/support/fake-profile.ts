import { createHash } from 'node:crypto';
import { base32nopad } from '@scure/base';
import type {
  BundleReport,
  Contact,
  ContactRequest,
  Custody,
  GroupDetails,
  Message,
  Status,
  Verification,
} from '../../core/commands/schema.ts';

/** An id of the real form: 16 bytes in lower-case base32. */
export function idFrom(kind: string, number: number): string {
  const bytes = createHash('sha256').update(`${kind} ${number}`).digest().subarray(0, 16);
  return base32nopad.encode(bytes).toLowerCase();
}

/** 60 digits in groups of five that differ with the seed. */
export function safetyNumberOf(seed: number): string {
  const groups = Array.from({ length: 12 }, (_, i) => String((seed * 7919 + i * 104_729 + 12_345) % 100_000));
  return groups.map(group => group.padStart(5, '0')).join(' ');
}

/** Sorts by time, then by number, as the places of real messages sort by time, then by id. */
export function placeOf(sentAt: number, number: number): string {
  return sentAt.toString(16).padStart(12, '0') + number.toString(16).padStart(36, '0');
}

/** What a bundle that is exported holds, and what one that is imported comes to. */
export class FakeBundles {
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = [];
  envelopes = 0;
  report: BundleReport = { read: 0, taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0, file: 'complete' };
  /** Refuses instead, with this. */
  failure: Error | null = null;
  /** For whom the last one was asked. */
  for: readonly string[] | null = null;
  /** An import waits here after its first piece. */
  gate: Promise<void> = Promise.resolve();
  /** Bytes read of the last one imported. */
  imported = 0;
}

/** Everything the fake core knows. Tests write into it before the page connects. */
export class FakeProfile {
  state: Status['state'] = 'unlocked';
  passphrase = 'correct horse battery staple';
  nick = 'Ada';
  readonly id = idFrom('me', 1);
  unlockAllowedAt = 0;
  wrongPassphrases = 0;
  keychain: Status['keychain'] = { available: true, enabled: false, reason: null };
  hardening: Status['hardening'] = { addon: 'loaded', coreDumps: 'off', memory: 'locked', missing: [] };
  settings: Status['settings'] = { theme: 'auto', custody: true };
  restoredAt: number | null = null;
  custody: Custody = { holds: true, helper: false, envelopes: 0, bytes: 0, limitBytes: 64 * 2 ** 20 };
  /** By conversation: behind this message so many are missing. */
  readonly gaps = new Map<string, { completeUpTo: string | null; missing: number }>();
  readonly bundles = new FakeBundles();
  readonly contacts = new Map<string, Contact>();
  readonly groups = new Map<string, GroupDetails>();
  readonly requests = new Map<string, ContactRequest>();
  readonly messages = new Map<string, Message[]>();
  readonly unread = new Map<string, number>();
  readonly verifications = new Map<string, Verification>();
  #count = 0;

  next(kind: string): string {
    this.#count += 1;
    return idFrom(kind, this.#count);
  }

  addContact(nick: string, more: Partial<Contact> = {}): Contact {
    const id = this.next('contact');
    const contact: Contact = {
      id,
      conversation: this.next('talk'),
      nick,
      claimedNick: nick,
      phase: 'accepted',
      trust: 'unverified',
      online: false,
      addable: more.phase !== 'requested',
      safetyNumber: safetyNumberOf(this.#count),
      addedAt: Date.now() - 40 * 86_400_000,
      lastSeenAt: null,
      ...more,
    };
    this.contacts.set(id, contact);
    this.messages.set(contact.conversation, []);
    return contact;
  }

  addRequest(nick: string): ContactRequest {
    const id = this.next('request');
    const request = { id, nick, safetyNumber: safetyNumberOf(this.#count), receivedAt: Date.now() };
    this.requests.set(id, request);
    return request;
  }

  /** @param contact whose message it is when it is not an own one, and where it stands */
  addMessage(
    contact: Pick<Contact, 'id' | 'conversation' | 'nick'>,
    text: string,
    more: Partial<Message> = {},
  ): Message {
    const outgoing = more.outgoing ?? false;
    const sentAt = more.sentAt ?? Date.now();
    const message: Message = {
      id: this.next('message'),
      conversation: contact.conversation,
      from: outgoing ? this.id : contact.id,
      fromNick: outgoing ? this.nick : contact.nick,
      outgoing,
      text,
      sentAt,
      place: placeOf(sentAt, this.#count),
      state: outgoing ? 'queued' : 'received',
      heldBy: 0,
      until: null,
      late: false,
      notice: null,
      reach: null,
      ...more,
    };
    this.messages.get(contact.conversation)?.push(message);
    if (!outgoing) this.unread.set(contact.conversation, (this.unread.get(contact.conversation) ?? 0) + 1);
    return message;
  }

  /** In the order of their places. */
  listed(conversation: string): readonly Message[] {
    return (this.messages.get(conversation) ?? []).toSorted((a, b) => (a.place < b.place ? -1 : 1));
  }

  /** By contact id, conversation id or nick, as commands take it. */
  find(who: string): Contact | undefined {
    return [...this.contacts.values()].find(({ id, conversation, nick }) => [id, conversation, nick].includes(who));
  }
}
