import type { Clock } from '../base/clock.ts';
import { MINUTE_MS } from '../base/clock.ts';
import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { admit, signCustodyReceipt } from '../mailbox/custody.ts';
import { advanceHoldingClock, type HoldingClock, holdingTimeMs, startHoldingClock } from '../mailbox/expiry.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import type { CustodyEntry, CustodyUsage } from '../storage/records.ts';
import type { WriteTx } from '../storage/store.ts';
import { CUSTODY_PROTOCOL, decodeCustody, encodeCustody, encodeCustodyReceipt } from '../wire/custody.ts';
import { decodeEnvelope, envelopeIdOf } from '../wire/envelope.ts';
import type { Context } from './context.ts';
import { GivenUp } from './given-up.ts';
import type { Recipients } from './recipients.ts';

export interface CustodianOptions {
  readonly monotonic: Clock;
  readonly holds: () => boolean;
  /** Takes what is for people unknown here too, and from anybody (docs/decisions/0009). */
  readonly helper: boolean;
  readonly recipients: Recipients;
  /** An envelope with this tag has been taken in. */
  readonly taken: (tag: Uint8Array) => void;
}

/** What became of a deposit; `untilMs` by the wall clock here. */
export type Deposited =
  | { readonly kind: 'held'; readonly envelopeId: EnvelopeId; readonly untilMs: number; readonly fresh: boolean }
  | { readonly kind: 'refused'; readonly envelopeId: EnvelopeId };

/** An envelope, and what is read from it. */
interface Held {
  readonly bytes: Uint8Array;
  readonly envelopeId: EnvelopeId;
  readonly depositor: ContactId | null;
  readonly tag: Uint8Array;
  readonly expiresAtHours: number;
}

/** How often the holding clock is stored while nothing else is: what a crash may cost of it. */
const CLOCK_EVERY_MS = 10 * MINUTE_MS;

/** Holds envelopes for others (docs/protocol/mailbox.md §3): takes, answers with a signed receipt, lets go on time. */
export class CustodyService {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #options: CustodianOptions;
  readonly #givenUp: GivenUp;
  #clock: HoldingClock;
  #clockStoredMs = 0;

  constructor(context: Context, swarm: Swarm, options: CustodianOptions) {
    this.#context = context;
    this.#swarm = swarm;
    this.#options = options;
    this.#givenUp = new GivenUp(context);
    this.#clock = startHoldingClock(context.store.custody.clock(), this.#reading());
  }

  async serve(): Promise<void> {
    await this.#swarm.serve(CUSTODY_PROTOCOL, channel => void this.#serve(channel), { maxInbound: 2 });
  }

  get usage(): CustodyUsage {
    return this.#context.store.custody.usage();
  }

