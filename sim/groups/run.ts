// Runs the group machine among many members in a time of trouble, on a virtual clock, and checks what is so after healing.
//   node sim/groups/run.ts [--seed N] [--seeds 1] [--members 50] [--operations 1000] [--days 1] [--rule weight] [--rules] [--malicious] [--mls]
//     [--results FILE]  a line of JSON for each run is added to it
//   node sim/groups/run.ts --draw FILE [--draw FILE ...]  says what is in such files, and draws the picture in docs/pictures
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realMls, standIns } from './cryptos.ts';
import { type Spread, svgOfSpreads } from './plot.ts';
import { lineOf, missingIn, type RunResult, resultOf, summaryOf } from './results.ts';
import { RULES } from './rivals.ts';
import { GroupRun } from './run-world.ts';

const PICTURE = join(import.meta.dirname, '..', '..', 'docs', 'pictures', 'sim-groups.svg');
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    members: { type: 'string', default: '50' },
    operations: { type: 'string', default: '1000' },
    days: { type: 'string', default: '1' },
    rule: { type: 'string', default: 'weight' },
    malicious: { type: 'boolean', default: false },
    rules: { type: 'boolean', default: false },
    mls: { type: 'boolean', default: false },
    results: { type: 'string' },
    draw: { type: 'string', multiple: true },
  },
});

const results = values.draw ? values.draw.flatMap(readResults) : await runAll();
for (const [rule, theirs] of Map.groupBy(results, ({ rule }) => rule)) say(summaryOf(rule, theirs));
if (values.draw) draw(results);
const ours = results.filter(({ rule }) => rule === 'weight');
const missing = missingIn(ours);
if (missing.length > 0) say(`! never happened: ${missing.join(', ')}`);
process.exitCode = missing.length > 0 || ours.some(({ findings }) => findings.length > 0) ? 1 : 0;

async function runAll(): Promise<RunResult[]> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');
  say(`seed ${seed} (the same again: --seed ${seed})`);
  const done: RunResult[] = [];
  for (const rule of values.rules ? Object.keys(RULES) : [values.rule]) {
    for (let at = seed; at < seed + Number(values.seeds); at += 1) {
      const result = await runOne(rule, at);
      done.push(result);
      say(lineOf(result));
      for (const finding of result.findings.slice(0, 5)) say(`  ! ${finding}`);
      if (values.results) appendFileSync(values.results, `${JSON.stringify(result)}\n`);
    }
  }
  return done;
}

async function runOne(rule: string, seed: number): Promise<RunResult> {
  const choose = RULES[rule];
  if (!choose) throw new Error(`--rule is one of ${Object.keys(RULES).join(', ')}`);
  const options = {
    seed,
    members: Number(values.members),
    operations: Number(values.operations),
    days: Number(values.days),
    choose,
    malicious: values.malicious,
  };
  const startedMs = performance.now();
  const run: GroupRun = values.mls ? new GroupRun(options, realMls()) : new GroupRun(options, standIns());
  await run.execute();
  const seconds = (performance.now() - startedMs) / 1000;
  return resultOf(run, { rule, crypto: values.mls ? 'mls' : 'stand-in', seconds });
}

function readResults(file: string): RunResult[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter(line => line !== '').map(line => JSON.parse(line) as RunResult);
}

function draw(all: readonly RunResult[]): void {
  const byRule = [...Map.groupBy(all, ({ rule }) => rule)];
  const spreads = (of: (result: RunResult) => readonly number[]): Spread[] =>
    byRule.map(([name, theirs]) => ({ name, values: theirs.flatMap(of) }));
  mkdirSync(join(PICTURE, '..'), { recursive: true });
  const depth = { caption: 'Epochs left behind when a member moves', unit: 'epochs (logarithmic)' };
  const time = { caption: 'From a healing until all online have one head', unit: 'seconds (logarithmic)' };
  writeFileSync(
    PICTURE,
    svgOfSpreads([
      { ...depth, spreads: spreads(({ rollbacks }) => rollbacks) },
      { ...time, spreads: spreads(({ agreeSeconds }) => agreeSeconds) },
    ]),
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
