import { equalBytes } from '../base/bytes.ts';
import { type Clock, HOUR_MS, type RandomSource, type Scheduler, within } from '../base/clock.ts';
import { UsageError } from '../base/errors.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type MlsState, mlsCrypto } from '../groups/mls-crypto.ts';
import { addressesToCard } from '../network/card-addresses.ts';
import type { Swarm } from '../network/swarm.ts';
import type { InviteRecord } from '../storage/records.ts';
import type { StartsFile } from '../storage/start-instance.ts';
import type { Store } from '../storage/store.ts';
import { expiryHours } from '../wire/envelope.ts';
import { decodeInvite, encodeInvite, INVITE_SECRET_BYTES, inviteExpired } from '../wire/invite.ts';
import type { Account } from './account.ts';
import { Bundles } from './bundles.ts';
import type { Bus } from './bus.ts';
import { type Context, OutboxSequence } from './context.ts';
import { Conversation, type ConversationStep } from './conversation.ts';
import { CustodyService } from './custodian.ts';
import { Delivery } from './delivery.ts';
import type { CoreEvent } from './events.ts';
import { Gaps } from './gaps.ts';
import { Groups } from './groups/groups.ts';
import { knownGroups } from './groups/known-groups.ts';
import { GroupSpread } from './groups/spread.ts';
import { Hellos } from './hello.ts';
import { Intake } from './intake.ts';
import { Introductions } from './introductions.ts';
import { Placing } from './placing.ts';
import { Presence } from './presence.ts';
import { PullService } from './pull-service.ts';
import { Pulling } from './pulling.ts';
import { Recipients } from './recipients.ts';
import { fetchCard, serveCards } from './rendezvous.ts';
import { Starts } from './restored.ts';
import type { Turn } from './turn.ts';
import { Upkeep } from './upkeep.ts';

export interface MessengerParts {
  readonly store: Store;
  readonly account: Account;
  readonly swarm: Swarm;
  readonly bus: Bus<CoreEvent>;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly scheduler: Scheduler;
  readonly monotonic: Clock;
  /** Where the starts of this profile are counted, beside the database. */
  readonly startsFile: StartsFile;
  /** Whether it holds envelopes for its contacts. */
  readonly holds: () => boolean;
  /** Started to hold for others, and as far as there is room for people unknown here too. */
  readonly helper: boolean;
  /** Whether contacts may add this profile to groups: they are given key packages. */
  readonly addable: () => boolean;
  /** Only addresses given by a person and those of invites are used. */
  readonly offline?: boolean;
}

/** After these the members of a group, their cards or its secrets may be others. */
const GROUP_EVENTS: ReadonlySet<CoreEvent['type']> = new Set([
  'group-changed',
  'group-members',
  'group-commit',
  'group-deleted',
]);