  /**
   * Takes an envelope into custody, or refuses it.
   * @param depositor null: somebody who is no contact
   * @returns once the outcome is durable
   * @throws DecodeError no envelope; StorageError
   */
  async deposit(bytes: Uint8Array, depositor: ContactId | null): Promise<Deposited> {
    const envelope = decodeEnvelope(bytes);
    const envelopeId = envelopeIdOf(bytes);
    let outcome = { kind: 'refused', envelopeId } as Deposited;
    let givenUp: CustodyEntry[] = [];
    await this.#context.store.write(tx => {
      givenUp = [];
      outcome = this.#take(tx, { bytes, envelopeId, depositor, ...envelope }, givenUp);
    });
    this.#givenUp.tell(givenUp);
    if (outcome.kind === 'held' && outcome.fresh) this.#options.taken(envelope.tag);
    return outcome;
  }

  /**
   * Keeps an envelope for which the caller has made room, as part of its write.
   * @returns false: it has expired, or claims a life that no envelope has
   */
  keep(tx: WriteTx, item: Held): boolean {
    const holdMs = holdingTimeMs(item.expiresAtHours, this.#context.clock());
    if (holdMs === null) return false;
    this.#put(tx, item, holdMs);
    return true;
  }

  /** Tags that are nobody's here, under which a helper holds something. */
  unknownTags(): Buffer[] {
    const { recipients } = this.#options;
    return this.#context.store.custody.tags().filter(tag => recipients.of(tag) === undefined);
  }

  /** Removes what its recipient has stored. */
  async remove(ids: readonly EnvelopeId[]): Promise<void> {
    const { store } = this.#context;
    await store.write(tx => {
      for (const id of ids) store.custody.remove(tx, id);
    });
  }

  /** Lets go of what was held long enough. */
  async sweep(): Promise<void> {
    const { store } = this.#context;
    if (store.custody.usage().envelopes === 0) return;
    const { forwardMs } = this.#tick();
    await store.write(tx => {
      const expired = store.custody.expire(tx, forwardMs, LIMITS.sweepBatch);
      if (expired.length > 0 || forwardMs - this.#clockStoredMs >= CLOCK_EVERY_MS) this.#putClock(tx);
    });
  }

  #take(tx: WriteTx, item: Held, givenUp: CustodyEntry[]): Deposited {
    const { clock, store } = this.#context;
    const { custody } = store;
    const { recipients } = this.#options;
    const { envelopeId, depositor, tag, bytes } = item;
    const { forwardMs } = this.#tick();
    const wallMs = clock();
    // Before anything is looked up: whoever is no contact learns nothing of what is held.
    if (depositor === null && !this.#takes(tag, null)) return { kind: 'refused', envelopeId };
    const held = custody.entry(envelopeId, tx);
    // What a contact brings that so far only a stranger had brought is taken anew, in the contact's part.
    if (held && (held.depositor !== null || depositor === null)) {
      if (depositor !== null && depositor !== held.depositor) custody.promiseToOthers(tx, held);
      return { kind: 'held', envelopeId, untilMs: wallMs + held.expiresAtMs - forwardMs, fresh: false };
    }
    const tags = recipients.box(tag)?.tags ?? [tag];
    const room = {
      holds: this.#takes(tag, depositor),
      totalBytes: custody.usage(tx).bytes,
      depositorBytes: custody.usageOfDepositor(depositor, tx).bytes,
      boxCount: custody.usageOfTags(tags, tx).envelopes - (held ? 1 : 0),
      box: custody.boxOf(tags, tx),
      part: custody.partOf(tags, depositor, tx),
    };
    const askedUntilMs = recipients.askedUntilMs(tag);
    const deposit = { bytes: bytes.length, expiresAtHours: item.expiresAtHours, askedUntilMs, depositor };
    const admission = admit(deposit, room, wallMs);
    if (admission.kind === 'refuse') return { kind: 'refused', envelopeId };
    for (const id of admission.evict) givenUp.push(...[custody.entry(id, tx)].filter(entry => entry !== undefined));
    for (const id of held ? [...admission.evict, envelopeId] : admission.evict) custody.remove(tx, id);
    this.#put(tx, item, admission.holdMs);
    return { kind: 'held', envelopeId, untilMs: wallMs + admission.holdMs, fresh: true };
  }

  #put(tx: WriteTx, { envelopeId, tag, depositor, bytes }: Held, holdMs: number): void {
    const { forwardMs } = this.#tick();
    const entry = { envelopeId, tag, depositor, promisedToOthers: false, bytes: bytes.length };
    const times = { storedAtMs: forwardMs, expiresAtMs: forwardMs + holdMs };
    this.#context.store.custody.put(tx, { ...entry, ...times, envelope: bytes });
    this.#putClock(tx);
  }

  /**
   * A custodian takes what it can hand on, so that one that never meets the recipient does not stand in for one that
   * does. A helper is met by more people than it knows.
   */
  #takes(tag: Uint8Array, depositor: ContactId | null): boolean {
    const { helper, holds, recipients } = this.#options;
    const recipient = recipients.of(tag);
    // What is for this profile itself is pushed to it, not deposited with it.
    if (!holds() || recipient === this.#context.account.id) return false;
    return helper || (recipient !== undefined && depositor !== null);
  }

  /** Answers each deposit once it is durable; a peer that breaks the protocol is cut off without a word. */
  async #serve(channel: FrameChannel): Promise<void> {
    const contact = this.#context.store.contacts.byTransport(channel.peer);
    const depositor = contact?.phase === 'accepted' ? contact.id : null;
    // Strangers wait for each answer: their deposits never crowd out those of contacts.
    const window = depositor === null ? 1 : LIMITS.depositWindow;
    const underWay = new Set<Promise<void>>();
    if (depositor) this.#givenUp.opened(channel, depositor);
    try {
      for await (const bytes of channel.frames) {
        const frame = decodeCustody(bytes);
        if (frame.kind === 'check' && depositor) await this.#answerCheck(channel, frame.ids);
        else if (frame.kind === 'release' && depositor) await this.#release(frame.ids, depositor);
        else if (frame.kind === 'deposit') {
          while (underWay.size >= window) await Promise.race(underWay);
          const done = this.#answerDeposit(channel, frame.envelope, depositor).finally(() => underWay.delete(done));
          underWay.add(done);
        } else break;
      }
    } catch {
      // The peer sees a closed stream and nothing else.
    } finally {
      this.#givenUp.closed(channel);
      await Promise.allSettled(underWay);
      await channel.close();
    }
  }

  /** Not the envelope's fault when it fails: without an answer its depositor keeps it and comes again. */
  async #answerDeposit(channel: FrameChannel, bytes: Uint8Array, depositor: ContactId | null): Promise<void> {
    try {
      const outcome = await this.deposit(bytes, depositor);
      await channel.send(this.#answerOf(outcome, depositor));
    } catch {
      await channel.close();
    }
  }

  #answerOf(outcome: Deposited, depositor: ContactId | null): Buffer {
    const ids = [outcome.envelopeId];
    if (outcome.kind === 'refused') return encodeCustody({ kind: 'refused', ids });
    // A signature would tell whoever finds this machine whose it is.
    if (depositor === null) return encodeCustody({ kind: 'taken', ids });
    const receipt = signCustodyReceipt(this.#context.account.identity, outcome.envelopeId, outcome.untilMs);
    return encodeCustody({ kind: 'held', receipt: encodeCustodyReceipt(receipt) });
  }

  async #answerCheck(channel: FrameChannel, ids: readonly EnvelopeId[]): Promise<void> {
    const gone = ids.filter(id => !this.#context.store.custody.has(id));
    if (gone.length > 0) await channel.send(encodeCustody({ kind: 'gone', ids: gone }));
  }

  async #release(ids: readonly EnvelopeId[], depositor: ContactId): Promise<void> {
    const { custody } = this.#context.store;
    await this.#context.store.write(tx => {
      const may = (held: CustodyEntry | undefined) => held?.depositor === depositor && !held.promisedToOthers;
      for (const id of ids) if (may(custody.entry(id, tx))) custody.remove(tx, id);
    });
  }

  #reading() {
    return { wallMs: this.#context.clock(), monotonicMs: this.#options.monotonic() };
  }

  #tick(): HoldingClock {
    this.#clock = advanceHoldingClock(this.#clock, this.#reading());
    return this.#clock;
  }

  #putClock(tx: WriteTx): void {
    const { forwardMs, wallMs } = this.#clock;
    this.#clockStoredMs = forwardMs;
    this.#context.store.custody.putClock(tx, { forwardMs: Math.floor(forwardMs), wallMs });
  }
}
