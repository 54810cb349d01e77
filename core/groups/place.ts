import type { EpochId } from './group-crypto.ts';

/**
 * Where an epoch stands below its root. Beside the way to its parent each place has one far upwards, in jumps that double (Myers, "An
 * applicative random-access stack", 1983): whatever lies above is found in a number of steps that grows with the logarithm of
 * the depth, and a new epoch moves no other.
 */
export class Place {
  readonly id: EpochId;
  readonly depth: number;
  readonly #above: Place | null;
  readonly #far: Place | null;

  constructor(id: EpochId, above: Place | null) {
    this.id = id;
    this.depth = above === null ? 0 : above.depth + 1;
    this.#above = above;
    this.#far = above === null ? null : above.#next;
  }

  /** @param depth not below this place */
  atDepth(depth: number): Place {
    let at: Place = this;
    while (at.depth > depth) at = at.#far && at.#far.depth >= depth ? at.#far : (at.#above as Place);
    return at;
  }

  isBelow(high: Place): boolean {
    return this.depth >= high.depth && this.atDepth(high.depth) === high;
  }

  /** The child of `top` that is this place or has it below. */
  childOf(top: Place): Place | undefined {
    if (this.depth <= top.depth) return undefined;
    const child = this.atDepth(top.depth + 1);
    return child.#above === top ? child : undefined;
  }

  /** The lowest place that is, or is above, both; null when they have no beginning in common. */
  meeting(other: Place): Place | null {
    const depth = Math.min(this.depth, other.depth);
    let [a, b]: [Place | null, Place | null] = [this.atDepth(depth), other.atDepth(depth)];
    while (a !== b && a && b) [a, b] = a.#far === b.#far ? [a.#above, b.#above] : [a.#far, b.#far];
    return a;
  }

  /** Where a child's far way leads: two equal jumps become one. */
  get #next(): Place {
    const far = this.#far;
    const further = far === null ? null : far.#far;
    return far && further && this.depth - far.depth === far.depth - further.depth ? further : this;
  }
}
