import { equalBytes, hex } from '../base/bytes.ts';
import { MINUTE_MS, within } from '../base/clock.ts';
import { TransientError, UsageError } from '../base/errors.ts';
import { type ContactId, contactIdOf } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { invitationProof, proofMatches } from '../crypto/rendezvous.ts';
import type { ConsumedInitiation } from '../crypto/session.ts';
import { addressesFromCard } from '../network/card-addresses.ts';
import type { InviteRecord, RequestRecord } from '../storage/records.ts';
import type { ContactCard } from '../wire/card.ts';
import { decodeGreeting } from '../wire/greeting.ts';
import type { Invite } from '../wire/invite.ts';
import { readInitiation } from './account.ts';
import { Actor, type Entry } from './actor.ts';
import { Allowance } from './allowance.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import { takeFirstStep } from './first-step.ts';
import { initiate, receiveInitiation } from './handshakes.ts';
import type { Verdict } from './intake.ts';
import type { Opened } from './receiving.ts';

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
  /** What each open invite may still ask, by its secret in hex. */
  readonly #allowances = new Map<string, Allowance>();
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
      const known = store.contacts.get(id);
      if (!known && store.requests.get(id)) return this.#accept(id, nick);
      const addresses = addressesFromCard(card.addresses);
      const proof = invitationProof(invite.secret, account.public.identity, card.identityKey);
      await takeFirstStep(
        this.#context,
        this.#conversation,
        card,
        cardBytes,
        { phase: 'requested', nick, addresses },
        turn => {
          // Known already: the invite still says where the person is now.
          turn.changeContact({ addresses });
          if (turn.contact.phase === 'requested') initiate(turn, proof);
        },
      );
      return id;
    });
  }

  /**
   * Keeps a stranger's initiation as a request, if it proves that it held an invite of ours.
   * @throws TransientError `busy`: too many wait for an answer, or come at once; the stranger keeps it for later
   */
  receive(initiation: ConsumedInitiation, opened: Opened): Promise<Verdict> {
    return this.#actor.ask(async (): Promise<Verdict> => {
      const { store, clock, bus } = this.#context;
      const { identityKey, nick } = initiation.peerCard;
      const id = contactIdOf(identityKey);
      const invite = this.#inviteProved(initiation);
      if (!invite) return 'refused';
      const known = store.requests.get(id);
      // Somebody who was declined is answered like somebody who waits.
      const declined = store.declined.has(identityKey);
      const full = !known && !declined && store.requests.list().length >= LIMITS.requests;
      if (full || !this.#mayAsk(invite)) {
        throw new TransientError('busy', 'introductions.receive', 'Too many requests wait for an answer.');
      }
      const request: RequestRecord = {
        id,
        identity: identityKey,
        card: initiation.peerCardBytes,
        initiation: opened.body,
        receivedAtMs: clock(),
        nick,
      };
      await store.write(tx => {
        store.seen.add(tx, opened.envelopeId, opened.expiresAtMs);
        if (!declined) store.requests.put(tx, request);
      });
      if (!declined && known?.nick !== nick) bus.emit({ type: 'contact-request', id });
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

  /**
   * A fresh session with a contact whose messages no longer open; at most one a minute. An initiation already open
   * does not stand in its way: it may be lost, and then both would wait for ever. Nor does the phase: a contact
   * still `requested` that writes to us has accepted, and wants no proof.
   */
  renew(contact: ContactId): void {
    const nowMs = this.#context.clock();
    const last = this.#renewedAtMs.get(contact) ?? Number.NEGATIVE_INFINITY;
    if (within(last, RENEW_PAUSE_MS, nowMs) || !this.#context.store.contacts.get(contact)) return;
    this.#renewedAtMs.set(contact, nowMs);
    // A failure is met again with the next message that does not open.
    this.#conversation(contact)
      .ask({ kind: 'initiate', proof: new Uint8Array() })
      .catch(() => this.#renewedAtMs.delete(contact));
  }

  /**
   * The contact refused for good an envelope that may have been a handshake: between people who know each other a
   * fresh one is made. One who did not accept us would refuse that too: a new invite is needed.
   */
  refusedBy(contact: ContactId): void {
    if (this.#context.store.contacts.get(contact)?.phase === 'accepted') this.renew(contact);
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
    const { peerCard, peerCardBytes } = initiation;
    const addresses = addressesFromCard(peerCard.addresses);
    try {
      await takeFirstStep(
        this.#context,
        this.#conversation,
        peerCard,
        peerCardBytes,
        { phase: 'accepted', nick, addresses },
        turn => {
          receiveInitiation(turn, initiation, null);
          turn.put(tx => store.requests.remove(tx, id));
        },
      );
    } finally {
      initiation.wipe();
    }
    bus.emit({ type: 'request-closed', id });
    return id;
  }

  #request(id: ContactId): RequestRecord {
    const request = this.#context.store.requests.get(id);
    if (!request) throw new UsageError('not-found', 'requests', 'There is no such request.');
    return request;
  }

  /** The open invite whose secret made the proof. */
  #inviteProved(initiation: ConsumedInitiation): InviteRecord | undefined {
    const { store, account, clock } = this.#context;
    const { proof } = decodeGreeting(initiation.payload);
    const { identityKey } = initiation.peerCard;
    return store.invites
      .list()
      .filter(invite => invite.expiresAtMs > clock())
      .find(invite => proofMatches(invite.secret, identityKey, account.public.identity, proof));
  }

  /** One who passes an invite on to a crowd, or makes one up, cannot keep the holders of other invites out. */
  #mayAsk(invite: InviteRecord): boolean {
    const open = new Set(this.#context.store.invites.list().map(({ secret }) => hex(secret)));
    for (const name of this.#allowances.keys()) if (!open.has(name)) this.#allowances.delete(name);
    const name = hex(invite.secret);
    const allowance = this.#allowances.get(name) ?? new Allowance(LIMITS.requestsAtOnce, LIMITS.requestPauseMs);
    this.#allowances.set(name, allowance);
    return allowance.take(this.#context.clock());
  }
}
