import { equalBytes } from '../base/bytes.ts';
import { MINUTE_MS } from '../base/clock.ts';
import { UsageError } from '../base/errors.ts';
import { type ContactId, contactIdOf, conversationIdOf } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { invitationProof, proofMatches } from '../crypto/rendezvous.ts';
import type { ConsumedInitiation } from '../crypto/session.ts';
import type { ContactRecord, ConversationRecord, RequestRecord } from '../storage/records.ts';
import type { ContactCard } from '../wire/card.ts';
import { decodeGreeting } from '../wire/greeting.ts';
import type { Invite } from '../wire/invite.ts';
import { readInitiation } from './account.ts';
import { Actor, type Entry } from './actor.ts';
import { applyCard, contactFieldsOf } from './cards.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import type { Verdict } from './intake.ts';
import type { Opened } from './receiving.ts';

const SALT_BYTES = 32;
const RENEW_PAUSE_MS = MINUTE_MS;

type Step = () => Promise<unknown>;

/** How strangers become contacts: asking by an invite, requests that wait for an answer, and sessions made anew. */
export class Introductions {
  readonly #context: Context;
  readonly #conversation: (contact: ContactId) => Conversation;
  /** One at a time, so that two envelopes of one stranger cannot both be the first. */
  readonly #actor = new Actor<Step>(async (batch: readonly Entry<Step>[]) => {
    for (const entry of batch) await entry.step().then(entry.settle, entry.fail);
  });
  readonly #renewedAtMs = new Map<ContactId, number>();

  constructor(context: Context, conversation: (contact: ContactId) => Conversation) {
    this.#context = context;
    this.#conversation = conversation;
  }

  stop(): Promise<void> {
    return this.#actor.stop();
  }

  /** Asks the maker of an invite, whose card was fetched and checked, to become a contact. */
  ask(invite: Invite, card: ContactCard, cardBytes: Uint8Array, nick: string): Promise<ContactId> {
    return this.#actor.ask(async () => {
      const { store, account } = this.#context;
      const id = contactIdOf(card.identityKey);
      if (store.contacts.get(id)?.phase === 'accepted') {
        // Known already: the invite still says where the person is now.
        await this.#conversation(id).ask({ kind: 'change', change: turn => applyCard(turn, card, cardBytes) });
        return id;
      }
      if (store.requests.get(id)) return this.#accept(id, nick);
      await this.#create(card, cardBytes, 'requested', nick);
      const proof = invitationProof(invite.secret, account.public.identity, card.identityKey);
      await this.#conversation(id).ask({ kind: 'initiate', proof });
      return id;
    });
  }

  /** Keeps a stranger's initiation as a request, if it proves that it held an invite of ours. */
  receive(initiation: ConsumedInitiation, opened: Opened): Promise<Verdict> {
    return this.#actor.ask(async (): Promise<Verdict> => {
      const { store, account, clock, bus } = this.#context;
      const { identityKey, nick } = initiation.peerCard;
      const id = contactIdOf(identityKey);
      const { proof } = decodeGreeting(initiation.payload);
      const nowMs = clock();
      const invited = store.invites
        .list()
        .some(
          invite =>
            invite.expiresAtMs > nowMs && proofMatches(invite.secret, identityKey, account.public.identity, proof),
        );
      // Somebody who was declined is answered like somebody who waits.
      const declined = store.declined.has(identityKey);
      if (!invited) return 'refused';
      const full = !store.requests.get(id) && store.requests.list().length >= LIMITS.requests;
      if (full) return 'refused';
      const request: RequestRecord = {
        id,
        identity: identityKey,
        card: initiation.peerCardBytes,
        initiation: opened.body,
        receivedAtMs: nowMs,
        nick,
      };
      await store.write(tx => {
        store.seen.add(tx, opened.envelopeId, opened.expiresAtMs);
        if (!declined) store.requests.put(tx, request);
      });
      if (!declined) bus.emit({ type: 'contact-request', id });
      return 'stored';
    });
  }

  accept(id: ContactId): Promise<ContactId> {
    return this.#actor.ask(() => this.#accept(id, ''));
  }

  /** The other side is not told. */
  decline(id: ContactId): Promise<void> {
    return this.#actor.ask(async () => {
      const { store, bus } = this.#context;
      const request = this.#request(id);
      await store.write(tx => {
        store.requests.remove(tx, id);
        store.declined.add(tx, request.identity);
      });
      bus.emit({ type: 'request-closed', id });
    });
  }

  /** A fresh session with a contact whose messages no longer open; at most one a minute. */
  renew(contact: ContactId): void {
    const nowMs = this.#context.clock();
    const last = this.#renewedAtMs.get(contact) ?? Number.NEGATIVE_INFINITY;
    const record = this.#context.store.contacts.get(contact);
    if (record?.phase !== 'accepted' || record.initiation || nowMs - last < RENEW_PAUSE_MS) return;
    this.#renewedAtMs.set(contact, nowMs);
    // A failure is met again with the next message that does not open.
    this.#conversation(contact)
      .ask({ kind: 'initiate', proof: new Uint8Array() })
      .catch(() => this.#renewedAtMs.delete(contact));
  }

  /** The contact to whom the open initiation with this id was sent. */
  initiatedTo(initiationId: Uint8Array): ContactId | undefined {
    return this.#context.store.contacts
      .list()
      .find(contact => contact.initiation && equalBytes(contact.initiation.id, initiationId))?.id;
  }

  async #accept(id: ContactId, nick: string): Promise<ContactId> {
    const { store, account, bus } = this.#context;
    const request = this.#request(id);
    const initiation = readInitiation(account, store, request.initiation);
    try {
      await this.#create(initiation.peerCard, initiation.peerCardBytes, 'accepted', nick);
      await this.#conversation(id).ask({ kind: 'initiation', initiation, opened: null });
    } finally {
      initiation.wipe();
    }
    // Last, so that an acceptance cut short by a crash can be given again.
    await store.write(tx => store.requests.remove(tx, id));
    bus.emit({ type: 'request-closed', id });
    return id;
  }

  #request(id: ContactId): RequestRecord {
    const request = this.#context.store.requests.get(id);
    if (!request) throw new UsageError('not-found', 'requests', 'There is no such request.');
    return request;
  }

  async #create(card: ContactCard, cardBytes: Uint8Array, phase: ContactRecord['phase'], nick: string): Promise<void> {
    const { store, account, clock, random } = this.#context;
    const id = contactIdOf(card.identityKey);
    const known = store.contacts.get(id);
    if (known) return;
    if (store.contacts.list().length >= LIMITS.contacts) {
      throw new UsageError('limit-reached', 'contacts.add', 'There are too many contacts.');
    }
    const nowMs = clock();
    const conversation: ConversationRecord = {
      id: conversationIdOf(account.public.identity, card.identityKey),
      contact: id,
      salt: random(SALT_BYTES),
      createdAtMs: nowMs,
      readUpTo: null,
      unread: 0,
      lateUnread: [],
    };
    const contact: ContactRecord = {
      id,
      identity: card.identityKey,
      conversation: conversation.id,
      nick,
      phase,
      addedAtMs: nowMs,
      lastSeenAtMs: null,
      initiation: null,
      superseded: null,
      lastInitiationMs: 0,
      ...contactFieldsOf(card, cardBytes),
    };
    await store.write(tx => {
      store.conversations.put(tx, conversation);
      store.contacts.put(tx, contact);
    });
  }
}
