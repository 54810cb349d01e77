import { hex, wipe } from '../base/bytes.ts';
import { HOUR_MS } from '../base/clock.ts';
import { compareHlc, type HlcTime, tickHlc } from '../base/hlc.ts';
import type { ConversationId, EnvelopeId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type MailboxKeys, type SealedKind, sealEnvelope } from '../crypto/mailbox-seal.ts';
import type { Ceremony } from '../crypto/verification.ts';
import type { ContactRecord, ConversationRecord, DeliveryState } from '../storage/records.ts';
import type { WriteTx } from '../storage/store.ts';
import { encodeEnvelope, envelopeIdOf } from '../wire/envelope.ts';
import { encodeStamp, type Stamp } from '../wire/stamp.ts';
import type { Context } from './context.ts';
import type { CoreEvent, OutgoingState } from './events.ts';
import type { Posted } from './placing.ts';
import { Sessions } from './sessions.ts';

/**
 * One turn of a conversation: everything a batch of steps changes, gathered and then made durable in one
 * transaction. Answers are given and events leave only after that; if the transaction fails, nothing has happened.
 */
export class Turn {
  readonly context: Context;
  readonly nowMs: number;
  readonly sessions: Sessions;
  contact: ContactRecord;
  conversation: ConversationRecord;
  /** Texts received in this turn, to be acknowledged before it ends. */
  readonly toAcknowledge: MessageId[] = [];
  /** The one-time code under way, once a step has read it. */
  ceremony: Ceremony | undefined;
  /** What the step at hand answers with after its effects, a counted try say, are durable. */
  failure: Error | undefined;
  /** Set when a session was made: what waited for one is to be sealed. */
  sessionMade = false;
  /** Own texts not yet known to be delivered. */
  waiting: number;
  /** Texts this turn adds; the store does not know them yet. */
  readonly added = new Map<MessageId, HlcTime>();
  readonly #peerMailbox: MailboxKeys;
  readonly #secrets: Uint8Array[] = [];
  readonly #states = new Map<MessageId, DeliveryState>();
  #time: HlcTime;
  readonly #puts: ((tx: WriteTx) => void)[] = [];
  readonly #events: (() => CoreEvent)[] = [];
  readonly #after: (() => void)[] = [];
  #heads: readonly MessageId[] | undefined;
  #stamp: Buffer | undefined;
  /** The furthest stamp read of each run. */
  readonly #stamps = new Map<string, Stamp>();
  readonly #seen = new Set<string>();
  #contactChanged = false;
  #conversationChanged = false;
  readonly #posted: Posted[] = [];
  readonly #ended: MessageId[] = [];

  constructor(
    context: Context,
    contact: ContactRecord,
    conversation: ConversationRecord,
    peerMailbox: MailboxKeys,
    former: { readonly waiting: number; readonly time: HlcTime },
  ) {
    this.context = context;
    this.nowMs = context.clock();
    this.contact = contact;
    this.conversation = conversation;
    this.sessions = new Sessions(context.store, contact.id);
    this.#peerMailbox = peerMailbox;
    this.waiting = former.waiting;
    this.#time = former.time;
  }

  get conversationId(): ConversationId {
    return this.conversation.id;
  }

  put(change: (tx: WriteTx) => void): void {
    this.#puts.push(change);
  }

  /** A function is asked once the turn is durable, for what only the store can tell. */
  event(event: CoreEvent | (() => CoreEvent)): void {
    this.#events.push(typeof event === 'function' ? event : () => event);
  }

  /** Run once the turn is durable. */
  after(run: () => void): void {
    this.#after.push(run);
  }

  failAfter(error: Error): void {
    this.failure = error;
  }

  changeConversation(change: Partial<ConversationRecord>): void {
    this.conversation = { ...this.conversation, ...change };
    this.#conversationChanged = true;
  }

  changeContact(change: Partial<ContactRecord>): void {
    this.contact = { ...this.contact, ...change };
    this.#contactChanged = true;
  }

  /** The latest messages nobody has answered to, which the next text names as its parents. */
  get heads(): readonly MessageId[] {
    const heads = this.#heads ?? this.context.store.messages.heads(this.conversationId);
    this.#heads = heads;
    return heads;
  }

  /** A text joins the conversation: it takes the place of the parents it names. */
  advanceHeads(id: MessageId, parents: readonly MessageId[]): void {
    this.#heads = [...this.heads.filter(head => !parents.includes(head)), id].slice(-LIMITS.parents);
  }

  /** The logical time of the conversation: above that of every text in it. */
  get time(): HlcTime {
    return this.#time;
  }

  nextTime(): HlcTime {
    this.#time = tickHlc(this.#time, this.nowMs);
    return this.#time;
  }

