import { MINUTE_MS } from '../core/base/clock.ts';
import { LIMITS } from '../core/base/limits.ts';
import type { Run } from './run-world.ts';
import { type Interval, type PlannedMessage, pairOf, togetherOf, type World } from './world.ts';

/**
 * Which messages could arrive at all, from the plan of the world alone: a path is a chain of meetings in order of time.
 * A meeting counts when it leaves two minutes, time for a lost connection to be made again a few times.
 *
 * - `direct`: author and recipient meet within the week.
 * - `placed`: a custodian that took the envelope meets the recipient after that, within the week. Which custodians took
 *   it is the one thing taken from the run.
 * - `any`: some willing common contact meets the author and then the recipient: what a copy with everyone who can be
 *   met would reach. A custodian hands on to the recipient and to nobody else, so that there are no longer chains.
 */
export interface PathCounts {
  readonly messages: number;
  readonly withDirect: number;
  readonly withPlaced: number;
  readonly withAny: number;
  /** As `any`, counting the shortest meetings too: more than this nothing can deliver. */
  readonly bound: number;
  readonly delivered: number;
  /** Messages with a path of any kind that did not arrive: none, if copies grow. */
  readonly missed: readonly number[];
  /** Custodians that took a text, on average. */
  readonly copies: number;
  readonly confirmed: number;
  /** Messages with a path (direct or placed) that did not arrive: must be none. */
  readonly lost: readonly number[];
  /** Messages not placed as widely as the first stretch online allowed: must be none. */
  readonly underplaced: readonly number[];
}

export const MEETING_MS = 2 * MINUTE_MS;

export function countPaths(run: Run): PathCounts {
  const { world, checks } = run;
  const together = new Together(world);
  const counts = { direct: 0, placed: 0, any: 0, bound: 0, delivered: 0, copies: 0 };
  const lost: number[] = [];
  const missed: number[] = [];
  const underplaced: number[] = [];
  for (const [index, message] of world.messages.entries()) {
    const { from, to, atMs } = message;
    const endMs = atMs + LIMITS.envelopeLifetimeMs;
    const arrivedMs = checks.deliveredAtMs.get(index) ?? Number.POSITIVE_INFINITY;
    const arrived = arrivedMs <= endMs;
    const holders = checks.depositsOf.get(index) ?? new Map<number, number>();
    const direct = together.firstMeeting(from, to, atMs, endMs) !== undefined;
    const placed = [...holders].some(
      ([holder, sinceMs]) => together.firstMeeting(holder, to, sinceMs, endMs) !== undefined,
    );
    const any = reachable({ world, together, message, leastMs: MEETING_MS });
    counts.bound += Number(reachable({ world, together, message, leastMs: 1 }));
    counts.direct += Number(direct);
    counts.placed += Number(placed);
    counts.any += Number(any);
    counts.delivered += Number(arrived);
    counts.copies += holders.size;
    if (any && !arrived) missed.push(index);
    if ((direct || placed) && !arrived) lost.push(index);
    const stretchEndMs = stretchEnd(world, from, atMs);
    const held = [...holders.values()].filter(sinceMs => sinceMs <= stretchEndMs).length;
    const met = willing(world, from, to).filter(
      id => together.firstMeeting(from, id, atMs, stretchEndMs) !== undefined,
    );
    const wanted = Math.min(world.options.copies.first, met.length);
    // The recipient may have it before anyone needs to hold it; a meeting with it keeps the others waiting ten seconds.
    if (held < wanted && arrivedMs > stretchEndMs) underplaced.push(index);
  }
  const { direct: withDirect, placed: withPlaced, any: withAny, bound, delivered } = counts;
  const messages = world.messages.length;
  const copies = counts.copies / messages;
  const confirmed = checks.confirmedAtMs.size;
  const lists = { lost, missed, underplaced };
  return { messages, withDirect, withPlaced, withAny, bound, delivered, copies, confirmed, ...lists };
}

interface Search {
  readonly world: World;
  readonly together: Together;
  readonly message: PlannedMessage;
  /** The shortest meeting that counts. */
  readonly leastMs: number;
}

function reachable({ world, together, message, leastMs }: Search): boolean {
  const { from, to, atMs } = message;
  const endMs = atMs + LIMITS.envelopeLifetimeMs;
  if (together.firstMeeting(from, to, atMs, endMs, leastMs) !== undefined) return true;
  return willing(world, from, to).some(other => {
    const metMs = together.firstMeeting(from, other, atMs, endMs, leastMs);
    return metMs !== undefined && together.firstMeeting(other, to, metMs + leastMs, endMs, leastMs) !== undefined;
  });
}

/** Who may hold for these two: contacts of both. */
export function willing({ contacts, unwilling }: World, from: number, to: number): number[] {
  const known = contacts[to] ?? [];
  return (contacts[from] ?? []).filter(other => known.includes(other) && !unwilling.has(other));
}

function stretchEnd(world: World, person: number, atMs: number): number {
  return (world.online[person] ?? []).find(([fromMs, toMs]) => fromMs <= atMs && atMs <= toMs)?.[1] ?? atMs;
}

export class Together {
  readonly #world: World;
  readonly #known = new Map<string, readonly Interval[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** When the first meeting begins (or goes on) from which enough is left, at or after `fromMs`, by `endMs`. */
  firstMeeting(a: number, b: number, fromMs: number, endMs: number, leastMs = MEETING_MS): number | undefined {
    const pair = pairOf(a, b);
    let intervals = this.#known.get(pair);
    if (!intervals) {
      intervals = this.#world.contacts[a]?.includes(b) ? togetherOf(this.#world, a, b) : [];
      this.#known.set(pair, intervals);
    }
    const enough = intervals.find(([start, end]) => Math.min(end, endMs) - Math.max(start, fromMs) >= leastMs);
    return enough && Math.max(enough[0], fromMs);
  }
}
