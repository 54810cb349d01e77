import { HAPPENINGS, type Happening } from './happenings.ts';
import type { GroupRun } from './run-world.ts';

/** What one run gave: a line of JSON in a file of results. */
export interface RunResult {
  readonly rule: string;
  readonly crypto: 'stand-in' | 'mls';
  readonly seed: number;
  readonly people: number;
  readonly operations: number;
  readonly days: number;
  readonly malicious: boolean;
  readonly members: number;
  readonly epochs: number;
  readonly posts: number;
  readonly texts: number;
  readonly reads: number;
  readonly rollbacks: readonly number[];
  readonly agreeSeconds: readonly number[];
  readonly happened: Readonly<Partial<Record<Happening, number>>>;
  readonly away: number;
  readonly findings: readonly string[];
  readonly seconds: number;
}

export function resultOf(run: GroupRun, given: Pick<RunResult, 'rule' | 'crypto' | 'seconds'>): RunResult {
  const { checks, options } = run;
  return {
    ...given,
    seed: options.seed,
    people: options.members,
    operations: options.operations,
    days: options.days,
    malicious: options.malicious === true,
    members: run.memberCount,
    epochs: checks.epochs,
    posts: run.posts.length,
    texts: checks.texts,
    reads: checks.reads,
    rollbacks: checks.rollbacks,
    agreeSeconds: checks.agreeMs.map(ms => ms / 1000),
    happened: Object.fromEntries(checks.happenings.counts),
    away: checks.happenings.away,
    findings: checks.findings,
  };
}

export function lineOf(result: RunResult): string {
  const { rule, seed, members, epochs, posts, texts, reads, rollbacks, findings, seconds } = result;
  return (
    `${rule} seed ${seed}: ${members} members, ${epochs} epochs, ${posts} posts, ${texts} texts read ${reads} times; ` +
    `roll-backs ${rowOf(rollbacks)}; findings ${findings.length}; ${seconds.toFixed(0)} s`
  );
}

/** All runs of one rule together. */
export function summaryOf(rule: string, results: readonly RunResult[]): string {
  const failed = results.filter(({ findings }) => findings.length > 0).length;
  const rollbacks = rowOf(results.flatMap(result => result.rollbacks));
  const agree = rowOf(results.flatMap(result => result.agreeSeconds));
  const happened = HAPPENINGS.map(what => `${what} ${happenedIn(results, what)}`).join(', ');
  const away = results.reduce((sum, result) => sum + result.away, 0) / Math.max(1, results.length);
  return (
    `${rule}: ${failed} of ${results.length} runs with findings; roll-backs ${rollbacks}; seconds to agree ${agree}\n` +
    `  ${happened}; away ${(100 * away).toFixed(0)} %`
  );
}

/** A run of this size or more that did not have them all says nothing about what did not happen. */
export function missingIn(results: readonly RunResult[]): Happening[] {
  const enough = results.reduce((sum, { operations }) => sum + operations, 0) >= TELLING_OPERATIONS;
  return enough ? HAPPENINGS.filter(what => happenedIn(results, what) === 0) : [];
}

function happenedIn(results: readonly RunResult[], what: Happening): number {
  return results.reduce((sum, { happened }) => sum + (happened[what] ?? 0), 0);
}

function rowOf(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  return `${sorted.length} (median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)})`;
}

/** The rarest of them is one operation in a hundred. */
const TELLING_OPERATIONS = 1000;