  seeTime(time: HlcTime): void {
    if (compareHlc(time, this.#time) > 0) this.#time = time;
  }

  /** How far an own text has come, by what this turn knows. */
  stateOf(id: MessageId): DeliveryState | undefined {
    return this.#states.get(id) ?? this.context.store.messages.stateOf(id);
  }

  moveState(id: MessageId, state: OutgoingState, receipt: MessageId | null): void {
    const { nowMs: atMs, conversationId: conversation } = this;
    const moved = { state, atMs, receipt };
    this.#states.set(id, moved);
    this.put(tx => this.context.store.messages.setState(tx, id, moved));
    this.event({ type: 'message-state', id, conversation, state, atMs });
  }

  /** What stands before everything this turn seals: kept with the ratchets that sealed it, so that neither goes back alone. */
  stamp(): Buffer {
    if (this.#stamp) return this.#stamp;
    const { stamp, put } = this.context.stamp(this.contact.id);
    this.put(put);
    this.#stamp = encodeStamp(stamp);
    return this.#stamp;
  }

  /** How far the contact has come, by a message of its own. */
  see(stamp: Stamp): void {
    const name = hex(stamp.alias);
    if (stamp.order > (this.#stamps.get(name)?.order ?? 0)) this.#stamps.set(name, stamp);
  }

  /** Envelopes that wait for the contact, those of this turn among them. */
  get envelopesWaiting(): number {
    return this.context.store.outbox.countOf(this.contact.id) + this.#posted.length;
  }

  /** The same beyond one for each own text. */
  get controlsWaiting(): number {
    return Math.max(0, this.envelopesWaiting - this.waiting);
  }

  /** Puts a sealed envelope for the contact into the outbox. @returns its bytes */
  post(kind: SealedKind, body: Uint8Array, messageId: MessageId | null): number {
    const { context } = this;
    const envelope = sealEnvelope(this.#peerMailbox, kind, body, this.nowMs, context.random);
    const bytes = encodeEnvelope(envelope);
    const record = {
      envelopeId: envelopeIdOf(bytes),
      contact: this.contact.id,
      seq: context.sequence.next(),
      envelope: bytes,
      expiresAtMs: envelope.expiresAtHours * HOUR_MS,
      messageId,
    };
    this.#puts.push(tx => context.store.outbox.put(tx, record));
    this.#posted.push(record);
    return bytes.length;
  }

  /** An own text was delivered, or has expired: nothing that carries it is needed any more. */
  endMessage(id: MessageId): void {
    this.waiting -= 1;
    this.#ended.push(id);
  }

  /** Nothing that waits in the contact's outbox is sent any more. */
  dropOutbox(): void {
    const { store, outboxDropped } = this.context;
    this.#posted.length = 0;
    this.put(tx => store.outbox.removeAllOf(tx, this.contact.id));
    this.after(() => outboxDropped(this.contact.id));
  }

  /** The envelope has been opened; carried here again, it is acknowledged and dropped. */
  markSeen(envelope: { readonly envelopeId: EnvelopeId; readonly expiresAtMs: number }): void {
    this.#seen.add(hex(envelope.envelopeId));
    this.#puts.push(tx => this.context.store.seen.add(tx, envelope.envelopeId, envelope.expiresAtMs));
  }

  hasSeen(id: EnvelopeId): boolean {
    return this.#seen.has(hex(id)) || this.context.store.seen.has(id);
  }

  async commit(): Promise<void> {
    const { store } = this.context;
    if (this.#conversationChanged) this.#puts.push(tx => store.conversations.put(tx, this.conversation));
    if (this.#contactChanged) this.#puts.push(tx => store.contacts.put(tx, this.contact));
    // A turn that changed nothing costs the disk nothing.
    if (this.#puts.length > 0 || this.sessions.changed) await store.write(tx => this.#writeAll(tx));
    for (const run of this.#after) run();
    for (const event of this.#events) this.context.bus.emit(event());
    if (this.#posted.length > 0) this.context.outboxChanged(this.contact.id, this.#posted);
    if (this.#ended.length > 0) this.context.messagesEnded(this.#ended);
  }

  #writeAll(tx: WriteTx): void {
    for (const put of this.#puts) put(tx);
    for (const stamp of this.#stamps.values()) this.context.store.instances.see(tx, this.contact.id, stamp);
    this.sessions.save(tx);
  }

  /** For a secret that this turn reads or stores. */
  wipeAtEnd(secret: Uint8Array): void {
    this.#secrets.push(secret);
  }

  close(): void {
    this.sessions.close();
    wipe(...this.#secrets);
  }
}
