import { hex } from '../core/base/bytes.ts';
import { type EnvelopeId, PUBLIC_KEY_BYTES, parseIdentityKey } from '../core/base/ids.ts';
import { LIMITS } from '../core/base/limits.ts';
import { admit, type HeldEnvelope } from '../core/mailbox/custody.ts';
import { advanceHoldingClock, type HoldingClock, startHoldingClock } from '../core/mailbox/expiry.ts';
import { decodeCustody, decodeCustodyReceipt, encodeCustody, encodeCustodyReceipt } from '../core/wire/custody.ts';
import { decodeEnvelope, envelopeIdOf } from '../core/wire/envelope.ts';
import type { Link } from './link.ts';
import type { Outgoing, Program } from './program.ts';

export interface HeldRow extends HeldEnvelope {
  readonly name: string;
  readonly seq: number;
  readonly tag: string;
  /** Whose it is, a contact: `person N`. */
  readonly box: string;
  /** Of the holding clock. */
  readonly dueMs: number;
  readonly untilMs: number;
}

const NO_SIGNATURE = new Uint8Array(64);

/** Both sides of /molva/custody/1 of one program: what it holds for others, and what it asks others to hold. */
export class CustodySide {
  readonly rows = new Map<string, HeldRow>();
  readonly #program: Program;
  readonly #queued = new Map<Link, string[]>();
  readonly #underWay = new Map<Link, Set<string>>();
  #clock: HoldingClock | undefined;
  #seq = 0;
  #startedMs = 0;

  constructor(program: Program) {
    this.#program = program;
  }

  /** The program starts: time has passed that no one measured. */
  start(): void {
    const { nowMs } = this.#program.run;
    this.#clock = startHoldingClock(this.#clock, { wallMs: nowMs, monotonicMs: 0 });
    this.#startedMs = nowMs;
    this.sweep();
  }

  sweep(): void {
    const now = this.#now();
    for (const row of [...this.rows.values()]) if (row.dueMs <= now) this.rows.delete(row.name);
  }

  /** Whose the tag is, if a contact's. */
  contactOf(tag: string): number | undefined {
    const { run, person } = this.#program;
    return run.world.contacts[person]?.find(contact => contact === run.ownerOf(tag));
  }

  ask(other: number, kind: 'deposit' | 'release', outgoing: Outgoing): void {
    if (kind === 'release') {
      this.release(other, outgoing.name);
      return;
    }
    const link = this.#program.links.get(other);
    if (!link) return;
    const queue = this.#queued.get(link) ?? [];
    this.#queued.set(link, queue);
    queue.push(outgoing.name);
    this.#pump(link);
  }

  release(other: number, name: string): void {
    const ids = [Buffer.from(name, 'hex') as unknown as EnvelopeId];
    this.#program.links.get(other)?.send(this.#program.person, 'custody', encodeCustody({ kind: 'release', ids }));
  }

