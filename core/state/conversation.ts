import { equalBytes } from '../base/bytes.ts';
import { within } from '../base/clock.ts';
import { AuthError, DecodeError, InternalError, UsageError } from '../base/errors.ts';
import { HLC_ZERO, type HlcTime } from '../base/hlc.ts';
import type { ContactId, ConversationId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { deriveMailboxKeys, type MailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import type { ConsumedInitiation } from '../crypto/session.ts';
import type { Content } from '../wire/content.ts';
import { Actor, type Entry } from './actor.ts';
import type { Context } from './context.ts';
import { askForMissing } from './gaps.ts';
import { beginIfNone, initiate, receiveInitiation, receiveResponse, startAnew } from './handshakes.ts';
import { expireWaiting, markRead } from './reading.ts';
import { sendReceipts } from './receipts.ts';
import { type Opened, receiveRatchet } from './receiving.ts';
import { removeContact } from './removal.ts';
import { type SealFrom, sealWaiting, sendAgain, sendControl, sendText } from './sending.ts';
import { Turn } from './turn.ts';
import { stepVerification, type VerificationInput } from './verifying.ts';

export type ConversationStep =
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'send-again'; readonly id: MessageId }
  | { readonly kind: 'send-control'; readonly content: Exclude<Content, { kind: 'text' }> }
  | { readonly kind: 'ratchet'; readonly opened: Opened }
  | { readonly kind: 'initiation'; readonly initiation: ConsumedInitiation; readonly opened: Opened | null }
  | { readonly kind: 'response'; readonly initiationId: Uint8Array; readonly opened: Opened }
  | { readonly kind: 'initiate'; readonly proof: Uint8Array }
  | { readonly kind: 'seal-waiting'; readonly from: SealFrom }
  | { readonly kind: 'mend' | 'start-anew' }
  | { readonly kind: 'ask-missing'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'mark-read'; readonly upTo: MessageId | undefined }
  | { readonly kind: 'expire' }
  | { readonly kind: 'verify'; readonly input: VerificationInput }
  | { readonly kind: 'remove' }
  | { readonly kind: 'change'; readonly change: (turn: Turn) => void };

/**
 * The serial actor of one conversation: the only place where its sessions, messages and contact row change.
 * Steps that gather while a turn becomes durable share the next turn, and its one transaction.
 */
export class Conversation {
  readonly contact: ContactId;
  readonly #context: Context;
  readonly #actor: Actor<ConversationStep>;
  #mailbox: { readonly key: Uint8Array; readonly keys: MailboxKeys } | undefined;
  /** What the last turn left known of the store, so that the next need not count and look again. */
  #former: { readonly waiting: number; readonly time: HlcTime } | undefined;
  /** Sealing failed part-way: tried again at the next sweep. */
  #mendDue = false;
  #mendedAtMs = 0;

  constructor(context: Context, contact: ContactId) {
    this.#context = context;
    this.contact = contact;
    this.#actor = new Actor(batch => this.#handle(batch));
  }

  ask<R>(step: ConversationStep): Promise<R> {
    return this.#actor.ask<R>(step);
  }

  async stop(): Promise<void> {
    await this.#actor.stop();
    if (this.#mailbox) wipeMailboxKeys(this.#mailbox.keys);
    this.#mailbox = undefined;
  }

  /** A removal has a transaction of its own: it leaves nothing for the steps behind it, and they put nothing back. */
  async #handle(batch: readonly Entry<ConversationStep>[]): Promise<void> {
    const at = batch.findIndex(({ step }) => step.kind === 'remove');
    if (at < 0) return this.#turn(batch);
    const before = batch.slice(0, at);
    if (at > 0) await this.#turn(before).catch(error => before.forEach(entry => void entry.fail(error)));
    await removeContact(this.#context.store, this.contact);
    batch[at]?.settle(undefined);
    for (const entry of batch.slice(at + 1)) entry.fail(noContact());
  }

  async #turn(batch: readonly Entry<ConversationStep>[]): Promise<void> {
    const { store } = this.#context;
    const turn = store.reading(() => this.#open());
    try {
      const answers = store.reading(() => takeAll(turn, batch));
      await turn.commit();
      this.#former = { waiting: turn.waiting, time: turn.time };
      for (const answer of answers) answer();
    } catch (error) {
      // What the failed turn counted is not what the store holds.
      this.#former = undefined;
      if (batch.length === 1) throw error;
      return this.#handleOneByOne(batch);
    } finally {
      turn.close();
    }
    if (turn.sessionMade) this.#sessionMade();
    if (this.#mendDue && batch.some(({ step }) => step.kind === 'expire')) this.mend();
  }

  #sessionMade(): void {
    this.#context.sessionMade();
    this.#sealRest({ after: undefined, unposted: false });
  }

  /** A step that makes its turn fail must not take the others along. */
  async #handleOneByOne(batch: readonly Entry<ConversationStep>[]): Promise<void> {
    for (const entry of batch) await this.#turn([entry]).catch(error => entry.fail(error));
  }

  #open(): Turn {
    const { store } = this.#context;
    const contact = store.contacts.get(this.contact);
    const conversation = contact && store.conversations.get(contact.conversation);
    if (!contact || !conversation) throw noContact();
    this.#former ??= {
      waiting: store.messages.countUndelivered(conversation.id),
      time: store.messages.newest(conversation.id, 1)[0]?.hlc ?? HLC_ZERO,
    };
    return new Turn(this.#context, contact, conversation, this.#mailboxOf(contact.mailboxKey), this.#former);
  }

  #mailboxOf(key: Uint8Array): MailboxKeys {
    if (!this.#mailbox || !equalBytes(this.#mailbox.key, key)) {
      if (this.#mailbox) wipeMailboxKeys(this.#mailbox.keys);
      this.#mailbox = { key, keys: deriveMailboxKeys(key) };
    }
    return this.#mailbox.keys;
  }

  /** Seals what waits without an envelope, and begins a session where there is none. */
  mend(): void {
    this.#mendDue = false;
    this.#mendedAtMs = this.#context.clock();
    this.ask({ kind: 'mend' }).then(
      () => this.#sealRest({ after: undefined, unposted: true }),
      () => {
        this.#mendDue = true;
      },
    );
  }

  /** Once a minute: as `mend`, where something waits without an envelope; whoever refused it once may do so again. */
  mendIfDue(conversation: ConversationId): void {
    const { store, clock, carried } = this.#context;
    const due = !within(this.#mendedAtMs, LIMITS.mendMs, clock());
    const unsealed = () =>
      store.pending.listOf(this.contact, 1).length > 0 ||
      store.messages.undelivered(conversation, LIMITS.actorBatch).some(id => !carried(id));
    if (this.#mendDue || (due && unsealed())) this.mend();
  }

  /** Part by part, so that other steps come in between. */
  #sealRest(from: SealFrom): void {
    this.ask<SealFrom | undefined>({ kind: 'seal-waiting', from }).then(
      next => next && this.#sealRest(next),
      () => {
        this.#mendDue = true;
      },
    );
  }
}

function noContact(): UsageError {
  return new UsageError('not-found', 'conversation', 'There is no such contact.');
}

function takeAll(turn: Turn, batch: readonly Entry<ConversationStep>[]): (() => void)[] {
  const answers = batch.map(entry => attempt(turn, entry));
  if (turn.toAcknowledge.length > 0) sendReceipts(turn, 'delivered', turn.toAcknowledge);
  return answers;
}

/** Runs one step; its answer is given later, when the turn is durable. A step's own failure is its alone. */
function attempt(turn: Turn, entry: Entry<ConversationStep>): () => void {
  try {
    const value = take(turn, entry.step);
    const { failure } = turn;
    turn.failure = undefined;
    return failure ? () => entry.fail(failure) : () => entry.settle(value);
  } catch (error) {
    if (!isOfTheStep(error)) throw error;
    return () => entry.fail(error);
  }
}

/** The step asked for what cannot be, before it changed anything; any other error leaves the turn in doubt. */
function isOfTheStep(error: unknown): boolean {
  return error instanceof UsageError || error instanceof AuthError || error instanceof DecodeError;
}

function take(turn: Turn, step: ConversationStep): unknown {
  switch (step.kind) {
    case 'send':
      return sendText(turn, step.text);
    case 'send-again':
      return sendAgain(turn, step.id);
    case 'send-control':
      return sendControl(turn, step.content);
    case 'ratchet':
      return receiveRatchet(turn, step.opened);
    case 'initiation':
      return receiveInitiation(turn, step.initiation, step.opened);
    case 'response':
      return receiveResponse(turn, step.initiationId, step.opened);
    case 'initiate':
      return initiate(turn, step.proof);
    case 'seal-waiting':
      return sealWaiting(turn, step.from);
    case 'mend':
      return beginIfNone(turn);
    case 'ask-missing':
      return askForMissing(turn, step.ids);
    case 'start-anew':
      return startAnew(turn);
    case 'mark-read':
      return markRead(turn, step.upTo);
    case 'expire':
      return expireWaiting(turn);
    case 'verify':
      return stepVerification(turn, step.input);
    case 'change':
      return step.change(turn);
    case 'remove':
      throw new InternalError('conversation.remove');
  }
}
