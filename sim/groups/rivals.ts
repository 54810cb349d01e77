import type { EpochId } from '../../core/groups/group-crypto.ts';
import { type Choose, type Fork, heaviest } from '../../core/groups/lineage.ts';
import type { Epoch, Tree } from '../../core/groups/tree.ts';

/** The rule, and others it was weighed against (docs/decisions/0014-the-heaviest-branch.md). */
export const RULES: Readonly<Record<string, Choose>> = { weight: heaviest, rank: byRank, hash: byHash, longest };

/** The parent's ranking of committers alone. */
function byRank({ parent, children }: Fork): EpochId {
  const rank = ({ committer }: Epoch): number => {
    const place = parent && committer ? parent.ranking.indexOf(committer) : -1;
    return place < 0 ? Number.MAX_SAFE_INTEGER : place;
  };
  return least(children, (a, b) => rank(a) - rank(b));
}

function byHash({ children }: Fork): EpochId {
  return least(children, () => 0);
}

function longest({ lineage, children }: Fork): EpochId {
  return least(children, (a, b) => deepest(lineage.tree, b.id) - deepest(lineage.tree, a.id));
}

function least(children: readonly Epoch[], order: (a: Epoch, b: Epoch) => number): EpochId {
  return children.reduce((a, b) => ((order(a, b) || (a.id < b.id ? -1 : 1)) > 0 ? b : a)).id;
}

function deepest(tree: Tree, top: EpochId): number {
  const below = tree.children.get(top) ?? [];
  return below.reduce((depth, id) => Math.max(depth, 1 + deepest(tree, id)), 0);
}
