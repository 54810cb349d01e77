import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { EpochId } from './group-crypto.ts';
import { between, type Hole, holesAfter } from './holes.ts';
import { LayeredMap } from './layered-map.ts';

export type ActId = string & { readonly __brand: 'ActId' };

/** One thing a member did in the group: each names the one before it, over all branches. */
export interface Act {
  readonly id: ActId;
  readonly sender: ContactId;
  readonly seq: number;
  /** The sender's act before; null for its first. */
  readonly previous: ActId | null;
  /** Where the sender stood afterwards: the epoch it was sealed in, for a commit the epoch it made. */
  readonly epoch: EpochId;
  /** As its sender signed it; not kept of one's own. */
  readonly signed?: SignedAct;
}

/** What its sender signed of an act, signature first, and the epoch it was sealed in: proof of it for those who cannot read that epoch. */
export interface SignedAct {
  readonly epoch: EpochId;
  readonly bytes: Uint8Array;
}

/** Two acts of one sender that cannot both be. */
export type Proof = readonly [SignedAct, SignedAct];

export interface Chain {
  readonly acts: ReadonlyMap<number, Act>;
  readonly first: number;
  readonly latest: Act;
  /** Between the first and the latest act known; rising, at most LIMITS.groupHoles. */
  readonly holes: readonly Hole[];
  /** The lowest place where the sender said two different things. */
  readonly forkedAt: number | null;
  /** That it did; null also where one of the two acts is not kept as it was signed. */
  readonly proof: Proof | null;
  /** The last epoch in which the proof was shown to its members. */
  readonly shownIn: EpochId | null;
}

export type Chains = ReadonlyMap<ContactId, Chain>;

/** What an act showed that was not known before. */
export interface ChainNews {
  readonly holes: readonly Hole[];
  readonly forkedAt: number | null;
}

const NO_ACTS: ReadonlyMap<number, Act> = new Map();
const NOTHING: ChainNews = { holes: [], forkedAt: null };

/**
 * The same acts in any order show the same latest act, and whether the sender said two things; and the same holes, unless
 * there were more at some time than are remembered.
 */
export function withAct(chains: Chains, act: Act): { chains: Chains; news: ChainNews } {
  const chain = chains.get(act.sender);
  const known = chain?.acts.get(act.seq);
  const same = known?.id === act.id && known.epoch === act.epoch;
  if (same || isForgotten(chain, act)) return { chains, news: NOTHING };
  const conflict = conflictIn(chain, act);
  const { forkedAt, proof, news: fork } = forkAfter(chain, conflict);
  // Of two acts in one place one is kept, the same everywhere; neither counts for anything again.
  const kept = known && known.id < act.id ? known : act;
  const acts = recent(LayeredMap.with(chain?.acts ?? NO_ACTS, act.seq, kept));
  const latest = !chain || act.seq >= chain.latest.seq ? kept : chain.latest;
  const opened = chain ? [...between(chain.latest.seq, act.seq), ...between(act.seq, chain.first)] : [];
  return {
    chains: LayeredMap.with(chains, act.sender, {
      acts,
      first:
        acts.size < (chain?.acts.size ?? 0) ? Math.min(...acts.keys()) : Math.min(act.seq, chain?.first ?? act.seq),
      latest,
      holes: holesAfter(chain?.holes ?? [], opened, act.seq),
      forkedAt,
      proof,
      shownIn: chain?.shownIn ?? null,
    }),
    news: { holes: opened, forkedAt: fork },
  };
}

/** Heard from another: it counts as the two acts do. @param act one of them, by the same sender as the other */
export function withProof(chains: Chains, act: Act, conflict: Conflict): { chains: Chains; news: ChainNews } {
  const known = chains.get(act.sender) ?? withAct(chains, act).chains.get(act.sender);
  if (!known) return { chains, news: NOTHING };
  const { forkedAt, proof, news } = forkAfter(known, conflict);
  if (known.proof !== null && news === null) return { chains, news: NOTHING };
  return {
    chains: LayeredMap.with(chains, act.sender, { ...known, forkedAt, proof }),
    news: { holes: [], forkedAt: news },
  };
}

/** Its proof was shown there. */
export function provenIn(chains: Chains, member: ContactId, epoch: EpochId): Chains {
  const chain = chains.get(member);
  return chain && chain.shownIn !== epoch ? LayeredMap.with(chains, member, { ...chain, shownIn: epoch }) : chains;
}

export interface Conflict {
  readonly seq: number;
  readonly proof: Proof | null;
}

/** Two acts in one place, or one that names another before it than the one there. */
export function conflictOf(one: Act, other: Act): Conflict | null {
  const [first, second] = one.seq <= other.seq ? [one, other] : [other, one];
  const apart = first.seq === second.seq ? first.id !== second.id : second.previous !== first.id;
  if (!apart || second.seq > first.seq + 1) return null;
  return { seq: first.seq, proof: first.signed && second.signed ? [first.signed, second.signed] : null };
}

function forkAfter(chain: Chain | undefined, conflict: Conflict | null) {
  const before = chain?.forkedAt ?? null;
  const forkedAt = lowest(before, conflict?.seq ?? null);
  const news = before === null ? forkedAt : null;
  return { forkedAt, proof: chain?.proof ?? conflict?.proof ?? null, news };
}

/** Of a member that said more than is remembered the oldest went: nothing is decided by it. */
function recent(acts: ReadonlyMap<number, Act>): ReadonlyMap<number, Act> {
  if (acts.size <= LIMITS.groupActs) return acts;
  const newest = [...acts].sort(([a], [b]) => a - b).slice(-LIMITS.groupActs / 2);
  return new Map(newest);
}

function isForgotten(chain: Chain | undefined, act: Act): boolean {
  return chain !== undefined && act.seq < chain.first && chain.acts.size >= LIMITS.groupActs / 2;
}

/** The first of its neighbours, or of what stands in its place, that it cannot stand beside. */
function conflictIn(chain: Chain | undefined, act: Act): Conflict | null {
  for (const seq of [act.seq - 1, act.seq, act.seq + 1]) {
    const other = chain?.acts.get(seq);
    const conflict = other ? conflictOf(other, act) : null;
    if (conflict) return conflict;
  }
  return null;
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
