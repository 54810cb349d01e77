// Runs the mailbox machines in a world of 200 people on a virtual clock, and checks what they say against what is so.
//   node sim/run.ts [--seed N] [--no-plot]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countPaths, type PathCounts } from './paths.ts';
import { type Grid, svgOf, tableOf } from './plot.ts';
import { Run } from './run-world.ts';
import { makeWorld, type WorldOptions } from './world.ts';

const ROOT = join(import.meta.dirname, '..');
const HOURS = [0.5, 1, 2, 4, 8];
const COPIES = [1, 2, 3, 5];
/** As many as anyone has contacts. */
const UNLIMITED_COPIES = 20;
const PLOT_MESSAGES = 2_000;

const { values } = parseArgs({ options: { seed: { type: 'string' }, 'no-plot': { type: 'boolean' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
const issue: WorldOptions = { seed, people: 200, messages: 20_000, hoursOnline: 2, copies: 3, days: 7 };

say(`seed ${seed} (the same again: npm run sim -- --seed ${seed})`);
const asked = report(issue);
// With a copy for every contact met, what is delivered must be all that the plan of the world makes possible.
const bound = report({ ...issue, copies: UNLIMITED_COPIES });
if (!values['no-plot']) plot();
process.exitCode = asked && bound ? 0 : 1;

function report(options: WorldOptions): boolean {
  const startedMs = performance.now();
  const run = execute(options);
  const paths = countPaths(run);
  const { counts, findings, firstFindings, trace } = run.checks;
  const share = (part: number): string => `${part} (${((100 * part) / paths.messages).toFixed(1)} %)`;
  say(
    `${options.people} people, ${options.hoursOnline} h online a day, ${paths.messages} messages, k = ${options.copies}`,
  );
  say(`  met the recipient themselves        ${share(paths.withDirect)}`);
  say(`  placed with one who met them        ${share(paths.withPlaced)}`);
  say(`  reachable by any number of copies   ${share(paths.withAny)}`);
  say(`  delivered within 7 days             ${share(paths.delivered)}`);
  say(`    of those reachable by any number  ${((100 * paths.deliveredOfAny) / paths.withAny).toFixed(1)} %`);
  say(`  author knows it was delivered       ${share(paths.confirmed)}`);
  say(`  deposits ${counts.deposits}, most held by one ${counts.copies}`);
  say(`  envelopes carried to recipients ${counts.carried}, not for the first time ${counts.carriedAgain}`);
  say(`  states checked ${counts.states}; a copy counted was with the recipient by then: ${counts.handedOver};`);
  say(`    a copy counted was on a machine gone for less than a day: ${counts.vanishedLately}`);
  say('must be none:');
  const faults = faultsOf(paths, options.copies >= UNLIMITED_COPIES);
  for (const [kind, count] of faults) say(`  ${kind}: ${count}`);
  for (const kind of ['twice', 'false-delivered', 'false-held', 'quota', 'protocol'])
    say(`  ${kind}: ${findings.get(kind) ?? 0}`);
  for (const words of firstFindings) say(`  ! ${words}`);
  say(`trace ${trace}, ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  return findings.size === 0 && faults.every(([, count]) => count === 0);
}

function faultsOf(paths: PathCounts, unlimited: boolean): [string, number][] {
  const faults: [string, number][] = [
    ['with a path and not delivered', paths.lost.length],
    ['placed less widely than possible', paths.underplaced.length],
    ['delivered beyond what is possible', Math.max(0, paths.delivered - paths.bound)],
  ];
  if (unlimited) faults.push(['reachable and not delivered', paths.withAny - paths.deliveredOfAny]);
  return faults;
}

function plot(): void {
  const counted = COPIES.map(copies =>
    HOURS.map(hoursOnline => countPaths(execute({ ...issue, messages: PLOT_MESSAGES, copies, hoursOnline }))),
  );
  const shares = counted.map(row => row.map(paths => paths.delivered / paths.messages));
  const bound = (counted[0] ?? []).map(paths => paths.bound / paths.messages);
  const grid: Grid = { hours: HOURS, copies: COPIES, shares, bound };
  say('share of all messages delivered within 7 days');
  say(tableOf(grid));
  const folder = join(ROOT, 'docs', 'pictures');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'sim-delivery.svg'),
    svgOf(grid, 'Messages delivered within 7 days, by hours online and copies'),
  );
}

function execute(options: WorldOptions): Run {
  const run = new Run(makeWorld(options));
  run.execute();
  return run;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
