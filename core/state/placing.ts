import { hex } from '../base/bytes.ts';
import type { ContactId, EnvelopeId, MessageId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { openCustodyReceipt } from '../mailbox/custody.ts';
import {
  type Held,
  type Holding,
  heldNow,
  newPlacement,
  type Placement,
  type PlacementInput,
  type PlacementOutput,
  stepPlacement,
} from '../mailbox/placement.ts';
import type { Swarm } from '../network/swarm.ts';
import type { OutboxRecord } from '../storage/records.ts';
import { decodeCustodyReceipt, encodeCustodyReceipt } from '../wire/custody.ts';
import type { Context } from './context.ts';
import { DepositLine } from './deposits.ts';
import type { Presence } from './presence.ts';
import { Wakes } from './wakes.ts';

/** An envelope of the outbox, as far as it matters where it is held. */
export type Posted = Pick<OutboxRecord, 'envelopeId' | 'contact' | 'messageId'>;

interface Placed {
  placement: Placement;
  readonly messageId: MessageId | null;
}

/** Placements looked at in one go, so that a full outbox does not stop everything else. */
const LOOKS = 64;
const PAGE = 256;
const NOBODY: Held = { heldBy: 0, untilMs: null, unseen: 0 };

/**
 * Keeps every envelope whose recipient is away with as many custodians as there should be (docs/protocol/mailbox.md
 * §4). What is held where rests on signed receipts, stored before they count.
 */
export class Placing {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #presence: Presence;
  readonly #wakes: Wakes;
  readonly #placed = new Map<string, Placed>();
  readonly #byMessage = new Map<MessageId, Set<string>>();
  readonly #lines = new Map<ContactId, DepositLine>();
  /** Custodians that did not answer on this connection. */
  readonly #silent = new Set<ContactId>();
  readonly #toLook = new Set<string>();
  #looking = false;
  #stopped = false;
  /** The outbox holds more than is remembered here. */
  #overflown = false;

  constructor(context: Context, swarm: Swarm, presence: Presence) {
    this.#context = context;
    this.#swarm = swarm;
    this.#presence = presence;
    this.#wakes = new Wakes(context.clock, context.scheduler, names => {
      // Not behind the others: a custodian that does not answer holds those up until its time is over.
      for (const name of names) this.#step(name, { kind: 'look' });
    });
  }

  /** Takes up what the last run left: the outbox, and the receipts beside it. */
  async start(): Promise<void> {
    const { store } = this.#context;
    this.#load();
    const orphans = [...store.placements.all()].filter(({ envelopeId }) => !this.#placed.has(hex(envelopeId)));
    if (orphans.length === 0 || this.#overflown) return;
    await store.write(tx => {
      for (const { envelopeId } of orphans) store.placements.removeAllOf(tx, envelopeId);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#wakes.stop();
    for (const line of [...this.#lines.values()]) line.close();
  }

  /** Envelopes have come into the outbox. */
  posted(envelopes: readonly Posted[]): void {
    for (const envelope of envelopes) this.#add(envelope, []);
  }

  /** Envelopes have left the outbox: stored by their recipient, or expired. */
  ended(ids: readonly EnvelopeId[]): void {
    for (const id of ids) {
      const name = hex(id);
      const placed = this.#placed.get(name);
      // The usual case, thousands of times: nobody was ever asked.
      if (placed?.placement.holdings.length === 0) this.#forget(name, placed);
      else this.#step(name, { kind: 'end' });
    }
  }

  /** A text was delivered, or has expired: none of its envelopes is needed any more. */
  async endMessages(ids: readonly MessageId[]): Promise<void> {
    const { store } = this.#context;
    const names = ids.flatMap(id => [...(this.#byMessage.get(id) ?? [])]);
    // What is on its way to a connected recipient, and with nobody else, ends with the recipient's answer.
    const envelopes = names
      .flatMap(name => this.#placed.get(name)?.placement ?? [])
      .filter(({ recipient, holdings }) => holdings.length > 0 || !this.#presence.isConnected(recipient))
      .map(({ envelopeId }) => envelopeId);
    if (envelopes.length === 0) return;
    await store.write(tx => {
      for (const id of envelopes) store.outbox.remove(tx, id);
    });
    this.ended(envelopes);
  }

  /** Everything for this contact was dropped. */
  dropped(contact: ContactId): void {
    const names = [...this.#placed].filter(([, { placement }]) => placement.recipient === contact);
    for (const [name] of names) this.#step(name, { kind: 'end' });
  }

  /** Whether an envelope with this text waits in the outbox, as far as is known. */
  carries(message: MessageId): boolean {
    return this.#overflown || this.#byMessage.has(message);
  }

  /** By whom a text is held, by receipts in force. */
  heldOf(message: MessageId): Held {
    const names = this.#byMessage.get(message);
    if (!names) return NOBODY;
    const custodians = this.#presence.custodians();
    const nowMs = this.#context.clock();
    const holdings = [...names].flatMap(name => this.#placed.get(name)?.placement.holdings ?? []);
    const latest = new Map(holdings.sort((a, b) => a.untilMs - b.untilMs).map(item => [item.custodian, item]));
    const [name = ''] = names;
    const any = this.#placed.get(name)?.placement;
    return any ? heldNow({ ...any, holdings: [...latest.values()] }, custodians, nowMs) : NOBODY;
  }

  /** A contact has come, gone, or said something else of itself. */
  presenceChanged(contact: ContactId): void {
    if (this.#stopped) return;
    const connected = this.#presence.isConnected(contact);
    if (!connected) {
      this.#silent.delete(contact);
      this.#lines.get(contact)?.close();
    } else this.#check(contact);
    this.#look(
      [...this.#placed]
        .filter(([, { placement }]) => placement.phase === 'placing' || (!connected && placement.recipient === contact))
        .map(([name]) => name),
    );
  }

  /** Once a minute: receipts end, custodians stay away. */
  sweep(): void {
    if (this.#overflown && this.#placed.size < LIMITS.placements / 2) this.#load();
    this.#look([...this.#placed].filter(([, { placement }]) => placement.phase === 'placing').map(([name]) => name));
  }

  #load(): void {
    const { store } = this.#context;
    this.#overflown = false;
    for (const contact of store.outbox.contactsWithWork()) {
      for (let after: number | undefined, page = PAGE; page === PAGE; ) {
        const records = store.reading(() => store.outbox.listOf(contact, PAGE, after));
        for (const record of records) this.#add(record, this.#stored(record.envelopeId));
        after = records.at(-1)?.seq;
        this.#context.sequence.above(after ?? 0);
        page = this.#overflown ? 0 : records.length;
      }
    }
  }

  #stored(envelopeId: EnvelopeId): Holding[] {
    const rows = this.#context.store.placements.listOf(envelopeId).filter(row => row.state === 'held');
    return rows.map(({ custodian, changedAtMs, untilMs }) => ({
      custodian,
      state: 'held',
      atMs: changedAtMs,
      untilMs,
    }));
  }

  #add({ envelopeId, contact, messageId }: Posted, holdings: readonly Holding[]): void {
    const name = hex(envelopeId);
    if (this.#stopped || this.#placed.has(name)) return;
    if (this.#placed.size >= LIMITS.placements) {
      this.#overflown = true;
      return;
    }
    const nowMs = this.#context.clock();
    const placement = { ...newPlacement(contact, envelopeId, nowMs), holdings };
    this.#placed.set(name, { placement, messageId });
    if (messageId) this.#byMessage.set(messageId, (this.#byMessage.get(messageId) ?? new Set()).add(name));
    // The usual case: it is stored there before anybody else need know.
    if (this.#presence.isConnected(contact)) this.#wakes.at(name, nowMs + LIMITS.placeAfterMs);
    else this.#look([name]);
  }

  #look(names: readonly string[]): void {
    for (const name of names) this.#toLook.add(name);
    if (this.#looking || this.#stopped || this.#toLook.size === 0) return;
    this.#looking = true;
    this.#context.scheduler(0, () => this.#lookNow());
  }

  #lookNow(): void {
    this.#looking = false;
    let looks = 0;
    for (const name of this.#toLook) {
      // Goes on with the next answer.
      if (this.#stopped || [...this.#lines.values()].some(line => line.full)) return;
      this.#toLook.delete(name);
      this.#step(name, { kind: 'look' });
      looks += 1;
      if (looks >= LOOKS) break;
    }
    this.#look([]);
  }

  #step(name: string, input: PlacementInput): void {
    const placed = this.#placed.get(name);
    // What ends after the stop is found ended at the next start.
    if (!placed || this.#stopped) return;
    const before = placed.placement;
    const { placement, outputs } = stepPlacement(before, input, this.#view(before));
    placed.placement = placement;
    if (placement.phase === 'ended') this.#forget(name, placed);
    if (placement.holdings !== before.holdings) this.#holdingsChanged(placed, before);
    for (const output of outputs) this.#do(name, placement, output);
    if (input.kind === 'look') for (const id of silentIn(before, placement)) this.#lines.get(id)?.close();
  }

  #view({ recipient }: Placement) {
    const { clock, account } = this.#context;
    const custodians = this.#presence.custodians().filter(({ id }) => !this.#silent.has(id));
    const recipientConnected = this.#presence.isConnected(recipient);
    return account.tieKey.use(tieKey => {
      return { nowMs: clock(), recipientConnected, custodians, tieKey: Buffer.from(tieKey) };
    });
  }

  #forget(name: string, { messageId }: Placed): void {
    this.#placed.delete(name);
    this.#toLook.delete(name);
    if (!messageId) return;
    const names = this.#byMessage.get(messageId);
    names?.delete(name);
    if (names?.size === 0) this.#byMessage.delete(messageId);
  }

  /** Rows of what is held no more go; who was asked and did not answer in time is asked nothing on this connection. */
  #holdingsChanged({ placement, messageId }: Placed, before: Placement): void {
    const { store } = this.#context;
    const now = new Map(placement.holdings.map(holding => [holding.custodian, holding]));
    const lost = before.holdings.filter(
      ({ custodian, state }) => state === 'held' && now.get(custodian)?.state !== 'held',
    );
    if (lost.length > 0) {
      // A row that stays by a failing disk is looked at again at the next start.
      store
        .write(tx => {
          for (const { custodian } of lost) store.placements.remove(tx, placement.envelopeId, custodian);
        })
        .catch(() => undefined);
    }
    if (messageId && placement.phase !== 'ended') this.#tell(messageId, before, placement);
  }

  #tell(id: MessageId, before: Placement, after: Placement): void {
    const { store, clock, bus } = this.#context;
    const held = (placement: Placement) => placement.holdings.filter(({ state }) => state === 'held');
    const same =
      held(before).length === held(after).length && held(before).every((item, at) => item === held(after)[at]);
    const conversation = store.contacts.get(after.recipient)?.conversation;
    if (same || !conversation || store.messages.stateOf(id)?.state !== 'queued') return;
    bus.emit({ type: 'message-held', id, conversation, held: this.heldOf(id), atMs: clock() });
  }

  #do(name: string, placement: Placement, output: PlacementOutput): void {
    switch (output.kind) {
      case 'deposit':
        this.#line(output.custodian)?.deposit(placement.envelopeId);
        return;
      case 'release':
        if (this.#presence.isConnected(output.custodian)) this.#line(output.custodian)?.release(placement.envelopeId);
        return;
      case 'wake':
        this.#wakes.at(name, output.atMs);
    }
  }

  #line(custodian: ContactId): DepositLine | undefined {
    const known = this.#lines.get(custodian);
    if (known || this.#stopped) return known;
    const contact = this.#context.store.contacts.get(custodian);
    if (!contact) return undefined;
    const line = new DepositLine(
      this.#context,
      this.#swarm,
      { id: custodian, peer: contact.transportKey },
      {
        held: receipt => this.#held(line, receipt),
        refused: ids => this.#answered(line, ids, 'refused'),
        gone: ids => this.#answered(line, ids, 'gone'),
        lost: () => this.#lineLost(line),
      },
    );
    this.#lines.set(custodian, line);
    return line;
  }

  /** A receipt counts once it is stored. @throws DecodeError it is none */
  async #held(line: DepositLine, bytes: Uint8Array): Promise<void> {
    const { store, clock } = this.#context;
    const { custodian } = line;
    const { envelopeId } = decodeCustodyReceipt(bytes);
    line.settled(envelopeId);
    const identity = store.contacts.get(custodian)?.identity;
    const receipt = identity && openCustodyReceipt(bytes, identity, clock());
    if (!receipt) return this.#answered(line, [envelopeId], 'refused');
    const name = hex(envelopeId);
    const placed = this.#placed.get(name);
    if (!placed) return line.release(envelopeId);
    const { messageId, placement } = placed;
    const untilMs = receipt.heldUntilMs;
    const people = { contact: placement.recipient, custodian };
    const row = { envelopeId, messageId, ...people, state: 'held' as const, changedAtMs: clock(), untilMs };
    await store.write(tx => store.placements.put(tx, { ...row, receipt: encodeCustodyReceipt(receipt) }));
    this.#step(name, { kind: 'held', custodian, untilMs });
    this.#look([]);
  }

  #answered(line: DepositLine, ids: readonly EnvelopeId[], kind: 'refused' | 'gone'): void {
    for (const id of ids) this.#step(hex(id), { kind, custodian: line.custodian });
    this.#look([]);
  }

  #lineLost(line: DepositLine): void {
    if (this.#lines.get(line.custodian) !== line) return;
    this.#lines.delete(line.custodian);
    if (this.#stopped) return;
    if (this.#presence.isConnected(line.custodian)) this.#silent.add(line.custodian);
    this.#look([...this.#placed].filter(asks(line.custodian)).map(([name]) => name));
  }

  /** After a new connection: what this custodian promised, does it hold it still? */
  #check(custodian: ContactId): void {
    const held = [...this.#placed.values()].filter(({ placement }) =>
      placement.holdings.some(item => item.custodian === custodian && item.state === 'held'),
    );
    if (held.length > 0) this.#line(custodian)?.check(held.map(({ placement }) => placement.envelopeId));
  }
}

/** Who was asked, is still connected, and let its time go by. */
function silentIn(before: Placement, after: Placement): ContactId[] {
  const refused = new Set(after.holdings.filter(item => item.state === 'refused').map(item => item.custodian));
  return before.holdings.flatMap(item => (item.state === 'asked' && refused.has(item.custodian) ? item.custodian : []));
}

function asks(custodian: ContactId) {
  return ([, { placement }]: [string, Placed]): boolean =>
    placement.holdings.some(item => item.custodian === custodian && item.state === 'asked');
}
