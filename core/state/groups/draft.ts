import { HOUR_MS } from '../../base/clock.ts';
import { type ContactId, parseEnvelopeId } from '../../base/ids.ts';
import { sealEnvelope } from '../../crypto/mailbox-seal.ts';
import type { EpochId, GroupCrypto } from '../../groups/group-crypto.ts';
import { stepGroup } from '../../groups/group-machine.ts';
import { type GroupInput, type GroupOutput, type GroupState, headEpoch } from '../../groups/group-state.ts';
import { encodeGroup } from '../../groups/state-codec.ts';
import { Waiting } from '../../groups/waiting.ts';
import type { ConversationRecord, GroupRecord } from '../../storage/records.ts';
import type { WriteTx } from '../../storage/store.ts';
import { encodeContent } from '../../wire/content.ts';
import { encodeEnvelope, envelopeIdOf } from '../../wire/envelope.ts';
import { encodeParcel, PARCEL_ID_BYTES, type ParcelKind, splitParcel } from '../../wire/group-parcel.ts';
import type { Context } from '../context.ts';
import type { CoreEvent } from '../events.ts';
import { storeActs } from './act-rows.ts';
import { storeEpochs } from './epoch-rows.ts';
import { type OuterKeys, outerAfter, secretOf, withoutForgotten } from './outer.ts';
import type { KeepEnvelope, KeptEnvelope, Published } from './spreading.ts';
import type { GroupMemory, Standing } from './standing.ts';
import { Timeline } from './timeline.ts';
import { storeWaiting } from './waiting-rows.ts';

/**
 * What a batch of steps of one group changes, gathered and then made durable in one transaction. Nothing is told or
 * handed on before that; if it fails, nothing has happened.
 */
export class GroupDraft<State> {
  readonly context: Context;
  readonly crypto: GroupCrypto<State>;
  readonly keys: OuterKeys;
  readonly timeline: Timeline;
  readonly nowMs: number;
  readonly memory: GroupMemory;
  readonly published: Published[] = [];
  /** What came, to be kept for members who lack it. */
  readonly received: KeptEnvelope[] = [];
  /** Ids of envelopes, in hex, of which nothing is kept: they are as if they had not come, and are pulled again. */
  readonly dropped = new Set<string>();
  record: GroupRecord;
  conversation: ConversationRecord;
  state: GroupState<State>;
  wakeMs: number | null = null;
  readonly #base: GroupState<State> | null;
  readonly #replaced: State[] = [];
  readonly #forgotten: State[] = [];
  readonly #puts: ((tx: WriteTx) => void)[] = [];
  readonly #events: (() => CoreEvent)[] = [];
  readonly #after: (() => void)[] = [];
  readonly #pending = new Set<ContactId>();
  #stateChanged: boolean;
  #recordChanged: boolean;

  /** @param first the state of a group that is new here */
  constructor(
    context: Context,
    crypto: GroupCrypto<State>,
    keys: OuterKeys,
    { record, conversation, time, state, memory }: Standing<State>,
    first?: GroupState<State>,
  ) {
    this.context = context;
    this.crypto = crypto;
    this.keys = keys;
    this.nowMs = context.clock();
    this.record = record;
    this.conversation = conversation;
    this.timeline = new Timeline(this, time);
    this.memory = memory;
    this.#base = state;
    this.state = (state ?? first) as GroupState<State>;
    this.#stateChanged = state === null;
    this.#recordChanged = state === null;
    if (state !== null) return;
    this.put(tx => context.store.conversations.put(tx, conversation));
    // Of a group that is begun anew what was there before cannot be read.
    this.put(tx => context.store.groupEpochs.removeAllOf(tx, record.id));
  }

  put(change: (tx: WriteTx) => void): void {
    this.#puts.push(change);
  }

  /** A function is asked once all is durable, for what only the store can tell. */
  event(event: CoreEvent | (() => CoreEvent)): void {
    this.#events.push(typeof event === 'function' ? event : () => event);
  }

  after(run: () => void): void {
    this.#after.push(run);
  }

  changeRecord(change: Partial<GroupRecord>): void {
    this.record = { ...this.record, ...change };
    this.#recordChanged = true;
  }

  changeConversation(change: Partial<ConversationRecord>): void {
    this.conversation = { ...this.conversation, ...change };
    const { conversation } = this;
    this.put(tx => this.context.store.conversations.put(tx, conversation));
  }

