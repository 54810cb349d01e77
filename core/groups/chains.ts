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
}

export interface Chain {
  readonly acts: ReadonlyMap<number, Act>;
  readonly first: number;
  readonly latest: Act;
  /** Between the first and the latest act known; rising, at most LIMITS.groupHoles. */
  readonly holes: readonly Hole[];
  /** The lowest place where the sender said two different things. */
  readonly forkedAt: number | null;
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
  if (known?.id === act.id || isForgotten(chain, act)) return { chains, news: NOTHING };
  const forkedAt = lowest(chain?.forkedAt ?? null, forkSeen(chain, act));
  // Of two acts in one place one is kept, the same everywhere; neither counts for anything again.
  const kept = known && known.id < act.id ? known : act;
  const acts = recent(LayeredMap.with(chain?.acts ?? NO_ACTS, act.seq, kept));
  const latest = !chain || act.seq >= chain.latest.seq ? kept : chain.latest;
  const opened = chain ? [...between(chain.latest.seq, act.seq), ...between(act.seq, chain.first)] : [];
  const news = { holes: opened, forkedAt: forkedAt === (chain?.forkedAt ?? null) ? null : forkedAt };
  return {
    chains: LayeredMap.with(chains, act.sender, {
      acts,
      first:
        acts.size < (chain?.acts.size ?? 0) ? Math.min(...acts.keys()) : Math.min(act.seq, chain?.first ?? act.seq),
      latest,
      holes: holesAfter(chain?.holes ?? [], opened, act.seq),
      forkedAt,
    }),
    news,
  };
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

/** Two acts in one place, or an act whose successor names another in its place. */
function forkSeen(chain: Chain | undefined, act: Act): number | null {
  const known = chain?.acts.get(act.seq);
  const before = chain?.acts.get(act.seq - 1);
  const after = chain?.acts.get(act.seq + 1);
  if (before && before.id !== act.previous) return act.seq - 1;
  if (known && known.id !== act.id) return act.seq;
  return after && after.previous !== act.id ? act.seq : null;
}

function lowest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
