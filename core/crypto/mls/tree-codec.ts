import { decodeRatchetTree, encodeNode, type Node, type RatchetTree, stripBlankNodes } from 'ts-mls/ratchetTree.js';
import { concat } from '../../base/bytes.ts';
import { DecodeError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { leavesOf } from './tree-math.ts';
import { varBytes } from './wire.ts';

const encoded = new WeakMap<Node, Uint8Array>();
const BLANK = Uint8Array.of(0);
const PRESENT = Uint8Array.of(1);

/** The tree as the ratchet_tree extension has it (RFC 9420 §12.4.3.3); a node is encoded once in its life. */
export function encodeTreeNodes(nodes: RatchetTree): Buffer {
  const parts = stripBlankNodes(nodes).flatMap(node => (node ? [PRESENT, encodeTreeNode(node)] : [BLANK]));
  return varBytes(concat(...parts));
}

export function encodeTreeNode(node: Node): Uint8Array {
  let bytes = encoded.get(node);
  if (bytes === undefined) {
    bytes = encodeNode(node);
    encoded.set(node, bytes);
  }
  return bytes;
}

/** @throws DecodeError not a whole tree, one that ends in a blank, or one too large */
export function decodeTreeNodes(bytes: Uint8Array): RatchetTree {
  const decoded = decodeRatchetTree(bytes, 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new DecodeError('mls.tree');
  if (leavesOf(decoded[0].length) > LIMITS.mlsLeaves) throw new DecodeError('mls.tree');
  return decoded[0];
}
