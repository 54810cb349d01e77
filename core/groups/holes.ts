import { LIMITS } from '../base/limits.ts';

/** Places of a chain of which nothing is known, both ends among them. */
export interface Hole {
  readonly from: number;
  readonly to: number;
}

/** What lies between two places that are known. */
export function between(low: number, high: number): readonly Hole[] {
  return high - low > 1 ? [{ from: low + 1, to: high - 1 }] : [];
}

/**
 * @param holes rising, none beside another
 * @param opened new ones, that touch none of them
 * @param filled a place that is known now
 * @returns the same, or the newest of them: whoever leaves more open than are told of is shown as one with holes all the same
 */
export function holesAfter(holes: readonly Hole[], opened: readonly Hole[], filled: number): readonly Hole[] {
  const at = holes.findIndex(({ from, to }) => from <= filled && filled <= to);
  const hit = holes[at];
  if (!hit && opened.length === 0) return holes;
  const rest = hit ? [...between(hit.from - 1, filled), ...between(filled, hit.to + 1)] : [];
  const left = hit ? [...holes.slice(0, at), ...rest, ...holes.slice(at + 1)] : holes;
  return [...left, ...opened].sort((a, b) => a.from - b.from).slice(-LIMITS.groupHoles);
}

export function missingIn(holes: readonly Hole[]): number {
  return holes.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}
