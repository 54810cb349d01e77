import { hex } from '../core/base/bytes.ts';
import { DAY_MS } from '../core/base/clock.ts';
import { blake2b } from '../core/base/hash.ts';
import { LIMITS } from '../core/base/limits.ts';
import type { Outgoing, Program } from './program.ts';
import type { Run } from './run-world.ts';
import type { PlannedMessage } from './world.ts';

/**
 * Watches a run from outside and compares what programs say with what is so. Findings are counted, and the first of
 * each kind is kept in words.
 */
export class Checks {
  readonly deliveredAtMs = new Map<number, number>();
  /** By message: custodian and the time when it first held the envelope. */
  readonly depositsOf = new Map<number, Map<number, number>>();
  readonly confirmedAtMs = new Map<number, number>();
  readonly findings = new Map<string, number>();
  readonly firstFindings: string[] = [];
  readonly counts = {
    states: 0,
    handedOver: 0,
    vanishedLately: 0,
    carried: 0,
    carriedAgain: 0,
    deposits: 0,
    /** Of these, of what was held there already: the receipt had been lost. */
    depositsAgain: 0,
    refused: 0,
    gaveWay: 0,
    quotas: 0,
    /** Texts that appeared after a younger one of the same author. */
    outOfOrder: 0,
    /** At the peak: envelopes and bytes of the fullest custodian, and bytes of all together. */
    mostHeld: 0,
    mostBytes: 0,
    allBytes: 0,
    fullestBox: 0,
    depositorBytes: 0,
  };
  readonly #run: Run;
  readonly #arrived = new Set<string>();
  /** By author and recipient: the youngest text shown. */
  readonly #youngest = new Map<string, number>();
  #trace: Buffer = Buffer.alloc(32);

  constructor(run: Run) {
    this.#run = run;
  }

  /** Equal for equal runs: a running hash over everything that came about, and when. */
  get trace(): string {
    return hex(this.#trace).slice(0, 16);
  }

  found(kind: string, words: string): void {
    if (!this.findings.has(kind)) this.firstFindings.push(`${kind}: ${words}`);
    this.findings.set(kind, (this.findings.get(kind) ?? 0) + 1);
  }

  broken(who: string): void {
    this.found('protocol', `a ${who} was given a frame out of order at ${this.#run.nowMs}`);
  }

  carried(person: number, name: string): void {
    this.counts.carried += 1;
    if (this.#arrived.has(name)) this.counts.carriedAgain += 1;
    this.#arrived.add(name);
    this.#note(`carried ${person} ${name}`);
  }

  /** A text appears on its recipient's screen. */
  showed(message: number): void {
    if (this.deliveredAtMs.has(message)) this.found('twice', `message ${message} was shown twice`);
    this.deliveredAtMs.set(message, this.#run.nowMs);
    const { from, to } = this.#run.world.messages[message] as PlannedMessage;
    const youngest = this.#youngest.get(`${from} ${to}`) ?? -1;
    if (message < youngest) this.counts.outOfOrder += 1;
    this.#youngest.set(`${from} ${to}`, Math.max(message, youngest));
  }

  /** A text turns to "delivered" on its author's screen. */
  delivered(author: Program, message: number): void {
    if (!this.deliveredAtMs.has(message)) this.found('false-delivered', `message ${message} is nowhere`);
    if (!this.confirmedAtMs.has(message)) this.confirmedAtMs.set(message, this.#run.nowMs);
    this.#note(`delivered ${author.person} ${message}`);
  }

  deposited(custodian: Program, name: string, again: boolean): void {
    this.counts.deposits += 1;
    if (again) this.counts.depositsAgain += 1;
    this.#note(`held ${custodian.person} ${name}`);
    const { message, to } = this.#run.registered(name);
    if (!this.#run.world.contacts[to]?.includes(custodian.person)) {
      this.found('useless', `${custodian.person} took in what it cannot hand on to ${to}`);
    }
    if (message === null) return;
    const known = this.depositsOf.get(message) ?? new Map<number, number>();
    if (!known.has(custodian.person)) known.set(custodian.person, this.#run.nowMs);
    this.depositsOf.set(message, known);
  }

  /** "Held by N" is true: each of the N has its copy, or has handed it to the recipient, who has it. */
  shown(author: Program, outgoing: Outgoing): void {
    if (!author.online) return;
    const { heldBy, by } = author.heldOf(outgoing);
    this.counts.states += 1;
    if (by.length !== heldBy) this.found('false-held', `${heldBy} shown, ${by.length} counted`);
    let [handed, vanished] = [false, false];
    for (const custodian of by) {
      const gone = this.#run.world.vanishedAtMs.get(custodian);
      if (gone !== undefined && gone <= this.#run.nowMs) {
        vanished = true;
        // Nobody can know of it at once; after a day without a sign of life it must not be counted any more.
        if (this.#run.nowMs - gone > DAY_MS) this.found('false-held', `${custodian} has been gone for a day`);
      }
      if (this.#run.program(custodian).custody.rows.has(outgoing.name)) continue;
      handed = true;
      if (!this.#run.program(outgoing.to).seen.has(outgoing.name)) {
        this.found('false-held', `${custodian} does not hold ${outgoing.name.slice(0, 8)}`);
      }
    }
    if (handed) this.counts.handedOver += 1;
    if (vanished) this.counts.vanishedLately += 1;
  }

  /** Now and then: every state on every screen that is on, and every quota, from the rows themselves. */
  everything(): void {
    let allBytes = 0;
    for (const person of this.#run.world.contacts.keys()) {
      const program = this.#run.program(person);
      allBytes += this.#quotas(program);
      if (!program.online) continue;
      for (const outgoing of program.outbox.values()) this.shown(program, outgoing);
    }
    this.counts.allBytes = Math.max(this.counts.allBytes, allBytes);
  }

  /** @returns bytes held */
  #quotas({ person, custody }: Program): number {
    let total = 0;
    const boxes = new Map<string, number>();
    const depositors = new Map<string, number>();
    for (const { box, depositor, bytes } of custody.rows.values()) {
      total += bytes;
      boxes.set(box, (boxes.get(box) ?? 0) + 1);
      depositors.set(depositor ?? '', (depositors.get(depositor ?? '') ?? 0) + bytes);
    }
    this.counts.quotas += 1;
    this.counts.mostHeld = Math.max(this.counts.mostHeld, custody.rows.size);
    this.counts.mostBytes = Math.max(this.counts.mostBytes, total);
    const fullest = Math.max(0, ...boxes.values());
    const largest = Math.max(0, ...depositors.values());
    this.counts.fullestBox = Math.max(this.counts.fullestBox, fullest);
    this.counts.depositorBytes = Math.max(this.counts.depositorBytes, largest);
    const over = total > LIMITS.mailboxBytes || fullest > LIMITS.mailboxPerRecipient;
    if (over || largest > LIMITS.mailboxDepositorBytes) this.found('quota', `${person} holds ${total} bytes`);
    return total;
  }

  #note(what: string): void {
    this.#trace = blake2b(32, this.#trace, Buffer.from(`${this.#run.nowMs} ${what}`));
  }
}
