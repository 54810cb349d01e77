import { hex } from '../base/bytes.ts';
import { HOUR_MS } from '../base/clock.ts';
import { CoreError, TransientError } from '../base/errors.ts';
import { type ContactId, contactIdOf, type EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { currentTags, dayOf, openEnvelope } from '../crypto/mailbox-seal.ts';
import { decodeEnvelope, type Envelope, encodeEnvelope, expiresTooLate, isExpired } from '../wire/envelope.ts';
import { decodeResponse } from '../wire/handshake.ts';
import { readInitiation } from './account.ts';
import { Allowance } from './allowance.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import type { TagOwner } from './groups/group-tags.ts';
import type { Groups } from './groups/groups.ts';
import type { Introductions } from './introductions.ts';
import type { Opened } from './receiving.ts';

/** Who holds what it did not make: a custodian, or a file that somebody brought. */
export type Carrier = ContactId | 'file';

/** `stored`: it is here for good, or was before. `refused`: it will never be taken; nobody learns why. */
export type Verdict = 'stored' | 'refused';

/**
 * Takes envelopes from any bearer: checks what stands on the outside, opens the outer layer, and hands what is inside
 * to the conversation it belongs to.
 */
export class Intake {
  readonly #context: Context;
  readonly #conversation: (contact: ContactId) => Conversation;
  readonly #introductions: Introductions;
  readonly #groups: Pick<Groups, 'groupOfTag' | 'receivePost'>;
  /** Whose messages came last: what a custodian brings is most likely of the same people. */
  #recent: readonly ContactId[] = [];
  readonly #underWay = new Map<string, Promise<Verdict>>();
  /** A search that fails costs a turn of every contact: strangers share one allowance, each contact has its own. */
  readonly #searches = new Map<ContactId | undefined, Allowance>();
  /** What no session opened, by the hexadecimal id; a custodian that still holds it brings it with every pull. */
  #unopened = new Set<string>();
  #tags: { readonly day: number; readonly known: ReadonlySet<string> } = { day: -1, known: new Set() };

  constructor(
    context: Context,
    conversation: (contact: ContactId) => Conversation,
    introductions: Introductions,
    groups: Pick<Groups, 'groupOfTag' | 'receivePost'>,
  ) {
    this.#context = context;
    this.#conversation = conversation;
    this.#introductions = introductions;
    this.#groups = groups;
  }

  /**
   * @param id envelopeIdOf the bytes
   * @param bearer the contact whose connection brought it, tried first; the envelope need not be of that contact
   * @param carrier who held it for somebody else, and is not tried first
   * @returns once the outcome is durable
   * @throws StorageError or TransientError: ask the bearer for the envelope again later
   */
  receive(bytes: Uint8Array, id: EnvelopeId, bearer: ContactId | undefined, carrier?: Carrier): Promise<Verdict> {
    let envelope: Envelope;
    try {
      envelope = decodeEnvelope(bytes);
    } catch {
      return Promise.resolve('refused');
    }
    const nowMs = this.#context.clock();
    if (isExpired(envelope, nowMs) || expiresTooLate(envelope, nowMs)) return Promise.resolve('refused');
    const owner = this.#groups.groupOfTag(envelope.tag);
    if (owner) return this.#once(id, () => this.#post(owner, envelope, id));
    if (!this.#isOurs(envelope, nowMs)) return Promise.resolve('refused');
    return this.#once(id, () => this.#open(envelope, id, bearer, carrier));
  }

  /** The same envelope may come from two bearers at the same moment: both wait for the one outcome. */
  #once(id: EnvelopeId, run: () => Promise<Verdict>): Promise<Verdict> {
    const name = hex(id);
    const known = this.#underWay.get(name);
    if (known) return known;
    const verdict = run()
      .catch(refuseIfItsOwnFault)
      .finally(() => this.#underWay.delete(name));
    this.#underWay.set(name, verdict);
    return verdict;
  }

  async #open(envelope: Envelope, envelopeId: EnvelopeId, bearer?: ContactId, carrier?: Carrier): Promise<Verdict> {
    const { kind, body } = openEnvelope(this.#context.account.mailbox, envelope);
    // A ratchet message is looked up in its conversation's turn.
    if (kind !== 'ratchet' && this.#context.store.seen.has(envelopeId)) return 'stored';
    const opened: Opened = { envelopeId, expiresAtMs: envelope.expiresAtHours * HOUR_MS, body };
    switch (kind) {
      case 'ratchet':
        return this.#ratchet(opened, bearer, carrier);
      case 'initiation':
        return this.#initiation(opened);
      case 'response':
        return this.#response(opened, bearer, carrier);
      // Nobody's own mailbox takes what is a group's.
      case 'group':
        return 'refused';
    }
  }

  async #post({ group, keys }: TagOwner, envelope: Envelope, envelopeId: EnvelopeId): Promise<Verdict> {
    const { kind, body } = openEnvelope(keys, envelope);
    if (kind !== 'group') return 'refused';
    const expiresAtMs = envelope.expiresAtHours * HOUR_MS;
    return this.#groups.receivePost(group, body, { envelope: encodeEnvelope(envelope), envelopeId, expiresAtMs });
  }

  async #ratchet(opened: Opened, bearer?: ContactId, carrier?: Carrier): Promise<Verdict> {
    if (bearer && (await this.#tryRatchet(bearer, opened))) return 'stored';
    const name = hex(opened.envelopeId);
    const unopened = this.#unopened;
    // Without a new session the search would fail again, and use up what others need.
    if (!bearer && unopened.has(name)) return 'refused';
    if (this.#maySearch(bearer, carrier)) {
      for (const contact of new Set([...this.#recent, ...this.#context.store.sessions.contacts()])) {
        if (contact === bearer || !(await this.#tryRatchet(contact, opened))) continue;
        if (this.#recent[0] !== contact) this.#recent = [contact, ...this.#recent.filter(id => id !== contact)];
        return 'stored';
      }
      this.#searchFailed(bearer, carrier);
      if (unopened.size >= LIMITS.searchesFailed) unopened.clear();
      unopened.add(name);
    }
    // Whoever brought it may have lost step with us, or we with them: a fresh session mends either.
    if (bearer) this.#introductions.renew(bearer);
    return 'refused';
  }

  /**
   * Whether to look for the contact an envelope belongs to. What a contact brings is its own but for rare cases, so
   * past the bound the search is left out; a stranger or a custodian brings what is others', and is asked to come
   * again. A file is the person's own choice.
   * @throws TransientError `busy`
   */
  #maySearch(bearer: ContactId | undefined, carrier: Carrier | undefined): boolean {
    if (carrier === 'file' || this.#allowance(bearer ?? carrier).has(this.#context.clock())) return true;
    if (bearer) return false;
    throw new TransientError('busy', 'intake.search', 'Too much is asked at once.');
  }

  #searchFailed(bearer: ContactId | undefined, carrier: Carrier | undefined): void {
    if (carrier !== 'file') this.#allowance(bearer ?? carrier).take(this.#context.clock());
  }

  #allowance(of: ContactId | undefined): Allowance {
    const known = this.#searches.get(of);
    if (known) return known;
    const fresh = new Allowance(LIMITS.searchesAtOnce, LIMITS.searchPauseMs);
    this.#searches.set(of, fresh);
    return fresh;
  }

  #tryRatchet(contact: ContactId, opened: Opened): Promise<boolean> {
    return this.#conversation(contact).ask<boolean>({ kind: 'ratchet', opened });
  }

  /** What no session opened may be of this one; a search under way remembers nothing. */
  sessionMade(): void {
    this.#unopened = new Set();
  }

  /** The contact does not take what keeps us in step. */
  unheardBy(contact: ContactId): void {
    this.#introductions.refusedBy(contact);
  }

  async #initiation(opened: Opened): Promise<Verdict> {
    const { store, account } = this.#context;
    const initiation = readInitiation(account, store, opened.body);
    try {
      const contact = contactIdOf(initiation.peerCard.identityKey);
      if (!store.contacts.get(contact)) return await this.#introductions.receive(initiation, opened);
      await this.#conversation(contact).ask({ kind: 'initiation', initiation, opened });
      return 'stored';
    } finally {
      initiation.wipe();
    }
  }

  async #response(opened: Opened, bearer?: ContactId, carrier?: Carrier): Promise<Verdict> {
    const { initiationId } = decodeResponse(opened.body);
    const answers = (contact: ContactId) =>
      this.#conversation(contact).ask<boolean>({ kind: 'response', initiationId, opened });
    if (bearer && (await answers(bearer))) return 'stored';
    const contact = this.#maySearch(bearer, carrier) && this.#introductions.initiatedTo(initiationId);
    if (contact && contact !== bearer && (await answers(contact))) return 'stored';
    this.#searchFailed(bearer, carrier);
    return 'refused';
  }

  #isOurs(envelope: Envelope, nowMs: number): boolean {
    const day = dayOf(nowMs);
    if (this.#tags.day !== day) {
      this.#tags = { day, known: new Set(currentTags(this.#context.account.mailbox, nowMs).map(hex)) };
    }
    return this.#tags.known.has(hex(envelope.tag));
  }
}

/** A fault of the envelope is final; one of the disk or of load is not, and must not cost the message. */
function refuseIfItsOwnFault(error: unknown): Verdict {
  if (error instanceof CoreError && ['bad-bytes', 'not-authentic', 'not-found', 'refused'].includes(error.code)) {
    return 'refused';
  }
  throw error;
}