  /** Asks a custodian that is back whether it holds what it promised. */
  check(link: Link): void {
    const custodian = this.#program.run.program(link.other(this.#program.person)).contact;
    const ids = [...this.#program.outbox.values()]
      .filter(({ placement }) => placement.holdings.some(h => h.custodian === custodian && h.state === 'held'))
      .map(({ id }) => id);
    for (let at = 0; at < ids.length; at += LIMITS.custodyIds) {
      const part = ids.slice(at, at + LIMITS.custodyIds);
      link.send(this.#program.person, 'custody', encodeCustody({ kind: 'check', ids: part }));
    }
  }

  lost(link: Link): void {
    this.#queued.delete(link);
    this.#underWay.delete(link);
  }

  receive(link: Link, bytes: Uint8Array): void {
    const frame = decodeCustody(bytes);
    const other = link.other(this.#program.person);
    switch (frame.kind) {
      case 'deposit':
        this.#deposit(link, frame.envelope);
        break;
      case 'check': {
        const ids = frame.ids.filter(id => !this.rows.has(hex(id)));
        if (ids.length > 0) link.send(this.#program.person, 'custody', encodeCustody({ kind: 'gone', ids }));
        break;
      }
      case 'release':
        for (const id of frame.ids) {
          if (this.rows.get(hex(id))?.depositor === this.#program.run.program(other).contact) this.rows.delete(hex(id));
        }
        break;
      case 'held':
        this.#program.receiptOf(other, frame.receipt);
        this.#answered(link, hex(decodeCustodyReceipt(frame.receipt).envelopeId));
        break;
      case 'refused':
      case 'gone': {
        const { kind } = frame;
        for (const id of frame.ids) this.#program.custodyRefused(other, hex(id), kind);
        if (kind === 'refused') for (const id of frame.ids) this.#answered(link, hex(id));
      }
    }
  }

  #pump(link: Link): void {
    const queue = this.#queued.get(link);
    const underWay = this.#underWay.get(link) ?? new Set();
    this.#underWay.set(link, underWay);
    while (queue && queue.length > 0 && underWay.size < LIMITS.depositWindow) {
      const name = queue.shift() as string;
      underWay.add(name);
      const { envelope } = this.#program.run.registered(name);
      link.send(this.#program.person, 'custody', encodeCustody({ kind: 'deposit', envelope }));
    }
  }

  #answered(link: Link, name: string): void {
    if (this.#underWay.get(link)?.delete(name)) this.#pump(link);
  }

  #deposit(link: Link, bytes: Uint8Array): void {
    const { run, person } = this.#program;
    const id = envelopeIdOf(bytes);
    const known = this.rows.get(hex(id));
    const held = known ?? this.#takeIn(link.other(person), id, bytes);
    if (!held) {
      run.checks.counts.refused += 1;
      link.send(person, 'custody', encodeCustody({ kind: 'refused', ids: [id] }));
      return;
    }
    const custodian = parseIdentityKey(Buffer.alloc(PUBLIC_KEY_BYTES, person));
    const claim = { envelopeId: id, heldUntilMs: held.untilMs, custodian, signature: NO_SIGNATURE };
    link.send(person, 'custody', encodeCustody({ kind: 'held', receipt: encodeCustodyReceipt(claim) }));
    run.checks.deposited(this.#program, held.name, known !== undefined);
  }

  #takeIn(from: number, id: EnvelopeId, bytes: Uint8Array): HeldRow | undefined {
    const { run } = this.#program;
    const envelope = decodeEnvelope(bytes);
    const tag = hex(envelope.tag);
    const owner = this.contactOf(tag);
    const depositor = run.program(from).contact;
    const box = `person ${owner}`;
    const all = [...this.rows.values()];
    const inBox = all.filter(row => row.box === box);
    const sum = (rows: readonly HeldRow[]): number => rows.reduce((total, row) => total + row.bytes, 0);
    const deposit = { bytes: bytes.length, expiresAtHours: envelope.expiresAtHours, depositor };
    const room = {
      // Taken is what can be handed on (docs/decisions/0009-what-a-custodian-takes.md); nobody here is a helper.
      holds: owner !== undefined && !run.world.unwilling.has(this.#program.person),
      totalBytes: sum(all),
      depositorBytes: sum(all.filter(row => row.depositor === depositor)),
      boxCount: inBox.length,
      box: inBox,
      part: inBox.filter(row => row.depositor === depositor),
    };
    const admission = admit(deposit, room, run.nowMs);
    if (admission.kind === 'refuse') return undefined;
    run.checks.counts.gaveWay += admission.evict.length;
    for (const old of admission.evict) this.rows.delete(hex(old));
    const name = hex(id);
    const dueMs = this.#now() + admission.holdMs;
    const untilMs = run.nowMs + admission.holdMs;
    const row = { envelopeId: id, name, seq: ++this.#seq, tag, box, depositor, bytes: bytes.length, dueMs, untilMs };
    this.rows.set(name, row);
    this.#program.pulls.news(tag);
    return row;
  }

  #now(): number {
    const { nowMs } = this.#program.run;
    const reading = { wallMs: nowMs, monotonicMs: nowMs - this.#startedMs };
    this.#clock = this.#clock ? advanceHoldingClock(this.#clock, reading) : startHoldingClock(undefined, reading);
    return this.#clock.forwardMs;
  }
}
