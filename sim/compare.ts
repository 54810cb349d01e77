import { countPaths } from './paths.ts';
import { execute } from './report.ts';
import { RIVALS } from './rules.ts';
import type { WorldOptions } from './world.ts';

const HEADS = ['of those with a path', 'missed', 'in worlds', 'copies a text', 'deposits', 'refused', 'KiB in all'];

/** The rules that were tried, each in the same worlds: a line a rule, as soon as it is there. */
export function* compare(worlds: readonly WorldOptions[]): Generator<string> {
  yield `${'rule'.padEnd(20)}${HEADS.map(head => head.padStart(head.length + 2)).join('')}`;
  for (const [name, copies] of RIVALS) {
    const sum = { withAny: 0, missed: 0, missing: 0, copies: 0, deposits: 0, refused: 0, bytes: 0 };
    for (const world of worlds) {
      const run = execute({ ...world, copies });
      const paths = countPaths(run);
      const { deposits, refused, allBytes } = run.checks.counts;
      sum.withAny += paths.withAny;
      sum.missed += paths.missed.length;
      sum.missing += Number(paths.missed.length > 0);
      sum.copies += paths.copies / worlds.length;
      sum.deposits += deposits;
      sum.refused += refused;
      sum.bytes += allBytes;
    }
    const cells = [
      `${(100 * (1 - sum.missed / sum.withAny)).toFixed(3)} %`,
      sum.missed,
      `${sum.missing} of ${worlds.length}`,
      sum.copies.toFixed(2),
      sum.deposits,
      sum.refused,
      Math.round(sum.bytes / 1024),
    ];
    yield name.padEnd(20) + cells.map((cell, at) => String(cell).padStart((HEADS[at] ?? '').length + 2)).join('');
  }
}