  /**
   * Steps the machine. @param given outer secrets that came with what is handed over
   * @returns what is to be done now; `publish`, `wake` and `forget` are done already
   */
  async step(input: GroupInput, given: readonly Uint8Array[] = []): Promise<readonly GroupOutput[]> {
    const { context, crypto, state: before } = this;
    const { random } = context;
    const { state, outputs } = await stepGroup(crypto, before, input, { nowMs: this.nowMs, random });
    for (const [epoch, former] of before.states) {
      const now = state.states.get(epoch);
      if (now === undefined) this.#forgotten.push(former);
      else if (now !== former) this.#replaced.push(former);
    }
    this.state = state;
    if (state !== before) this.#stateChanged = true;
    await this.seeEpochs(given);
    return outputs.filter(output => !this.#done(output));
  }

  /** Nothing that was said can be opened again: of a group that was left, or that this member was put out of. */
  forgetAll(): void {
    this.#forgotten.push(...this.state.states.values());
    this.state = { ...this.state, states: new Map(), waiting: Waiting.NONE, asks: new Map(), queued: [] };
    this.#stateChanged = true;
    this.changeRecord({ outer: [] });
  }

  /** The outer secrets of epochs that are new. */
  async seeEpochs(given: readonly Uint8Array[]): Promise<void> {
    const outer = await outerAfter(this.crypto, this.state, this.record.outer, given);
    if (outer !== this.record.outer) this.changeRecord({ outer });
  }

  #done(output: GroupOutput): boolean {
    if (output.kind === 'wake') this.wakeMs = output.atMs;
    if (output.kind === 'forget') {
      this.changeRecord({ outer: withoutForgotten(this.record.outer, new Set<string>(output.epochs)) });
    }
    return output.kind === 'wake' || output.kind === 'forget';
  }

  /** Seals something for the group, to be spread once it is durable. @returns the tag; undefined: it could not be sealed */
  publish(what: ParcelKind, bytes: Uint8Array, epoch: EpochId): Uint8Array | undefined {
    const { random } = this.context;
    const secret = secretOf(this.record.outer, epoch) ?? this.record.outer[0]?.secret;
    const parts = secret && splitParcel(what, random(PARCEL_ID_BYTES), bytes);
    if (!secret || !parts) return undefined;
    let tag: Uint8Array | undefined;
    for (const part of parts) {
      const envelope = sealEnvelope(this.keys.of(secret), 'group', encodeParcel(part), this.nowMs, random);
      const sealed = encodeEnvelope(envelope);
      tag = envelope.tag;
      const expiresAtMs = envelope.expiresAtHours * HOUR_MS;
      this.published.push({ group: this.record.id, envelope: sealed, envelopeId: envelopeIdOf(sealed), expiresAtMs });
    }
    return tag;
  }

  /** Gives something to a contact through its session, which carries it whatever ends the process first. */
  give(contact: ContactId, what: ParcelKind, bytes: Uint8Array): void {
    const { store, random, sequence } = this.context;
    const parts = splitParcel(what, random(PARCEL_ID_BYTES), bytes) ?? [];
    for (const parcel of parts) {
      const content = encodeContent({ kind: 'group', group: this.record.id, parcel });
      const seq = sequence.next();
      this.put(tx => store.pending.add(tx, contact, seq, content));
    }
    this.#pending.add(contact);
  }

  get head() {
    return headEpoch(this.state);
  }

  /** Whether this member can speak where the group stands. */
  get active(): boolean {
    return this.state.states.has(this.state.head);
  }

  /** @param keep runs inside the write, with each envelope that came or is to be spread */
  async commit(keep: KeepEnvelope): Promise<Standing<State>> {
    const { context } = this;
    const { store } = context;
    if (this.#stateChanged) this.changeRecord({ state: encodeGroup(this.state, 'none') });
    const { record, conversation, state } = this;
    const { time } = this.timeline;
    if (this.#recordChanged || this.#puts.length > 0) {
      await store.write(tx => {
        for (const put of this.#puts) put(tx);
        if (this.#recordChanged) store.groups.put(tx, record);
        if (this.#stateChanged) {
          storeEpochs(store, tx, this.crypto, record.id, this.#base, state);
          storeWaiting(store, tx, record.id, this.#base?.waiting ?? Waiting.NONE, state.waiting);
          storeActs(store, tx, record.id, this.#base?.lineage.chains ?? new Map(), state.lineage.chains);
        }
        for (const published of this.published) keep(tx, { ...published, by: context.account.id });
        for (const received of this.received) keep(tx, received);
        for (const name of this.dropped) this.#forgetEnvelope(tx, name);
      });
    }
    for (const former of this.#replaced) this.crypto.retire(former);
    for (const former of this.#forgotten) this.crypto.wipe(former);
    this.keys.keep(record.outer);
    return { record, conversation, time, state, memory: this.memory };
  }

  #forgetEnvelope(tx: WriteTx, name: string): void {
    const { store } = this.context;
    const id = parseEnvelopeId(Buffer.from(name, 'hex'));
    store.seen.remove(tx, id);
    store.custody.remove(tx, id);
  }

  /** Once it is durable. */
  announce(): void {
    for (const run of this.#after) run();
    for (const event of this.#events) this.context.bus.emit(event());
    for (const contact of this.#pending) this.context.pendingAdded(contact);
  }
}
