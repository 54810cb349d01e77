// Runs the mailbox machines in a world of 200 people on a virtual clock, and checks what they say against what is so.
//   node sim/run.ts [--seed N] [--hours N] [--messages N] [--no-plot | --rules [--small N]]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LIMITS } from '../core/base/limits.ts';
import { COPIES, type CopiesRule } from '../core/mailbox/placement.ts';
import { compare } from './compare.ts';
import { countPaths, type PathCounts } from './paths.ts';
import { type Grid, svgOf, tableOf } from './plot.ts';
import { execute, report } from './report.ts';
import { exactly } from './rules.ts';
import type { WorldOptions } from './world.ts';

const PICTURE = join(import.meta.dirname, '..', 'docs', 'pictures', 'sim-delivery.svg');
const HOURS = [0.5, 1, 2, 4, 8];
const ROWS: readonly (readonly [name: string, rule: CopiesRule])[] = [
  ...[1, 2, 3, 5].map((k): [string, CopiesRule] => [`exactly ${k}`, exactly(k)]),
  [`${LIMITS.custodians}, more with age`, COPIES],
];
const PLOT_MESSAGES = 2_000;

const flag = { type: 'boolean' } as const;
const text = { type: 'string' } as const;
const options = { seed: text, hours: text, messages: text, 'no-plot': flag, rules: flag, small: text };
const { values } = parseArgs({ options });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
const hoursOnline = Number(values.hours ?? 2);
const small = Number(values.small ?? 0);
const messages = Number(values.messages ?? 20_000);
if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
if (!(hoursOnline > 0 && hoursOnline <= 24)) throw new Error('--hours takes hours a day, up to 24');
if (!Number.isSafeInteger(messages) || messages <= 0) throw new Error('--messages takes a whole number above 0');
if (!Number.isSafeInteger(small) || small < 0) throw new Error('--small takes a number of worlds');
const issue: WorldOptions = { seed, people: 200, messages, hoursOnline, copies: COPIES, days: 7 };

say(`seed ${seed} (the same again: npm run sim -- --seed ${seed})`);
process.exitCode = (values.rules ? rules() : main()) ? 0 : 1;

function main(): boolean {
  const startedMs = performance.now();
  const { lines, faultless } = report(issue);
  for (const line of lines) say(line);
  const everywhere = values['no-plot'] || plot();
  say(`${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  return faultless && everywhere;
}

/** @returns whether copies that grow reached all that can be reached, however long people are online */
function plot(): boolean {
  const counted = ROWS.map(([, copies]) =>
    HOURS.map(hours => countPaths(execute({ ...issue, messages: PLOT_MESSAGES, copies, hoursOnline: hours }))),
  );
  const delivered = (paths: PathCounts): number => paths.delivered / paths.messages;
  const rows = ROWS.map(([name], row) => ({ name, shares: (counted[row] ?? []).map(delivered) }));
  const bound = (counted[0] ?? []).map(paths => paths.bound / paths.messages);
  const grid: Grid = { hours: HOURS, rows: [...rows, { name: 'possible at all', shares: bound }] };
  say('share of all messages delivered within 7 days');
  say(tableOf(grid));
  const missed = (counted.at(-1) ?? []).map(paths => paths.missed.length);
  say(`with a path of any kind and not delivered, copies growing with age: ${missed.join(', ')}`);
  writeFileSync(PICTURE, svgOf(grid, `Messages delivered within 7 days, by hours online and copies (seed ${seed})`));
  return missed.every(count => count === 0);
}

/** The rules that were tried: in this world, or in many small ones, of this seed and those that follow it. */
function rules(): boolean {
  const smaller = { ...issue, people: 48, messages: 600, days: 3 };
  const worlds = Array.from({ length: small }, (_, more) => ({ ...smaller, seed: seed + more }));
  for (const line of compare(small > 0 ? worlds : [issue])) say(line);
  return true;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
