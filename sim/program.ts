import { hex } from '../core/base/bytes.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../core/base/clock.ts';
import { blake2b } from '../core/base/hash.ts';
import { type ContactId, contactIdOf, type EnvelopeId, parseIdentityKey } from '../core/base/ids.ts';
import { LIMITS } from '../core/base/limits.ts';
import { newPlacement, type Placement, type PlacementInput, stepPlacement } from '../core/mailbox/placement.ts';
import { decodeCustodyReceipt } from '../core/wire/custody.ts';
import { decodeDelivery, encodeDelivery } from '../core/wire/delivery.ts';
import { encodeEnvelope, envelopeIdOf } from '../core/wire/envelope.ts';
import { decodeHello, encodeHello } from '../core/wire/hello.ts';
import { Custodians } from './custodians.ts';
import { CustodySide } from './custody-side.ts';
import type { Link, Stream } from './link.ts';
import { PullSide } from './pull-side.ts';
import type { Run } from './run-world.ts';

/** An envelope on its way, as its sender keeps it. */
export interface Outgoing {
  readonly id: EnvelopeId;
  readonly name: string;
  readonly to: number;
  readonly sentAtMs: number;
  /** The planned message inside, or null: a receipt for `confirms`. */
  readonly message: number | null;
  readonly confirms: readonly number[];
  placement: Placement;
}

const RECEIPT_WAIT_MS = SECOND_MS;
/** Lengths of sealed parts: mostly short texts, some long ones. */
const SEALED_BYTES = [256, 256, 256, 256, 256, 256, 256, 1024, 1024, 4096];

/** One person's program: the machines of core/mailbox, with maps where the product has its database. */
export class Program {
  readonly person: number;
  readonly contact: ContactId;
  readonly run: Run;
  readonly links = new Map<number, Link>();
  readonly outbox = new Map<string, Outgoing>();
  readonly seen = new Set<string>();
  readonly custody: CustodySide;
  readonly pulls: PullSide;
  readonly #custodians: Custodians;
  readonly #toConfirm = new Map<number, number[]>();
  readonly #pushed = new Map<Link, Set<string>>();
  readonly #tieKey: Buffer;
  #serial = 0;

  constructor(run: Run, person: number) {
    this.run = run;
    this.person = person;
    this.contact = contactIdOf(parseIdentityKey(blake2b(32, Buffer.from(`person ${person}`))));
    this.#tieKey = blake2b(32, Buffer.from(`tie ${run.world.options.seed} ${person}`));
    this.#custodians = new Custodians(this);
    this.custody = new CustodySide(this);
    this.pulls = new PullSide(this);
  }

  get online(): boolean {
    return this.run.isOnline(this.person);
  }

  /** Seals a text or a receipt, and sends it the ways there are. */
  post(to: number, message: number | null, confirms: readonly number[]): void {
    const { nowMs } = this.run;
    const day = Math.floor(nowMs / DAY_MS);
    const mark = Buffer.from(`${this.person} ${this.#serial++}`);
    const sealed = Buffer.alloc(SEALED_BYTES[(message ?? 0) % SEALED_BYTES.length] as number);
    mark.copy(sealed);
    const expiresAtHours = Math.ceil((nowMs + LIMITS.envelopeLifetimeMs) / HOUR_MS);
    const envelope = encodeEnvelope({ tag: this.run.tagOf(to, day), expiresAtHours, sealed });
    const id = envelopeIdOf(envelope);
    const name = hex(id);
    this.run.register(name, { envelope, to, from: this.person, message, confirms });
    const placement = newPlacement(this.run.program(to).contact, id, nowMs);
    const outgoing: Outgoing = { id, name, to, sentAtMs: nowMs, message, confirms, placement };
    this.outbox.set(name, outgoing);
    this.#push(to);
    this.step(outgoing, { kind: 'look' });
  }

