import { LIMITS } from '../base/limits.ts';
import type { Post } from './act-codec.ts';
import type { EpochId } from './group-crypto.ts';
import { LayeredMap } from './layered-map.ts';

export interface WaitingPost {
  readonly post: Post;
  readonly sinceMs: number;
}

/** Posts of epochs that are not known yet, by epoch. Each version stays as it is. */
export class Waiting implements Iterable<WaitingPost> {
  static readonly NONE = new Waiting(new Map(), 0, 0, Infinity);
  readonly byEpoch: ReadonlyMap<EpochId, readonly WaitingPost[]>;
  readonly count: number;
  readonly bytes: number;
  /** No post's number is lower; it may be that none is as low. */
  readonly #least: number;

  private constructor(byEpoch: Waiting['byEpoch'], count: number, bytes: number, least: number) {
    this.byEpoch = byEpoch;
    this.count = count;
    this.bytes = bytes;
    this.#least = least;
  }

  /** All that is iterated, in its order, comes back as it was. */
  static from(items: Iterable<WaitingPost>): Waiting {
    const byEpoch = new Map<EpochId, WaitingPost[]>();
    let [count, bytes] = [0, 0];
    for (const item of items) {
      const { epoch, message } = item.post;
      const items = byEpoch.get(epoch);
      if (items) items.push(item);
      else byEpoch.set(epoch, [item]);
      count += 1;
      bytes += message.length;
    }
    return count === 0 ? Waiting.NONE : new Waiting(byEpoch, count, bytes, 0);
  }

  /**
   * What does not fit goes: first what is of epochs before those known, which is mostly from before this member's time (and not
   * always: of two branches it may join the one that was shorter later).
   * @param firstKnown the lowest number of an epoch that is known
   */
  with(item: WaitingPost, firstKnown: number): Waiting {
    const { epoch, message } = item.post;
    const byEpoch = LayeredMap.with(this.byEpoch, epoch, [...this.of(epoch), item]);
    const least = Math.min(this.#least, item.post.number);
    let kept = new Waiting(byEpoch, this.count + 1, this.bytes + message.length, least);
    while (kept.count > LIMITS.groupWaiting || kept.bytes > LIMITS.groupWaitingBytes)
      kept = kept.#withoutOne(firstKnown);
    return kept;
  }

  of(epoch: EpochId): readonly WaitingPost[] {
    return this.byEpoch.get(epoch) ?? [];
  }

  without(epoch: EpochId): Waiting {
    return this.byEpoch.has(epoch) ? this.filter(({ post }) => post.epoch !== epoch) : this;
  }

  filter(keep: (item: WaitingPost) => boolean): Waiting {
    const kept = [...this].filter(keep);
    return kept.length === this.count ? this : Waiting.from(kept);
  }

  *[Symbol.iterator](): Iterator<WaitingPost> {
    for (const items of this.byEpoch.values()) yield* items;
  }

  #withoutOne(firstKnown: number): Waiting {
    const [oldest] = this.byEpoch.values();
    const early = this.#least > firstKnown ? undefined : this.#upTo(firstKnown);
    const [dropped, ...rest] = (early ?? oldest) as readonly [WaitingPost, ...WaitingPost[]];
    const { epoch, message } = dropped.post;
    const byEpoch = rest.length > 0 ? LayeredMap.with(this.byEpoch, epoch, rest) : new Map(this.byEpoch);
    if (byEpoch instanceof Map) byEpoch.delete(epoch);
    const least = early ? this.#least : Math.max(this.#least, firstKnown + 1);
    return new Waiting(byEpoch, this.count - 1, this.bytes - message.length, least);
  }

  #upTo(number: number): readonly WaitingPost[] | undefined {
    for (const items of this.byEpoch.values()) if (items.some(({ post }) => post.number <= number)) return items;
    return undefined;
  }
}
