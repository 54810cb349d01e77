import { type ContactId, type EnvelopeId, type MessageId, parseEnvelopeId } from '../base/ids.ts';
import type { Holding, Placement } from '../mailbox/placement.ts';

type State = Holding['state'];
const STATES: readonly State[] = ['asked', 'held', 'refused'];
const NONE: readonly number[] = [];
/** At most so many give way at once: finding them takes a pass over all. */
const GIVE_WAY = 256;

/** An envelope of the outbox and who holds it, packed: there may be twenty thousand. */
export interface Placed {
  /** Its id, one character a byte. */
  readonly name: string;
  readonly recipient: ContactId;
  readonly messageId: MessageId | null;
  readonly sentAtMs: number;
  /** The recipient has its ten seconds. */
  waiting: boolean;
  /** When it is to be looked at though nothing happens. */
  nextMs: number;
  /** Two numbers a holding: custodian and state, and time. */
  packed: readonly number[];
}

export function nameOf(id: EnvelopeId): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('latin1');
}

export function idOf({ name }: Placed): EnvelopeId {
  return parseEnvelopeId(Buffer.from(name, 'latin1'));
}

/** Every envelope whose place is kept in mind, by id and by text. */
export class PlacedEnvelopes {
  readonly #byName = new Map<string, Placed>();
  readonly #byMessage = new Map<MessageId, readonly Placed[]>();
  readonly #counts = new Map<ContactId, number>();
  readonly #people: ContactId[] = [];
  readonly #numbers = new Map<ContactId, number>();

  get size(): number {
    return this.#byName.size;
  }

  get(id: EnvelopeId): Placed | undefined {
    return this.#byName.get(nameOf(id));
  }

  named(name: string): Placed | undefined {
    return this.#byName.get(name);
  }

  has(placed: Placed): boolean {
    return this.#byName.get(placed.name) === placed;
  }

  /** Undefined when it is there already. */
  add(placement: Placement, messageId: MessageId | null): Placed | undefined {
    const name = nameOf(placement.envelopeId);
    if (this.#byName.has(name)) return undefined;
    // One string a person, not one an envelope.
    const recipient = this.#people[this.#numberOf(placement.recipient)] as ContactId;
    const { sentAtMs } = placement;
    const placed = { name, recipient, messageId, sentAtMs, waiting: true, nextMs: sentAtMs, packed: NONE };
    this.#byName.set(name, placed);
    this.#counts.set(recipient, (this.#counts.get(recipient) ?? 0) + 1);
    if (messageId) this.#byMessage.set(messageId, [...this.ofMessage(messageId), placed]);
    this.keep(placed, placement);
    return placed;
  }

  remove(placed: Placed): void {
    const { name, messageId, recipient } = placed;
    if (!this.#byName.delete(name)) return;
    const count = (this.#counts.get(recipient) ?? 1) - 1;
    if (count > 0) this.#counts.set(recipient, count);
    else this.#counts.delete(recipient);
    if (!messageId) return;
    const left = this.ofMessage(messageId).filter(other => other !== placed);
    if (left.length > 0) this.#byMessage.set(messageId, left);
    else this.#byMessage.delete(messageId);
  }

  /**
   * What gives way to envelopes of this recipient: some of whoever has most, until both have as many. The newest that
   * nobody was asked for go first.
   */
  givingWayTo(recipient: ContactId): Placed[] {
    let [most, count] = [recipient, this.#counts.get(recipient) ?? 0];
    const own = count;
    for (const [id, number] of this.#counts) if (number > count) [most, count] = [id, number];
    const spare = Math.min(GIVE_WAY, Math.floor((count - own) / 2));
    if (spare === 0) return [];
    const theirs = this.filter(placed => placed.recipient === most);
    const [placed, free] = [theirs.filter(isPlaced), theirs.filter(each => !isPlaced(each))];
    return [...placed, ...free].slice(-spare);
  }

  ofMessage(id: MessageId): readonly Placed[] {
    return this.#byMessage.get(id) ?? [];
  }

  all(): Iterable<Placed> {
    return this.#byName.values();
  }

  /** One pass over numbers: a millisecond for twenty thousand, and no index to keep. */
  filter(wanted: (placed: Placed) => boolean): Placed[] {
    const found: Placed[] = [];
    for (const placed of this.#byName.values()) if (wanted(placed)) found.push(placed);
    return found;
  }

  /** In which of these states an envelope is with a custodian. */
  stateWith(custodian: ContactId): (placed: Placed) => State | undefined {
    const number = this.#numbers.get(custodian);
    return ({ packed }) => {
      for (let at = 0; at < packed.length; at += 2) {
        const code = packed[at] as number;
        if (code >> 2 === number) return STATES[code & 3];
      }
      return undefined;
    };
  }

  placement(placed: Placed): Placement {
    const { recipient, sentAtMs, waiting } = placed;
    const phase = waiting ? 'waiting' : 'placing';
    return { phase, recipient, envelopeId: idOf(placed), sentAtMs, holdings: this.holdings(placed) };
  }

  holdings({ packed }: Placed): Holding[] {
    const holdings: Holding[] = [];
    for (let at = 0; at < packed.length; at += 2) {
      const code = packed[at] as number;
      const custodian = this.#people[code >> 2] as ContactId;
      holdings.push({ custodian, state: STATES[code & 3] as State, timeMs: packed[at + 1] as number });
    }
    return holdings;
  }

  /** As though this custodian had never been asked. */
  forgetWith(placed: Placed, custodian: ContactId): void {
    const placement = this.placement(placed);
    const holdings = placement.holdings.filter(holding => holding.custodian !== custodian);
    this.keep(placed, { ...placement, holdings });
  }

  keep(placed: Placed, { phase, holdings }: Placement): void {
    placed.waiting = phase === 'waiting';
    // Made in its length: one that grows takes room for sixteen more.
    const packed = holdings.length === 0 ? NONE : new Array<number>(2 * holdings.length).fill(0);
    for (const [index, { custodian, state, timeMs }] of holdings.entries()) {
      (packed as number[])[2 * index] = (this.#numberOf(custodian) << 2) | STATES.indexOf(state);
      (packed as number[])[2 * index + 1] = timeMs;
    }
    placed.packed = packed;
  }

  #numberOf(id: ContactId): number {
    const known = this.#numbers.get(id);
    if (known !== undefined) return known;
    const number = this.#people.push(id) - 1;
    this.#numbers.set(id, number);
    return number;
  }
}

function isPlaced({ packed }: Placed): boolean {
  return packed.length > 0;
}
