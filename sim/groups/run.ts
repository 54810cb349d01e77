// Runs the group machine among many members in a time of trouble, on a virtual clock, and checks what is so after healing.
//   node sim/groups/run.ts [--seed N] [--seeds 100] [--members 50] [--operations 1000] [--days 4] [--rule weight] [--malicious] [--rules] [--mls]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realMls, standIns } from './cryptos.ts';
import { type Spread, svgOfSpreads } from './plot.ts';
import { RULES } from './rivals.ts';
import { GroupRun } from './run-world.ts';

const PICTURE = join(import.meta.dirname, '..', '..', 'docs', 'pictures', 'sim-groups.svg');
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    members: { type: 'string', default: '50' },
    operations: { type: 'string', default: '1000' },
    days: { type: 'string', default: '4' },
    rule: { type: 'string', default: 'weight' },
    malicious: { type: 'boolean', default: false },
    rules: { type: 'boolean', default: false },
    mls: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
if (!Number.isSafeInteger(seed) || seed < 0) throw new Error('--seed takes a whole number');

interface Measured {
  readonly rollbacks: number[];
  readonly agreeSeconds: number[];
  failures: number;
}

say(`seed ${seed} (the same again: --seed ${seed})`);
const results = new Map<string, Measured>();
for (const rule of values.rules ? Object.keys(RULES) : [values.rule]) results.set(rule, await runAll(rule));
for (const [rule, { rollbacks, agreeSeconds, failures }] of results) {
  say(
    `${rule.padEnd(8)} runs with findings ${failures}; roll-backs ${row(rollbacks)}; seconds to agree ${row(agreeSeconds)}`,
  );
}
if (values.rules) draw();
process.exitCode = (results.get('weight')?.failures ?? 0) > 0 ? 1 : 0;

async function runAll(rule: string): Promise<Measured> {
  const choose = RULES[rule];
  if (!choose) throw new Error(`--rule is one of ${Object.keys(RULES).join(', ')}`);
  const measured: Measured = { rollbacks: [], agreeSeconds: [], failures: 0 };
  for (let at = seed; at < seed + Number(values.seeds); at += 1) {
    const options = {
      seed: at,
      members: Number(values.members),
      operations: Number(values.operations),
      days: Number(values.days),
      choose,
      malicious: values.malicious,
    };
    const startedMs = performance.now();
    const run: GroupRun = values.mls ? new GroupRun(options, realMls()) : new GroupRun(options, standIns());
    await run.execute();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
    const { checks } = run;
    if (checks.findings.length > 0) measured.failures += 1;
    measured.rollbacks.push(...checks.rollbacks);
    measured.agreeSeconds.push(...checks.agreeMs.map(ms => ms / 1000));
    say(
      `${rule} seed ${at}: ${run.memberCount} members, ${checks.epochs} epochs, ${run.posts.length} posts, ${checks.texts} texts read ` +
        `${checks.reads} times; roll-backs ${row(checks.rollbacks)}; findings ${checks.findings.length}; ${seconds} s`,
    );
    for (const finding of checks.findings.slice(0, 5)) say(`  ! ${finding}`);
  }
  return measured;
}

function row(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0);
  return `${sorted.length} (median ${at(0.5)}, 95 % ${at(0.95)}, most ${at(1)})`;
}

function draw(): void {
  const spreads = (of: (measured: Measured) => number[]): Spread[] =>
    [...results].map(([name, measured]) => ({ name, values: of(measured) }));
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
