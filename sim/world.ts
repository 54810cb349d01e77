import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/base/clock.ts';
import type { CopiesRule } from '../core/mailbox/placement.ts';
import { seededNumbers } from '../test/support/mutate.ts';

/** What a run is made of. Everything random comes from the seed, before the run or in it. */
export interface WorldOptions {
  readonly seed: number;
  readonly people: number;
  readonly messages: number;
  readonly hoursOnline: number;
  /** How many copies programs want; the product's rule is COPIES. */
  readonly copies: CopiesRule;
  /** Days in which messages are written; the run goes on for seven more. */
  readonly days: number;
}

export type Interval = readonly [fromMs: number, toMs: number];

export interface PlannedMessage {
  readonly from: number;
  readonly to: number;
  readonly atMs: number;
}

/** The plan of a run: who knows whom, who is online when, what breaks. The machines know nothing of it. */
export interface World {
  readonly options: WorldOptions;
  readonly startMs: number;
  readonly endMs: number;
  /** Contacts of each person, ascending. */
  readonly contacts: readonly (readonly number[])[];
  readonly online: readonly (readonly Interval[])[];
  /** Turned holding off. */
  readonly unwilling: ReadonlySet<number>;
  /** When the person's machine is gone for ever. */
  readonly vanishedAtMs: ReadonlyMap<number, number>;
  /** Pairs, `low high`, that no connection ever joins. */
  readonly apart: ReadonlySet<string>;
  readonly partitions: readonly Partition[];
  readonly messages: readonly PlannedMessage[];
}

export interface Partition {
  readonly interval: Interval;
  /** Cut off from everyone else, and together among themselves. */
  readonly side: ReadonlySet<number>;
}

/** A Tuesday, noon UTC. */
const START_MS = 1_760_443_200_000;
const COMMUNITY = 16;
const CONTACTS_LEAST = 8;
const CONTACTS_MOST = 20;
const LIFETIME_DAYS = 7;

export function makeWorld(options: WorldOptions): World {
  const number = seededNumbers(options.seed);
  const endMs = START_MS + (options.days + LIFETIME_DAYS) * DAY_MS;
  const contacts = makeContacts(options.people, number);
  const vanishedAtMs = new Map<number, number>();
  while (vanishedAtMs.size < options.people / 10) {
    vanishedAtMs.set(pick(options.people, number), START_MS + DAY_MS + number() * (options.days + 1) * DAY_MS);
  }
  const unwilling = new Set<number>();
  while (unwilling.size < options.people / 20) unwilling.add(pick(options.people, number));
  const online = contacts.map((_, person) => makeOnline(options, number, vanishedAtMs.get(person) ?? endMs));
  const pairs = contacts.flatMap((known, a) => known.filter(b => a < b).map(b => pairOf(a, b)));
  const apart = makeApart(pairs, number);
  const partitions = Array.from({ length: options.days }, (_, day) => makePartition(options, number, day));
  const messages = makeMessages(options, number, contacts, online);
  return {
    options,
    startMs: START_MS,
    endMs,
    contacts,
    online,
    unwilling,
    vanishedAtMs,
    apart,
    partitions,
    messages,
  };
}

export function pairOf(a: number, b: number): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}

/** When the two can be connected: both online, not kept apart, no partition between them. */
export function togetherOf(world: World, a: number, b: number): Interval[] {
  if (world.apart.has(pairOf(a, b))) return [];
  let together = intersect(world.online[a] ?? [], world.online[b] ?? []);
  for (const { interval, side } of world.partitions) {
    if (side.has(a) !== side.has(b)) together = without(together, interval);
  }
  return together;
}

function intersect(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return a.flatMap(([from, to]) =>
    b
      .filter(([start, end]) => start < to && end > from)
      .map(([start, end]): Interval => [Math.max(from, start), Math.min(to, end)]),
  );
}

function without(intervals: readonly Interval[], [cutFrom, cutTo]: Interval): Interval[] {
  return intervals.flatMap(([from, to]) => {
    const parts: Interval[] = [
      [from, Math.min(to, cutFrom)],
      [Math.max(from, cutTo), to],
    ];
    return parts.filter(([start, end]) => start < end);
  });
}

/** Communities in a ring: three contacts in four are of the own one, the others of anywhere. */
function makeContacts(people: number, number: () => number): number[][] {
  const known = Array.from({ length: people }, () => new Set<number>());
  for (let person = 0; person < people; person += 1) {
    const wanted = CONTACTS_LEAST + pick(CONTACTS_MOST - CONTACTS_LEAST - 3, number);
    for (let tries = 0; tries < 500 && (known[person] as Set<number>).size < wanted; tries += 1) {
      const near = Math.floor(person / COMMUNITY) * COMMUNITY + pick(COMMUNITY, number);
      const other = number() < 0.75 ? near % people : pick(people, number);
      const theirs = known[other] as Set<number>;
      if (other === person || theirs.size >= CONTACTS_MOST) continue;
      theirs.add(person);
      (known[person] as Set<number>).add(other);
    }
  }
  return known.map(set => [...set].sort((a, b) => a - b));
}

/** One stretch a day, anywhere in it. */
function makeOnline(options: WorldOptions, number: () => number, goneMs: number): Interval[] {
  const lengthMs = options.hoursOnline * HOUR_MS;
  const found: Interval[] = [];
  for (let day = 0; day < options.days + LIFETIME_DAYS; day += 1) {
    const fromMs = START_MS + day * DAY_MS + number() * (DAY_MS - lengthMs);
    const toMs = Math.min(fromMs + lengthMs, goneMs);
    if (fromMs < toMs) found.push([Math.round(fromMs), Math.round(toMs)]);
  }
  return found;
}

/** One pair of contacts in five, rounded up. */
function makeApart(pairs: readonly string[], number: () => number): Set<string> {
  const apart = new Set<string>();
  while (apart.size < pairs.length / 5) apart.add(pairs[pick(pairs.length, number)] as string);
  return apart;
}

/** For three hours a day, somewhere, a third of the people are cut off from the rest. */
function makePartition({ people }: WorldOptions, number: () => number, day: number): Partition {
  const fromMs = Math.round(START_MS + day * DAY_MS + number() * 20 * HOUR_MS);
  const side = new Set(Array.from({ length: people }, (_, person) => person).filter(() => number() < 1 / 3));
  return { interval: [fromMs, fromMs + 3 * HOUR_MS], side };
}

/** Written while the writer is online; the last minute is left out, so that the program has stored it. */
function makeMessages(
  options: WorldOptions,
  number: () => number,
  contacts: readonly (readonly number[])[],
  online: readonly (readonly Interval[])[],
): PlannedMessage[] {
  const messages: PlannedMessage[] = [];
  while (messages.length < options.messages) {
    const from = pick(options.people, number);
    const [known, stretches] = [contacts[from] as number[], online[from] as Interval[]];
    const stretch = stretches[pick(options.days, number)];
    if (!stretch || known.length === 0) continue;
    const span = stretch[1] - stretch[0] - MINUTE_MS;
    if (span <= 0) continue;
    messages.push({
      from,
      to: known[pick(known.length, number)] as number,
      atMs: Math.round(stretch[0] + number() * span),
    });
  }
  return messages.sort((a, b) => a.atMs - b.atMs);
}

function pick(limit: number, number: () => number): number {
  return Math.floor(number() * limit);
}