  step(outgoing: Outgoing, input: PlacementInput): void {
    const { nowMs } = this.run;
    const expired = nowMs >= outgoing.sentAtMs + LIMITS.envelopeLifetimeMs;
    const { placement, outputs } = stepPlacement(outgoing.placement, expired ? { kind: 'end' } : input, {
      nowMs,
      recipientConnected: this.links.has(outgoing.to),
      custodians: this.#custodians.for(outgoing.placement.recipient),
      tieKey: this.#tieKey,
      copies: this.run.world.options.copies,
    });
    outgoing.placement = placement;
    for (const output of outputs) {
      if (output.kind === 'wake') this.run.timeline.at(output.atMs, () => this.online && this.#look(outgoing.name));
      else this.custody.ask(this.run.personOf(output.custodian), output.kind, outgoing);
    }
    if (placement.phase === 'ended') this.outbox.delete(outgoing.name);
    else this.run.checks.shown(this, outgoing);
  }

  /** What the message's author is shown now. */
  heldOf({ placement: { holdings } }: Outgoing): { heldBy: number; by: readonly number[] } {
    const { heldBy } = this.#custodians.held(holdings);
    if (heldBy === 0) return { heldBy, by: [] };
    const by = holdings
      .filter(holding => this.#custodians.held([holding]).heldBy === 1)
      .map(holding => this.run.personOf(holding.custodian));
    return { heldBy, by };
  }

  connected(link: Link): void {
    const holds = !this.run.world.unwilling.has(this.person);
    const marks = blake2b(28, Buffer.from(`start ${this.person}`));
    const stamp = { alias: marks.subarray(0, 4), order: 1, sealed: marks.subarray(4) };
    link.send(this.person, 'hello', encodeHello({ holds, stamp, seen: [] }));
  }

  receive(link: Link, stream: Stream, frame: Uint8Array): void {
    switch (stream) {
      case 'hello':
        this.#greeted(link, decodeHello(frame).holds);
        break;
      case 'envelope':
        this.#delivery(link, frame);
        break;
      case 'custody':
        this.custody.receive(link, frame);
        break;
      default:
        this.pulls.receive(link, stream, frame);
    }
  }

  lost(link: Link): void {
    const other = link.other(this.person);
    if (this.links.get(other) !== link) return;
    this.links.delete(other);
    this.#custodians.saw(other);
    this.#pushed.delete(link);
    this.custody.lost(link);
    this.pulls.lost(link);
    if (this.online) this.#lookAtAll();
  }

  /** An envelope for this person, from whoever brought it: taken in once, and confirmed to its author. */
  take(name: string): void {
    const known = this.run.registered(name);
    this.run.checks.carried(this.person, name);
    if (this.seen.has(name)) return;
    this.seen.add(name);
    if (known.message !== null) {
      this.run.checks.showed(known.message);
      this.#confirm(known.from, known.message);
    }
    for (const message of known.confirms) this.#delivered(message);
  }

  /** Custodians' answers to a deposit or a question. */
  custodyRefused(other: number, name: string, kind: 'refused' | 'gone'): void {
    const outgoing = this.outbox.get(name);
    if (!outgoing) return;
    const { holdings, recipient } = outgoing.placement;
    const custodian = this.run.program(other).contact;
    const asked = holdings.some(holding => holding.custodian === custodian && holding.state === 'asked');
    const always = kind === 'refused' && asked && this.#custodians.refused(custodian, recipient);
    this.step(outgoing, { kind: always ? 'lost' : kind, custodian });
  }

  receiptOf(other: number, bytes: Uint8Array): void {
    const { envelopeId, heldUntilMs } = decodeCustodyReceipt(bytes);
    const custodian = this.run.program(other).contact;
    const outgoing = this.outbox.get(hex(envelopeId));
    if (!outgoing) {
      this.custody.release(other, hex(envelopeId));
      return;
    }
    this.#custodians.took(custodian, outgoing.placement.recipient);
    this.step(outgoing, { kind: 'held', custodian, untilMs: heldUntilMs });
  }

  #greeted(link: Link, holds: boolean): void {
    const other = link.other(this.person);
    this.links.set(other, link);
    this.#custodians.saw(other);
    this.#custodians.said(other, holds);
    this.#pushed.set(link, new Set());
    this.pulls.begin(link);
    this.custody.check(link);
    this.#push(other);
    this.#lookAtAll();
  }

  /** Straight to the recipient, with a window of what is not yet answered. */
  #push(to: number): void {
    const link = this.links.get(to);
    const pushed = link && this.#pushed.get(link);
    if (!link || !pushed) return;
    for (const { name, to: recipient } of this.outbox.values()) {
      if (recipient !== to || pushed.has(name)) continue;
      if (pushed.size >= LIMITS.pushWindow) return;
      pushed.add(name);
      const { envelope } = this.run.registered(name);
      link.send(this.person, 'envelope', encodeDelivery({ kind: 'envelope', envelope }));
    }
  }

  #delivery(link: Link, bytes: Uint8Array): void {
    const frame = decodeDelivery(bytes);
    if (frame.kind === 'envelope') {
      const id = envelopeIdOf(frame.envelope);
      this.take(hex(id));
      link.send(this.person, 'envelope', encodeDelivery({ kind: 'stored', ids: [id] }));
      return;
    }
    for (const id of frame.ids) {
      this.#pushed.get(link)?.delete(hex(id));
      const outgoing = this.outbox.get(hex(id));
      // Nothing more is to be sent; "delivered" waits for the signed receipt.
      if (outgoing) this.step(outgoing, { kind: 'end' });
    }
    this.#push(link.other(this.person));
  }

  #confirm(author: number, message: number): void {
    const waiting = this.#toConfirm.get(author);
    if (waiting) {
      waiting.push(message);
      return;
    }
    this.#toConfirm.set(author, [message]);
    this.run.timeline.after(RECEIPT_WAIT_MS, () => {
      const messages = this.#toConfirm.get(author) ?? [];
      this.#toConfirm.delete(author);
      this.post(author, null, messages);
    });
  }

  #delivered(message: number): void {
    this.run.checks.delivered(this, message);
    const outgoing = [...this.outbox.values()].find(item => item.message === message);
    if (outgoing) this.step(outgoing, { kind: 'end' });
  }

  #lookAtAll(): void {
    for (const outgoing of [...this.outbox.values()]) this.step(outgoing, { kind: 'look' });
  }

  #look(name: string): void {
    const outgoing = this.outbox.get(name);
    if (outgoing) this.step(outgoing, { kind: 'look' });
  }
}
