import { type GroupState, leafAt, type Member, memberAt } from './group-state.ts';
import { suiteNamed } from './suite.ts';
import { nextAbove, vouchesFor } from './tree-check.ts';
import { leavesOf } from './tree-math.ts';

type Public = Pick<GroupState, 'context' | 'tree'>;

/**
 * Who made an epoch, read from its tree, so that whoever joins by it knows as well as those who saw the commit. A commit's path gives new keys to
 * every node above its maker's leaf, each with the hash of the next (RFC 9420 §7.9): from no other leaf does such a chain lead to the top, as
 * what another leaf says of the node that both have above them was said of an older key.
 * @returns undefined in a group's first epoch, and after a commit without a path
 */
export function makerOf(epoch: Public): Member | undefined {
  for (let index = 0; index < leavesOf(epoch.tree.nodes.length); index += 1) {
    if (leadsToTop(epoch, index)) return memberAt(epoch, index);
  }
  return undefined;
}

function leadsToTop({ context, tree }: Public, index: number): boolean {
  const suite = suiteNamed(context.cipherSuite);
  const leaf = leafAt({ tree }, index);
  if (suite === undefined || leaf?.leafNodeSource !== 'commit') return false;
  let [at, stated] = [2 * index, leaf.parentHash];
  for (let above = nextAbove(tree.nodes, at); above !== undefined; above = nextAbove(tree.nodes, at)) {
    const node = tree.nodes[above];
    if (node?.nodeType !== 'parent' || !vouchesFor(suite, tree, at, above, stated)) return false;
    [at, stated] = [above, node.parent.parentHash];
  }
  return stated.length === 0;
}
