/** One line of the results. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What it is measured against, in the same run; empty where there is only a goal. */
  readonly peer: string;
  readonly peerValue: number | null;
  /** How many times better than the peer: above 1 is better, whichever way the unit runs. */
  readonly ratio: number | null;
  /** A number of the unit, or for a row that names no other goal a ratio to the peer. */
  readonly goal: number;
  readonly goalOf: 'value' | 'ratio';
  /** Whether more of the unit is better. */
  readonly better: 'more' | 'less';
  readonly note: string;
  /** Its place in a table of its own. Such a row stands in the list as well only where it is `listed`. */
  readonly table?: { readonly title: string; readonly line: string; readonly column: string };
  readonly listed?: boolean;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The smallest value that `share` of all values do not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export function perSecond(count: number, startedAtMs: number): number {
  return (count * 1_000) / (performance.now() - startedAtMs);
}

/** The median time of so many runs, one after the other. */
export async function medianMs(times: number, run: () => unknown): Promise<number> {
  const taken: number[] = [];
  for (let time = 0; time < times; time += 1) {
    const startedAt = performance.now();
    await run();
    taken.push(performance.now() - startedAt);
  }
  return median(taken);
}
