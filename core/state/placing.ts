import { MINUTE_MS } from '../base/clock.ts';
import type { ContactId, EnvelopeId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { openCustodyReceipt } from '../mailbox/custody.ts';
import {
  type Held,
  type Holding,
  heldNow,
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
import { decodeCustodyReceipt, encodeCustodyReceipt } from '../wire/custody.ts';
import type { Context } from './context.ts';
import { DepositLines } from './deposit-lines.ts';
import type { DepositLine } from './deposits.ts';
import { HeldStates } from './held-states.ts';
import { Looks } from './looks.ts';
import { idOf, type Placed, PlacedEnvelopes } from './placed.ts';
import { PlacingView } from './placing-view.ts';
import type { Presence } from './presence.ts';
import { removePlaces, removePlacesOf, storedHoldings, storedHoldingsOf, storedPlaces } from './stored-places.ts';
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
  readonly #states: HeldStates;
  readonly #looks: Looks;
  /** Connected contacts that have said hello, and whether they hold. */
  readonly #here = new Map<ContactId, boolean>();
  /** Contacts that counted for what they hold, at the last sweep. */
  #seen = new Set<ContactId>();
  #sweptMs = 0;
  #view: PlacingView | undefined;
  #stopped = false;
  /** The outbox holds more than is remembered here. */
  #overflown = false;

  constructor(context: Context, swarm: Swarm, presence: Presence) {
    this.#context = context;
    this.#presence = presence;
    this.#states = new HeldStates(context);
    this.#looks = new Looks(context.scheduler, names => this.#lookNow(names));
    this.#wakes = new Wakes(context.clock, context.scheduler, names => this.#looks.add(names));
    this.#lines = new DepositLines(context, swarm, presence, {
      held: (line, receipt) => this.#held(line, receipt),
      answered: (custodian, ids, kind) => this.#answered(custodian, ids, kind),
      lost: custodian => this.#lineLost(custodian),
    });
  }

  /** Takes up what the last run left: the outbox, and the receipts beside it. */
  async start(): Promise<void> {
    const { store } = this.#context;
    this.#seen = this.#current().seen();
    this.#load();
    if (this.#overflown) return;
    const orphans = [...store.placements.all()].filter(({ envelopeId }) => !this.#placed.get(envelopeId));
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

  /** Whether an envelope with this text waits in the outbox, as far as is known. */
  carries(message: MessageId): boolean {
    return this.#overflown || this.#placed.ofMessage(message).length > 0;
  }

  /** By whom a text is held, by receipts in force. */
  heldOf(message: MessageId): Held {
    const placed = this.#placed.ofMessage(message);
    const kept = placed.flatMap(each => this.#placed.holdings(each));
    const holdings = placed.length === 0 && this.#overflown ? storedHoldingsOf(this.#context.store, message) : kept;
    // With one custodian in several envelopes it is one that holds.
    const latest = new Map([...holdings].sort((a, b) => a.timeMs - b.timeMs).map(item => [item.custodian, item]));
    return heldNow({ holdings: [...latest.values()] }, this.#presence.custodians(), this.#context.clock());
  }

  /** A contact has gone, or said hello: on a new connection or because what it says has changed; or was accepted. */
  presenceChanged(contact: ContactId): void {
    if (this.#stopped) return;
    this.#view = undefined;
    if (!this.#presence.isConnected(contact)) {
      this.#here.delete(contact);
      this.#lines.disconnected(contact);
      this.#lookAt(({ waiting, recipient }) => waiting && recipient === contact);
      return;
    }
    const custodian = this.#presence.custodian(contact);
    const known = this.#here.get(contact);
    // Both sides greet, and each greeting is heard.
    if (!custodian?.connected || known === custodian.willing) return;
    this.#here.set(contact, custodian.willing);
    if (known === undefined) this.#check(contact);
    this.#arrived(contact);
  }

  /** Once a minute: receipts end, custodians stay away, silence and refusals are over. */
  sweep(): void {
    this.#view = undefined;
    if (this.#overflown && this.#placed.size < LIMITS.placements / 2) this.#load();
    const view = this.#current();
    const { nowMs } = view;
    const setBack = nowMs < this.#sweptMs;
    this.#sweptMs = nowMs;
    this.#lookAt(({ nextMs }) => setBack || nextMs <= nowMs);
    const seen = view.seen();
    const turned = [...new Set([...this.#seen, ...seen])].filter(id => this.#seen.has(id) !== seen.has(id));
    this.#seen = seen;
    for (const contact of turned) this.#lookAtHeldBy(contact);
    const again = new Set([...this.#lines.sweep(), ...this.#refusals.sweep(nowMs)]);
    this.#view = undefined;
    for (const contact of again) this.#arrived(contact);
  }

  #load(): void {
    const { store, sequence, clock } = this.#context;
    this.#overflown = false;
    for (const record of storedPlaces(store)) {
      sequence.above(record.seq);
      if (this.#overflown || this.#placed.get(record.envelopeId)) continue;
      const holdings = storedHoldings(store, record.envelopeId);
      this.#add(record, Math.floor(record.seq / 64), holdings);
      for (const { custodian } of holdings) this.#refusals.took(custodian, record.contact, clock());
      const { messageId } = record;
      if (messageId && holdings.length > 0) this.#states.known(messageId, this.heldOf(messageId));
    }
  }

  #add({ envelopeId, contact, messageId }: Posted, sentAtMs: number, holdings: readonly Holding[]): void {
    if (this.#stopped) return;
    if (this.#placed.size >= LIMITS.placements) {
      this.#overflown = true;
      return;
    }
    const placed = this.#placed.add({ ...newPlacement(contact, envelopeId, sentAtMs), holdings }, messageId);
    if (!placed) return;
    // The usual case: it is stored there before anybody else need know.
    if (this.#presence.isConnected(contact)) this.#wakes.at(placed.name, this.#context.clock() + LIMITS.placeAfterMs);
    else this.#looks.add([placed.name]);
  }

  #lookAt(wanted: (placed: Placed) => boolean): void {
    this.#looks.add(this.#placed.filter(wanted).map(({ name }) => name));
  }

  #lookAtHeldBy(custodian: ContactId): void {
    const state = this.#placed.stateWith(custodian);
    this.#lookAt(placed => state(placed) === 'held');
  }

  #lookNow(names: readonly string[]): void {
    this.#view = undefined;
    for (const name of names) {
      const placed = this.#placed.named(name);
      if (placed) this.#step(placed, { kind: 'look' });
    }
    this.#looks.add(this.#lines.takeWaiting());
  }

  /** A custodian can be asked, or counts again: what it may be asked for, and what it holds. */
  #arrived(contact: ContactId): void {
    const view = this.#current();
    const state = this.#placed.stateWith(contact);
    const willing = this.#here.get(contact) === true;
    const counted = this.#seen.has(contact);
    this.#lookAt(placed => {
      const known = state(placed);
      if (known) return known === 'held' && !counted;
      if (!willing || placed.waiting || placed.recipient === contact) return false;
      return (
        missingCopies(
          { sentAtMs: placed.sentAtMs, holdings: this.#placed.holdings(placed) },
          view.of(placed.recipient),
        ) > 0
      );
    });
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
    if (placed.messageId) this.#states.tell(placed.messageId, placed.recipient, this.heldOf(placed.messageId));
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
      this.#placed.remove(placed);
      this.#looks.remove(placed.name);
      const { messageId } = placed;
      if (messageId && this.#placed.ofMessage(messageId).length === 0) this.#states.forget(messageId);
      // The usual case, thousands of times: nobody was ever asked.
      if (before.holdings.length === 0) continue;
      asked.push(before.envelopeId);
      const { outputs } = stepPlacement(before, { kind: 'end' }, this.#current().of(placed.recipient));
      for (const output of outputs) this.#do(placed, output);
    }
    // A row that stays by a failing disk is looked at again at the next start.
    removePlacesOf(this.#context.store, asked).catch(() => undefined);
  }

  /** A receipt counts once it is stored. @throws DecodeError it is none */
  async #held(line: DepositLine, bytes: Uint8Array): Promise<void> {
    const { store, clock } = this.#context;
    const { custodian } = line;
    const { envelopeId } = decodeCustodyReceipt(bytes);
    line.settled(envelopeId);
    const identity = store.contacts.get(custodian)?.identity;
    const receipt = identity && openCustodyReceipt(bytes, identity, clock());
    if (!receipt) return this.#answered(custodian, [envelopeId], 'refused');
    const placed = this.#placed.get(envelopeId);
    if (!placed) return line.release(envelopeId);
    const { messageId, recipient } = placed;
    const untilMs = receipt.heldUntilMs;
    const row = { envelopeId, messageId, contact: recipient, custodian, changedAtMs: clock(), untilMs };
    await store.write(tx => {
      // It may have ended since; when it ends from now on, the row is removed after this.
      if (this.#placed.has(placed)) store.placements.put(tx, { ...row, receipt: encodeCustodyReceipt(receipt) });
    });
    if (!this.#placed.has(placed)) return line.release(envelopeId);
    this.#refusals.took(custodian, recipient, clock());
    this.#view = undefined;
    this.#step(placed, { kind: 'held', custodian, untilMs });
    this.#looks.add(this.#lines.takeWaiting());
  }

  #answered(custodian: ContactId, ids: readonly EnvelopeId[], kind: 'refused' | 'gone'): void {
    const state = this.#placed.stateWith(custodian);
    for (const id of ids) {
      const placed = this.#placed.get(id);
      if (!placed) continue;
      this.#view = undefined;
      const refused = kind === 'refused' && state(placed) === 'asked';
      const always = refused && this.#refusals.refused(custodian, placed.recipient, this.#context.clock());
      this.#step(placed, { kind: always ? 'lost' : kind, custodian });
    }
    this.#looks.add(this.#lines.takeWaiting());
  }

  #lineLost(custodian: ContactId): void {
    this.#view = undefined;
    const state = this.#placed.stateWith(custodian);
    const asked = this.#placed.filter(placed => state(placed) === 'asked');
    for (const placed of asked) this.#step(placed, { kind: 'lost', custodian });
    this.#looks.add(this.#lines.takeWaiting());
  }

  /** After a new connection: what this custodian promised, does it hold it still? */
  #check(custodian: ContactId): void {
    const state = this.#placed.stateWith(custodian);
    const held = this.#placed.filter(placed => state(placed) === 'held');
    if (held.length > 0) this.#lines.to(custodian)?.check(held.map(idOf));
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
