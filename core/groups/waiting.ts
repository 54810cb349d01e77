import { LIMITS } from '../base/limits.ts';
import type { Post } from './act-codec.ts';
import type { EpochId } from './group-crypto.ts';
import { LayeredMap } from './layered-map.ts';

/** How a post came, in words of whoever hands it over. */
export interface Origin {
  /** By which it can be had again, should there be no room for it now; null: it cannot. */
  readonly ref: string | null;
  /** What comes under one outer secret shares one part of the room: whoever holds an old one displaces nothing of a newer. */
  readonly share: string;
}

export interface WaitingPost {
  readonly post: Post;
  readonly sinceMs: number;
  readonly origin: Origin;
  /** A commit that was put off: it waits for a post of the epoch that it makes, not for the one that it was sealed in. */
  readonly makes?: EpochId;
}

export const NO_ORIGIN: Origin = { ref: null, share: '' };

interface Room {
  readonly count: number;
  readonly bytes: number;
}

const EMPTY: Room = { count: 0, bytes: 0 };

/** Posts of epochs that are not known yet, by epoch. Each version stays as it is. */
export class Waiting implements Iterable<WaitingPost> {
  static readonly NONE = new Waiting(new Map(), EMPTY, new Map());
  readonly byEpoch: ReadonlyMap<EpochId, readonly WaitingPost[]>;
  readonly #room: Room;
  readonly #shares: ReadonlyMap<string, Room>;

  private constructor(byEpoch: Waiting['byEpoch'], room: Room, shares: ReadonlyMap<string, Room>) {
    this.byEpoch = byEpoch;
    this.#room = room;
    this.#shares = shares;
  }

  static from(items: Iterable<WaitingPost>): Waiting {
    const byEpoch = new Map<EpochId, WaitingPost[]>();
    const shares = new Map<string, Room>();
    let room = EMPTY;
    for (const item of items) {
      const epoch = awaitedBy(item);
      const known = byEpoch.get(epoch);
      if (known) known.push(item);
      else byEpoch.set(epoch, [item]);
      const { share } = item.origin;
      shares.set(share, grown(shares.get(share), item));
      room = grown(room, item);
    }
    return room.count === 0 ? Waiting.NONE : new Waiting(byEpoch, room, shares);
  }

  get count(): number {
    return this.#room.count;
  }

  /** What does not fit goes from the share that has most, the newest first: what came before stays, and the rest comes again. */
  with(item: WaitingPost): { readonly waiting: Waiting; readonly dropped: readonly WaitingPost[] } {
    const epoch = awaitedBy(item);
    const { share } = item.origin;
    const byEpoch = LayeredMap.with(this.byEpoch, epoch, [...this.of(epoch), item]);
    const shares = new Map(this.#shares).set(share, grown(this.#shares.get(share), item));
    let waiting = new Waiting(byEpoch, grown(this.#room, item), shares);
    const dropped: WaitingPost[] = [];
    while (waiting.#room.count > LIMITS.groupWaiting || waiting.#room.bytes > LIMITS.groupWaitingBytes) {
      const out = waiting.#tooMuch();
      waiting = waiting.filter(other => other !== out);
      dropped.push(out);
    }
    return { waiting, dropped };
  }

  of(epoch: EpochId): readonly WaitingPost[] {
    return this.byEpoch.get(epoch) ?? [];
  }

  /** The commit that makes an epoch, where it was put off. */
  commitOf(epoch: EpochId): WaitingPost | undefined {
    return this.of(epoch).find(({ makes }) => makes === epoch);
  }

  without(epoch: EpochId): Waiting {
    return this.byEpoch.has(epoch) ? this.filter(item => awaitedBy(item) !== epoch) : this;
  }

  filter(keep: (item: WaitingPost) => boolean): Waiting {
    const kept = [...this].filter(keep);
    return kept.length === this.count ? this : Waiting.from(kept);
  }

  *[Symbol.iterator](): Iterator<WaitingPost> {
    for (const items of this.byEpoch.values()) yield* items;
  }

  #tooMuch(): WaitingPost {
    const part = ({ count, bytes }: Room): number =>
      Math.max(count / LIMITS.groupWaiting, bytes / LIMITS.groupWaitingBytes);
    const [share] = [...this.#shares].reduce((most, one) => (part(one[1]) > part(most[1]) ? one : most));
    const theirs = [...this].filter(({ origin }) => origin.share === share);
    const again = theirs.filter(({ origin }) => origin.ref !== null);
    return (again.length > 0 ? again : theirs).reduce((newest, one) => (one.sinceMs >= newest.sinceMs ? one : newest));
  }
}

function awaitedBy({ post, makes }: WaitingPost): EpochId {
  return makes ?? post.epoch;
}

function grown(room: Room = EMPTY, { post }: WaitingPost): Room {
  return { count: room.count + 1, bytes: room.bytes + post.message.length };
}
