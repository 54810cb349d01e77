/**
 * Positions in the array that holds a tree (RFC 9420 appendix C): leaf n stands at 2n, a parent between its children,
 * and a tree of w leaves, always a power of two, has 2w - 1 nodes.
 */
export function isLeaf(node: number): boolean {
  return (node & 1) === 0;
}

export function widthOf(leafCount: number): number {
  return leafCount === 0 ? 0 : 2 * leafCount - 1;
}

export function leavesOf(width: number): number {
  return (width + 1) >>> 1;
}

/** Also of a tree whose number of leaves is no power of two. */
export function rootOf(width: number): number {
  return (1 << (31 - Math.clz32(width))) - 1;
}

/** Leaves are level 0. */
export function levelOf(node: number): number {
  return 31 - Math.clz32(~node & (node + 1));
}

export function leftOf(node: number): number {
  return node ^ (1 << (levelOf(node) - 1));
}

export function rightOf(node: number): number {
  return node ^ (3 << (levelOf(node) - 1));
}

export function parentOf(node: number): number {
  const level = levelOf(node);
  return (node | (1 << level)) & ~(1 << (level + 1));
}

export function siblingOf(node: number): number {
  const parent = parentOf(node);
  return node < parent ? rightOf(parent) : leftOf(parent);
}

/** From the parent of `node` up to the root, both included. */
export function directPath(node: number, width: number): number[] {
  const path: number[] = [];
  const root = rootOf(width);
  for (let at = node; at !== root; ) {
    at = parentOf(at);
    path.push(at);
  }
  return path;
}

/** Whether `node` lies in the subtree under `top`, or is `top`. */
export function isUnder(node: number, top: number): boolean {
  const reach = (1 << levelOf(top)) - 1;
  return node >= top - reach && node <= top + reach;
}