/** An unlocked profile at work: its conversations, its way in and out, and its upkeep. */
export class Messenger {
  readonly context: Context;
  readonly swarm: Swarm;
  readonly introductions: Introductions;
  readonly upkeep: Upkeep;
  readonly intake: Intake;
  readonly starts: Starts;
  readonly custody: CustodyService;
  readonly placing: Placing;
  readonly bundles: Bundles;
  readonly groups: Groups<MlsState>;
  readonly #spread: GroupSpread;
  readonly #presence: Presence;
  readonly #recipients: Recipients;
  readonly #hellos: Hellos;
  readonly #pulling: Pulling;
  readonly #pullService: PullService;
  readonly #delivery: Delivery;
  readonly #conversations = new Map<ContactId, Conversation>();
  #unsubscribe: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: MessengerParts) {
    const { clock } = parts;
    this.swarm = parts.swarm;
    this.context = {
      ...parts,
      sequence: new OutboxSequence(clock),
      gaps: new Gaps(parts.monotonic),
      stamp: contact => this.starts.stamp(contact),
      outboxChanged: (contact, posted) => {
        this.#delivery.outboxChanged(contact);
        this.placing.posted(posted);
      },
      carried: id => this.placing.carries(id),
      outboxEnded: ids => this.placing.ended(ids),
      outboxDropped: contact => this.placing.dropped(contact),
      // What a failing disk leaves in the outbox is pushed once more, and dropped by whoever has it.
      messagesEnded: ids => void this.placing.endMessages(ids).catch(() => undefined),
      hearing: (contact, tag) => this.#spread.hearing(contact, tag),
      groupMail: group => this.groups.mail(group),
      pendingAdded: contact => this.#conversation(contact).mend(),
      sessionMade: () => this.intake.sessionMade(),
      changeContact: (contact, change) => {
        const changed = (turn: Turn): void => {
          turn.changeContact(change);
          turn.event({ type: 'contact-changed', id: contact });
        };
        this.ask(contact, { kind: 'change', change: changed }).catch(() => undefined);
      },
    };
    const conversation = (contact: ContactId) => this.#conversation(contact);
    this.introductions = new Introductions(this.context, conversation);
    const { identity } = parts.account;
    const suites = { classical: mlsCrypto(identity, 'classical'), hybrid: mlsCrypto(identity, 'hybrid') };
    this.groups = new Groups(this.context, suites, parts.addable);
    this.intake = new Intake(this.context, conversation, this.introductions, this.groups);
    const { swarm, context } = this;
    const silenceGroups = () => this.groups.putBack();
    this.starts = new Starts(context, parts.startsFile, { conversation, silenceGroups });
    const heard = (contact: ContactId) => this.#heard(contact);
    this.#hellos = new Hellos(context, swarm, { starts: this.starts, holds: parts.holds, heard });
    const gone = (contact: ContactId) => this.placing.presenceChanged(contact);
    this.#presence = new Presence(context, swarm, gone, peer => this.#hellos.hasHeard(peer));
    this.#recipients = new Recipients(context, () => this.#spread.places.boxes());
    const taken = (tag: Uint8Array) => this.#pullService.news(tag);
    const { monotonic, holds, helper } = parts;
    this.custody = new CustodyService(context, swarm, {
      monotonic,
      holds,
      helper,
      recipients: this.#recipients,
      taken,
    });
    this.#spread = new GroupSpread(context, swarm, {
      groups: knownGroups(this.groups, parts.store),
      custody: this.custody,
      receive: (bytes, id) => this.intake.receive(bytes, id, undefined),
    });
    this.groups.onKeep((tx, kept) => this.#spread.mailbox.keep(tx, kept));
    this.#pullService = new PullService(context, swarm, this.custody, this.#recipients, helper);
    const { intake, custody } = this;
    this.bundles = new Bundles(context, { intake, custody, recipients: this.#recipients, helper });
    this.placing = new Placing(context, swarm, this.#presence);
    this.#pulling = new Pulling(context, swarm, this.intake);
    this.#delivery = new Delivery(context, swarm, this.intake, this.#hellos);
    this.upkeep = new Upkeep(context, conversation, () => this.#sweep());
  }

  /** Counts the start and makes ready to answer: to be awaited before the swarm is started. @throws StorageError */
  async prepare(): Promise<void> {
    await this.starts.begin();
    await serveCards(this.context, this.swarm);
    const services = [this.#hellos, this.custody, this.#pullService, this.#spread, this.#delivery];
    for (const service of services) await service.serve();
  }

  /** The swarm has been started: reaches every contact, and seals what a crash left unsealed. */
  async start(): Promise<void> {
    await this.upkeep.offerAddresses(this.swarm.addresses());
    const watch = this.swarm.on({ addressesChanged: () => this.#addressesChanged() });
    const hear = this.context.bus.subscribe(event => this.#contactsMayHaveChanged(event));
    this.#unsubscribe = () => {
      watch();
      hear();
    };
    await this.placing.start();
    this.#delivery.start();
    for (const contact of this.context.store.contacts.list()) this.#conversation(contact.id).mend();
    this.groups.start();
    this.#spread.start();
    this.upkeep.start();
  }

  /**
   * Ends what is under way, durable or not begun; the store can be closed after it. When the call returns, links are
   * being cut and no event of the network is listened to any more.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#halt();
    await Promise.all([this.upkeep.stop(), this.#delivery.stop()]);
    await this.introductions.stop();
    await this.groups.stop();
    await Promise.all([...this.#conversations.values()].map(conversation => conversation.stop()));
  }

  /** Begins nothing more and waits for nothing. */
  #halt(): void {
    this.placing.stop();
    this.#pulling.stop();
    this.#pullService.stop();
    this.#spread.stop();
    this.#hellos.stop();
    this.#presence.stop();
  }

  ask<R>(contact: ContactId, step: ConversationStep): Promise<R> {
    return this.#conversation(contact).ask<R>(step);
  }

  /** Whether a contact of this id is here; the quick way, for calls that come thousands of times. */
  knows(id: string): id is ContactId {
    return this.#conversations.has(id as ContactId);
  }

  isOnline(contact: { readonly transportKey: Uint8Array }): boolean {
    return this.swarm.isConnected(contact.transportKey as TransportKey);
  }

  /** Own messages that no receipt has confirmed. */
  queuedMessages(): number {
    const { conversations, messages } = this.context.store;
    return conversations.list().reduce((sum, { id }) => sum + messages.countUndelivered(id), 0);
  }

  /** An invite for anybody it is given to, for a week. Asked for again within an hour it is the same one. */
  async createInvite(): Promise<{ invite: string; expiresAtMs: number }> {
    const { account, clock } = this.context;
    const { secret, expiresAtMs } = this.#recentInvite(clock()) ?? (await this.#newInvite(clock()));
    const invite = encodeInvite({
      identity: account.public.identity,
      secret,
      expiresAtHours: expiryHours(expiresAtMs),
      transport: this.swarm.transportKey,
      addresses: addressesToCard(this.swarm.addresses(), LIMITS.inviteAddresses),
    });
    return { invite, expiresAtMs };
  }

  /**
   * Asks the person behind an invite to become a contact.
   * @throws DecodeError a mistyped invite; UsageError expired or the own one; TransientError nobody answers
   */
  async addContact(text: string, nick: string): Promise<ContactId> {
    const { account, clock } = this.context;
    const invite = decodeInvite(text);
    if (inviteExpired(invite, clock())) {
      throw new UsageError('refused', 'contacts.add', 'The invite has expired; ask for a new one.');
    }
    if (equalBytes(invite.identity, account.public.identity)) {
      throw new UsageError('refused', 'contacts.add', 'This is your own invite; give it to somebody else.');
    }
    const { card, bytes } = await fetchCard(this.context, this.swarm, invite);
    const contact = await this.introductions.ask(invite, card, bytes, nick);
    this.#introduced(contact);
    return contact;
  }

  async acceptRequest(id: ContactId): Promise<ContactId> {
    const contact = await this.introductions.accept(id);
    this.#introduced(contact);
    return contact;
  }

  /** Removes a contact with its conversation; what it sends from now on is a stranger's. */
  async removeContact(id: ContactId): Promise<void> {
    const { store, bus } = this.context;
    const contact = store.contacts.get(id);
    if (!contact) return;
    await this.ask(id, { kind: 'remove' });
    // Only now: another conversation of the same contact beside this one could put back what is being removed.
    const removed = this.#conversations.get(id);
    this.#conversations.delete(id);
    this.placing.dropped(id);
    this.context.gaps.forget(id);
    await this.#delivery.forget(id, contact.transportKey as TransportKey);
    await removed?.stop();
    bus.emit({ type: 'contact-removed', id });
  }

  #recentInvite(nowMs: number): InviteRecord | undefined {
    return this.context.store.invites.list().find(({ createdAtMs }) => within(createdAtMs, HOUR_MS, nowMs));
  }

  /** Past the limit the oldest makes room. */
  async #newInvite(nowMs: number): Promise<InviteRecord> {
    const { store, random } = this.context;
    const secret = random(INVITE_SECRET_BYTES);
    const invite = { secret, createdAtMs: nowMs, expiresAtMs: nowMs + LIMITS.inviteLifetimeMs };
    const open = [...store.invites.list()].sort((a, b) => b.createdAtMs - a.createdAtMs);
    await store.write(tx => {
      for (const old of open.slice(LIMITS.invites - 1)) store.invites.remove(tx, old.secret);
      store.invites.put(tx, invite);
    });
    return invite;
  }

  /** Whether it holds envelopes for others has changed: contacts are told. */
  holdsChanged(): void {
    this.#hellos.sayAgain();
  }

  #heard(contact: ContactId): void {
    this.#presence.note(contact);
    this.placing.presenceChanged(contact);
    this.#pulling.begin(contact);
  }

  #contactsMayHaveChanged(event: CoreEvent): void {
    if (GROUP_EVENTS.has(event.type)) {
      this.#recipients.forget();
      this.#spread.changed();
    }
    if (event.type !== 'contact-changed' && event.type !== 'contact-removed') return;
    if (event.type === 'contact-changed') this.groups.contactChanged(event.id);
    else this.groups.contactRemoved(event.id);
    this.#presence.forget();
    this.#recipients.forget();
    this.#spread.places.forget();
    this.placing.presenceChanged(event.id);
  }

  async #sweep(): Promise<void> {
    this.#presence.sweep();
    this.placing.sweep();
    this.#pulling.sweep();
    for (const { id, conversation } of this.context.store.contacts.list()) {
      this.#conversation(id).mendIfDue(conversation);
    }
    await this.#askForMissing();
    await this.groups.sweep();
    this.#spread.sweep();
    await this.custody.sweep();
  }

  async #askForMissing(): Promise<void> {
    const { store, gaps } = this.context;
    for (const contact of store.contacts.list()) {
      const awaited = store.reading(() => store.messages.awaitedOf(contact.conversation, LIMITS.awaitedParents));
      const ids = gaps.due(
        contact.id,
        awaited.map(({ id }) => id),
        this.isOnline(contact),
      );
      // A contact removed meanwhile is asked nothing.
      if (ids.length > 0) await this.ask(contact.id, { kind: 'ask-missing', ids }).catch(() => undefined);
    }
  }

  #introduced(contact: ContactId): void {
    this.context.bus.emit({ type: 'contact-changed', id: contact });
    this.#delivery.reach(contact);
  }

  #conversation(contact: ContactId): Conversation {
    const known = this.#conversations.get(contact);
    if (known) return known;
    const fresh = new Conversation(this.context, contact);
    this.#conversations.set(contact, fresh);
    return fresh;
  }

  #addressesChanged(): void {
    this.context.bus.emit({ type: 'network-changed' });
    this.#delivery.reachAll();
    this.#spread.moved();
    // Made up for at the next change or start.
    this.upkeep.offerAddresses(this.swarm.addresses()).catch(() => undefined);
  }
}
