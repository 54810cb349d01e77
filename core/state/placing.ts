import { MINUTE_MS } from '../base/clock.ts';
import type { ContactId, EnvelopeId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import {
  type Held,
  type Holding,
  missingCopies,
  newPlacement,
  nextChangeMs,
  type Placement,
  type PlacementInput,
  type PlacementOutput,
  stepPlacement,
} from '../mailbox/placement.ts';
import { Refusals } from '../mailbox/refusals.ts';
import type { Swarm } from '../network/swarm.ts';
import type { OutboxRecord } from '../storage/records.ts';
import type { Context } from './context.ts';
import { CustodiansHere } from './custodians-here.ts';
import { DepositLines } from './deposit-lines.ts';
import { HeldStates } from './held-states.ts';
import { LeftOut } from './left-out.ts';
import { Looks } from './looks.ts';
import { idOf, type Placed, PlacedEnvelopes } from './placed.ts';
import { PlacingAnswers } from './placing-answers.ts';
import type { PlacingParts } from './placing-parts.ts';
import { PlacingView } from './placing-view.ts';
import type { Presence } from './presence.ts';
import { removePlaces, removePlacesOf, storedHoldings, storedPlaces } from './stored-places.ts';
import { Wakes } from './wakes.ts';

/** An envelope of the outbox, as far as it matters where it is held. */
export type Posted = Pick<OutboxRecord, 'envelopeId' | 'contact' | 'messageId'>;

/**
 * Keeps every envelope whose recipient is away with as many custodians as there should be (docs/protocol/mailbox.md
 * §4). What is held where rests on signed receipts, stored before they count.
 */
export class Placing {
  readonly #context: Context;
  readonly #presence: Presence;
  readonly #wakes: Wakes;
  readonly #lines: DepositLines;
  readonly #refusals = new Refusals();
  readonly #placed = new PlacedEnvelopes();
  readonly #leftOut: LeftOut;
  readonly #states: HeldStates;
  readonly #looks: Looks;
  readonly #here: CustodiansHere;
  #sweptMs = 0;
  #view: PlacingView | undefined;
  #stopped = false;

  constructor(context: Context, swarm: Swarm, presence: Presence) {
    this.#context = context;
    this.#presence = presence;
    this.#leftOut = new LeftOut(context.store);
    this.#states = new HeldStates(context, presence, this.#placed, this.#leftOut);
    this.#looks = new Looks(context.scheduler, names => this.#lookNow(names));
    this.#wakes = new Wakes(context.clock, context.scheduler, names => this.#looks.add(names));
    const parts: PlacingParts = {
      context,
      presence,
      placed: this.#placed,
      refusals: this.#refusals,
      view: () => this.#current(),
      changed: () => this.#changed(),
      step: (placed, input) => this.#step(placed, input),
      lookAt: wanted => this.#lookAt(wanted),
      lookAtWaiting: () => this.#looks.add(this.#lines.takeWaiting()),
    };
    this.#lines = new DepositLines(context, swarm, presence, new PlacingAnswers(parts));
    this.#here = new CustodiansHere(parts, this.#lines);
  }

  /** Takes up what the last run left: the outbox, and the receipts beside it. */
  async start(): Promise<void> {
    const { store } = this.#context;
    this.#here.start();
    this.#load();
    const ended = (id: EnvelopeId) => !this.#placed.get(id) && (!this.#leftOut.some || !store.outbox.get(id));
    const orphans = [...store.placements.all()].filter(({ envelopeId }) => ended(envelopeId));
    await removePlacesOf(
      store,
      orphans.map(({ envelopeId }) => envelopeId),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#wakes.stop();
    this.#looks.stop();
    this.#lines.stop();
  }

  /** Envelopes have come into the outbox. */
  posted(envelopes: readonly Posted[]): void {
    const nowMs = this.#context.clock();
    for (const envelope of envelopes) this.#add(envelope, nowMs, []);
  }

  /** Envelopes have left the outbox: stored by their recipient, or expired. */
  ended(ids: readonly EnvelopeId[]): void {
    this.#end(ids.flatMap(id => this.#placed.get(id) ?? []));
    // Who holds what was not in mind keeps it until its recipient asks or its time is over; only the receipts go.
    if (this.#leftOut.some && !this.#stopped) removePlacesOf(this.#context.store, ids).catch(() => undefined);
  }

  /** A text was delivered, or has expired: none of its envelopes is needed any more. */
  async endMessages(ids: readonly MessageId[]): Promise<void> {
    const { store } = this.#context;
    const placed = ids.flatMap(id => this.#placed.ofMessage(id));
    // What is on its way to a connected recipient, and with nobody else, ends with the recipient's answer.
    const envelopes = placed
      .filter(({ recipient, packed }) => packed.length > 0 || !this.#presence.isConnected(recipient))
      .map(idOf);
    if (envelopes.length === 0) return;
    await store.write(tx => {
      for (const id of envelopes) store.outbox.remove(tx, id);
    });
    this.ended(envelopes);
  }

  /** Everything for this contact was dropped. */
  dropped(contact: ContactId): void {
    this.#end(this.#placed.filter(({ recipient }) => recipient === contact));
  }

  /** Whether an envelope with this text waits in the outbox. */
  carries(message: MessageId): boolean {
    return this.#placed.ofMessage(message).length > 0 || this.#leftOut.carries(message);
  }

  /** By whom a text is held, by receipts in force. */
  heldOf(message: MessageId): Held {
    return this.#states.of(message);
  }

  /**
   * A contact has gone, or said hello: on a new connection or because what it says has changed; or was accepted, or
   * removed.
   */
  presenceChanged(contact: ContactId): void {
    if (this.#stopped) return;
    this.#changed();
    this.#here.changed(contact);
    if (!this.#context.store.contacts.get(contact)) this.#removed(contact);
  }

  /** Once a minute: receipts end, custodians stay away, silence and refusals are over. */
  sweep(): void {
    this.#view = undefined;
    this.#leftOut.sweep();
    if (this.#leftOut.some && this.#placed.size < LIMITS.placements / 2) this.#load();
    const { nowMs } = this.#current();
    const setBack = nowMs < this.#sweptMs;
    this.#sweptMs = nowMs;
    this.#lookAt(({ nextMs }) => setBack || nextMs <= nowMs);
    this.#here.sweep();
    const again = new Set([...this.#lines.sweep(), ...this.#refusals.sweep(nowMs)]);
    this.#changed();
    for (const contact of again) this.#here.arrived(contact);
  }

  #load(): void {
    const { store, sequence, clock } = this.#context;
    this.#leftOut.clear();
    for (const record of storedPlaces(store)) {
      sequence.above(record.seq);
      if (this.#placed.get(record.envelopeId)) continue;
      const holdings = storedHoldings(store, record.envelopeId);
      if (!this.#add(record, Math.floor(record.seq / 64), holdings)) continue;
      for (const { custodian } of holdings) this.#refusals.took(custodian, record.contact, clock());
      const { messageId } = record;
      if (messageId && holdings.length > 0) this.#states.known(messageId);
    }
  }

  /** @returns whether it is kept in mind */
  #add({ envelopeId, contact, messageId }: Posted, sentAtMs: number, holdings: readonly Holding[]): boolean {
    if (this.#stopped || !this.#hasRoomFor(contact)) return false;
    const placed = this.#placed.add({ ...newPlacement(contact, envelopeId, sentAtMs), holdings }, messageId);
    if (!placed) return false;
    // The usual case: it is stored there before anybody else need know.
    if (this.#presence.isConnected(contact)) this.#wakes.at(placed.name, this.#context.clock() + LIMITS.placeAfterMs);
    else this.#looks.add([placed.name]);
    return true;
  }

  /** Whoever has most gives way, so that no recipient can keep out another. */
  #hasRoomFor(recipient: ContactId): boolean {
    if (this.#placed.size < LIMITS.placements) return true;
    const givingWay = this.#placed.givingWayTo(recipient);
    for (const placed of givingWay) {
      this.#drop(placed);
      this.#leftOut.add(placed.recipient);
    }
    if (givingWay.length === 0) this.#leftOut.add(recipient);
    return givingWay.length > 0;
  }

  #drop(placed: Placed): void {
    this.#placed.remove(placed);
    this.#looks.remove(placed.name);
    this.#states.forget(placed.messageId);
  }

  /** What it held is lost: added again, it would count without having been asked. */
  #removed(contact: ContactId): void {
    this.#here.removed(contact);
    const state = this.#placed.stateWith(contact);
    const lost = this.#placed.filter(placed => state(placed) !== undefined);
    for (const placed of lost) this.#placed.forgetWith(placed, contact);
    for (const placed of lost) this.#states.tell(placed);
    this.#looks.add(lost.map(({ name }) => name));
  }

  #lookAt(wanted: (placed: Placed) => boolean): void {
    this.#looks.add(this.#placed.filter(wanted).map(({ name }) => name));
  }

  #lookNow(names: readonly string[]): void {
    this.#changed();
    for (const name of names) {
      const placed = this.#placed.named(name);
      if (placed) this.#step(placed, { kind: 'look' });
    }
    this.#looks.add(this.#lines.takeWaiting());
  }

  #changed(): void {
    this.#view = undefined;
  }

  #current(): PlacingView {
    this.#view ??= new PlacingView(this.#context, this.#presence, this.#lines, this.#refusals);
    return this.#view;
  }

  #step(placed: Placed, input: PlacementInput): void {
    // What ends after the stop is found ended at the next start.
    if (this.#stopped || !this.#placed.has(placed)) return;
    const view = this.#current();
    const context = view.of(placed.recipient);
    const before = this.#placed.placement(placed);
    const { placement, outputs } = stepPlacement(before, input, context);
    this.#placed.keep(placed, placement);
    placed.nextMs = nextChangeMs(placement, view.nowMs);
    for (const output of outputs) this.#do(placed, output);
    const lost = heldBy(before).filter(custodian => !heldBy(placement).includes(custodian));
    if (lost.length > 0) removePlaces(this.#context.store, placement.envelopeId, lost).catch(() => undefined);
    this.#states.tell(placed);
    if (missingCopies(placement, context) > 0) this.#waitForRoom(placed, view);
    if (input.kind === 'look') for (const custodian of silentIn(before, placement)) this.#lines.silent(custodian);
  }

  /** At each full line: which of them will have room first nobody knows. */
  #waitForRoom(placed: Placed, view: PlacingView): void {
    for (const custodian of view.heldUp(placed.recipient)) {
      const free = this.#placed.stateWith(custodian)(placed) === undefined;
      if (free && this.#lines.isFull(custodian)) this.#lines.wait(custodian, placed.name);
    }
  }

  #do(placed: Placed, output: PlacementOutput): void {
    switch (output.kind) {
      case 'deposit':
        this.#lines.to(output.custodian)?.deposit(idOf(placed));
        if (this.#lines.isFull(output.custodian)) this.#view = undefined;
        return;
      case 'release':
        if (this.#presence.isConnected(output.custodian)) this.#lines.to(output.custodian)?.release(idOf(placed));
        return;
      case 'wake':
        placed.nextMs = Math.min(placed.nextMs, output.atMs);
        // What is further off is found by the sweep.
        if (output.atMs - this.#context.clock() <= MINUTE_MS) this.#wakes.at(placed.name, output.atMs);
    }
  }

  #end(all: readonly Placed[]): void {
    // What ends after the stop is found ended at the next start.
    if (this.#stopped) return;
    const asked: EnvelopeId[] = [];
    for (const placed of all) {
      const before = this.#placed.placement(placed);
      this.#drop(placed);
      // The usual case, thousands of times: nobody was ever asked.
      if (before.holdings.length === 0) continue;
      asked.push(before.envelopeId);
      const { outputs } = stepPlacement(before, { kind: 'end' }, this.#current().of(placed.recipient));
      for (const output of outputs) this.#do(placed, output);
    }
    // A row that stays by a failing disk is looked at again at the next start.
    removePlacesOf(this.#context.store, asked).catch(() => undefined);
  }
}

function heldBy({ holdings }: Placement): ContactId[] {
  return holdings.filter(({ state }) => state === 'held').map(({ custodian }) => custodian);
}

/** Who was asked, is still connected, and let its time go by. */
function silentIn(before: Placement, after: Placement): ContactId[] {
  const refused = new Set(after.holdings.filter(item => item.state === 'refused').map(item => item.custodian));
  return before.holdings.flatMap(item => (item.state === 'asked' && refused.has(item.custodian) ? item.custodian : []));
}
