import { decodeNode, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { concat } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { overInputNow } from './failure.ts';
import type { GroupState } from './group-state.ts';
import { type SuiteKind, suiteOf } from './suite.ts';
import { encodeTreeNode, encodeTreeNodes } from './tree-codec.ts';
import { type HashedTree, hashAt } from './tree-hash.ts';
import { leavesOf } from './tree-math.ts';
import { Reader, uint32, varBytes } from './wire.ts';

/**
 * Trees at rest. A tree is public to the group and nearly the same from one epoch to the next, so it is stored as
 * what differs from the tree it came from; and with its hashes, so that opening it computes none.
 */
const VERSION = 1;
const EMPTY: HashedTree = { nodes: [], hashes: [] };

/** The tree of an epoch as a newcomer takes it, where a welcome or group info comes without. */
export function encodeTree(state: GroupState): Buffer {
  return encodeTreeNodes(state.tree.nodes);
}

/** @param base the tree that the reader will have at hand; without it the whole tree is written */
export function encodeTreeChange(state: GroupState, base: HashedTree = EMPTY): Buffer {
  const { nodes, hashes } = state.tree;
  const parts: Uint8Array[] = [Uint8Array.of(VERSION), uint32(nodes.length), uint32(base.nodes.length)];
  nodes.forEach((node, at) => {
    const [before, after] = [base.hashes[at], hashAt(hashes, at)];
    if (before && Buffer.compare(before, after) === 0) return;
    parts.push(uint32(at), after, varBytes(node ? encodeTreeNode(node) : NO_NODE));
  });
  return concat(...parts);
}

const NO_NODE = new Uint8Array();

/** @throws DecodeError not written against this base */
export function decodeTreeChange(suite: SuiteKind, bytes: Uint8Array, base: HashedTree = EMPTY): HashedTree {
  return overInputNow('mls.tree', () => {
    const hashBytes = suiteOf(suite).hash.bytes;
    const reader = new Reader(bytes);
    const [version, width, baseWidth] = [reader.uint8(), reader.uint32(), reader.uint32()];
    if (version !== VERSION || baseWidth !== base.nodes.length) throw new DecodeError('mls.tree');
    if (leavesOf(width) > LIMITS.mlsLeaves) throw new DecodeError('mls.tree');
    const nodes: RatchetTree = Array.from({ length: width }, (_, at) => base.nodes[at]);
    const hashes: (Uint8Array | undefined)[] = Array.from({ length: width }, (_, at) => base.hashes[at]);
    while (reader.left > 0) {
      const at = reader.uint32();
      if (at >= width) throw new DecodeError('mls.tree');
      hashes[at] = Buffer.from(reader.take(hashBytes));
      nodes[at] = readNode(reader.varBytes());
    }
    if (hashes.includes(undefined)) throw new DecodeError('mls.tree');
    return { nodes, hashes: hashes as Uint8Array[] };
  });
}

function readNode(bytes: Uint8Array): RatchetTree[number] {
  if (bytes.length === 0) return undefined;
  const decoded = decodeNode(Buffer.from(bytes), 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new DecodeError('mls.tree');
  return decoded[0];
}

/** The tree of a state, to write another against. */
export function treeOf(state: GroupState): HashedTree {
  return state.tree;
}
