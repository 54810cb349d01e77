import { LIMITS } from '../core/base/limits.ts';
import { explain } from './explain.ts';
import { countPaths, type PathCounts } from './paths.ts';
import { Run } from './run-world.ts';
import { makeWorld, pairOf, type WorldOptions } from './world.ts';

export interface Report {
  readonly paths: PathCounts;
  readonly run: Run;
  readonly lines: readonly string[];
  readonly faultless: boolean;
}

/** Kinds of finding of a run, all of which must be none. */
const FINDINGS = ['twice', 'false-delivered', 'false-held', 'useless', 'quota', 'protocol'];
const EXPLAINED = 3;

export function execute(options: WorldOptions): Run {
  const run = new Run(makeWorld(options));
  run.execute();
  return run;
}

/** Runs a world and says in words and numbers what came of it. */
export function report(options: WorldOptions): Report {
  const run = execute(options);
  const paths = countPaths(run);
  const { findings, firstFindings, trace } = run.checks;
  const faults: [string, number][] = [
    ['with a path over the copies made, not delivered', paths.lost.length],
    ['with a path of any kind, not delivered', paths.missed.length],
    ['placed less widely than k', paths.underplaced.length],
    ['delivered beyond what is possible', Math.max(0, paths.delivered - paths.bound)],
    ...FINDINGS.map((kind): [string, number] => [kind, findings.get(kind) ?? 0]),
  ];
  const unexplained = [...new Set([...paths.lost, ...paths.missed])].slice(0, EXPLAINED);
  const lines = [
    ...deliveryOf(run, paths),
    ...weatherOf(run),
    ...boundsOf(run),
    'must be none:',
    ...faults.map(([kind, count]) => `  ${kind}: ${count}`),
    ...firstFindings.map(words => `  ! ${words}`),
    ...unexplained.flatMap(index => explain(run, index)),
    `digest of the run: ${trace}`,
  ];
  return { paths, run, lines, faultless: faults.every(([, count]) => count === 0) };
}

function deliveryOf({ world, checks }: Run, paths: PathCounts): string[] {
  const { people, hoursOnline, copies } = world.options;
  const share = (part: number): string => `${part} (${((100 * part) / paths.messages).toFixed(1)} %)`;
  const ofAny = paths.withAny - paths.missed.length;
  const more = copies.more === 0 ? '' : `, and ${copies.more} more each ${copies.everyMs / 1000} s`;
  return [
    `${people} people, ${hoursOnline} h online a day, ${paths.messages} messages, k = ${copies.first}${more}`,
    `  with a path: author and recipient meet            ${share(paths.withDirect)}`,
    `  with a path: over a custodian that took it        ${share(paths.withPlaced)}`,
    `  with a path of any kind                           ${share(paths.withAny)}`,
    `    of these delivered within 7 days                ${ofAny} (${((100 * ofAny) / paths.withAny).toFixed(2)} %)`,
    `  delivered within 7 days (short meetings too)      ${share(paths.delivered)}`,
    `  author knows it was delivered                     ${share(paths.confirmed)}`,
    `  copies made of a text, on average                 ${paths.copies.toFixed(2)}`,
    `  states checked ${checks.counts.states}; a copy counted was with the recipient by then: ${checks.counts.handedOver};`,
    `    a copy counted was on a machine gone for less than a day: ${checks.counts.vanishedLately}`,
  ];
}

function weatherOf(run: Run): string[] {
  const { world, weather, checks } = run;
  const { counts } = weather;
  const gone = [...world.vanishedAtMs.keys()];
  const copiesGone = gone.map(person => run.program(person).custody.rows.size).reduce((sum, size) => sum + size, 0);
  const pairs = world.contacts.reduce((sum, known) => sum + known.length, 0) / 2;
  return [
    'what went wrong on the way:',
    `  loss: ${counts.framesLost} of ${counts.frames} frames, ${counts.connectionsBroken} of ${counts.connections} connections broken by it`,
    `  reordering: ${counts.framesOvertaking} frames overtook another, ${checks.counts.outOfOrder} texts came after a younger one`,
    `  duplication: ${checks.counts.carriedAgain} of ${checks.counts.carried} envelopes came again (${counts.carriedDaysLater} days later), ${checks.counts.depositsAgain} of ${checks.counts.deposits} deposits`,
    `  partitions: ${world.partitions.length}, ${counts.connectionsParted} connections cut, ${counts.connectionsPrevented} kept from being made`,
    `  gone for ever: ${gone.length} of ${world.contacts.length} machines, with ${copiesGone} copies; ${world.unwilling.size} people hold nothing`,
    `  never together: ${world.apart.size} of ${pairs} pairs of contacts, ${apartMessages(world)} messages between such`,
  ];
}

function apartMessages({ messages, apart }: Run['world']): number {
  return messages.filter(({ from, to }) => apart.has(pairOf(from, to))).length;
}

function boundsOf({ checks: { counts } }: Run): string[] {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KiB`;
  return [
    `quotas: ${counts.quotas} times looked at, ${counts.refused} deposits refused, ${counts.gaveWay} envelopes gave way; at most`,
    `  ${counts.fullestBox} for one recipient (of ${LIMITS.mailboxPerRecipient}), ${kib(counts.depositorBytes)} of one depositor (of ${kib(LIMITS.mailboxDepositorBytes)}),`,
    `  ${counts.mostHeld} envelopes, ${kib(counts.mostBytes)} at one custodian (of ${kib(LIMITS.mailboxBytes)}), ${kib(counts.allBytes)} at all together`,
  ];
}
