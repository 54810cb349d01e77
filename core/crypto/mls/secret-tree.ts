import sodium from 'sodium-native';
import { asBuffer, wipe } from '../../base/bytes.ts';
import { InternalError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import { CHACHA_NONCE_BYTES } from '../aead.ts';
import { refused } from './failure.ts';
import { AEAD_KEY_BYTES, type Suite } from './suite.ts';
import { isLeaf, isUnder, leftOf, rightOf, rootOf, widthOf } from './tree-math.ts';

/**
 * The secret tree of an epoch (RFC 9420 §9). A leaf's ratchets are derived when it first speaks; until then one secret
 * stands for all leaves below it. A secret that was used is not in the new tree, and is wiped by the caller as soon
 * as what it opened has proved true.
 */
export interface SecretTree {
  readonly leafCount: number;
  /** By position in the tree; no one stands below another. */
  readonly secrets: ReadonlyMap<number, Uint8Array>;
  /** By leaf. */
  readonly ratchets: ReadonlyMap<number, LeafRatchets>;
}

export interface LeafRatchets {
  readonly handshake: Ratchet;
  readonly application: Ratchet;
}

export interface Ratchet {
  readonly secret: Uint8Array;
  readonly generation: number;
  /** Keys of generations that were passed over, oldest first. */
  readonly skipped: ReadonlyMap<number, MessageKey>;
}

export interface MessageKey {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

export type RatchetKind = keyof LeafRatchets;

/** A key, and the tree without it: one of `wipeConsumed` and `wipeMade` ends it. */
export interface TakenKey extends MessageKey {
  readonly generation: number;
  readonly tree: SecretTree;
  /** What no one needs once the tree has taken the old one's place. */
  readonly consumed: readonly Uint8Array[];
  /** What no one needs if the old tree stays: derived on the way, and not in it. */
  readonly made: readonly Uint8Array[];
}

/** Takes ownership of the secret. */
export function makeSecretTree(leafCount: number, encryptionSecret: Uint8Array): SecretTree {
  return { leafCount, secrets: new Map([[rootOf(widthOf(leafCount)), encryptionSecret]]), ratchets: new Map() };
}

/** The next key of our own leaf. */
export function takeNextKey(suite: Suite, tree: SecretTree, leaf: number, kind: RatchetKind): TakenKey {
  const opened = openLeaf(suite, tree, leaf);
  return takeKey(suite, opened, leaf, kind, opened.ratchets[kind].generation);
}

/** @throws AuthError the generation was used, is too far ahead, or there is no such leaf */
export function takeKeyAt(
  suite: Suite,
  tree: SecretTree,
  leaf: number,
  kind: RatchetKind,
  generation: number,
): TakenKey {
  if (leaf >= tree.leafCount) throw refused('mls.leaf');
  return takeKey(suite, openLeaf(suite, tree, leaf), leaf, kind, generation);
}

/** Every secret that the tree holds. */
export function secretsOf(tree: SecretTree): Uint8Array[] {
  const held = [...tree.secrets.values()];
  for (const { handshake, application } of tree.ratchets.values()) {
    for (const { secret, skipped } of [handshake, application]) {
      held.push(secret, ...[...skipped.values()].flatMap(({ key, nonce }) => [key, nonce]));
    }
  }
  return held;
}

/** The same secrets in memory of their own: what is used up of one tree stays in the other. */
export function copySecrets(tree: SecretTree): SecretTree {
  const ratchet = ({ secret, generation, skipped }: Ratchet): Ratchet => {
    const kept = [...skipped].map(
      ([at, { key, nonce }]) => [at, { key: Buffer.from(key), nonce: Buffer.from(nonce) }] as const,
    );
    return { secret: Buffer.from(secret), generation, skipped: new Map(kept) };
  };
  const secrets = new Map<number, Uint8Array>();
  for (const [at, secret] of tree.secrets) secrets.set(at, Buffer.from(secret));
  const ratchets = new Map<number, LeafRatchets>();
  for (const [leaf, { handshake, application }] of tree.ratchets) {
    ratchets.set(leaf, { handshake: ratchet(handshake), application: ratchet(application) });
  }
  return { leafCount: tree.leafCount, secrets, ratchets };
}

interface OpenedLeaf {
  readonly tree: SecretTree;
  readonly ratchets: LeafRatchets;
  readonly consumed: readonly Uint8Array[];
  readonly made: readonly Uint8Array[];
}

function openLeaf(suite: Suite, tree: SecretTree, leaf: number): OpenedLeaf {
  const known = tree.ratchets.get(leaf);
  if (known) return { tree, ratchets: known, consumed: [], made: [] };
  const target = 2 * leaf;
  const secrets = new Map(tree.secrets);
  const start = [...secrets.keys()].find(node => isUnder(target, node));
  if (start === undefined) throw new InternalError('mls.secret-tree');
  const [consumed, made]: [Uint8Array[], Uint8Array[]] = [[], []];
  const take = (node: number): Uint8Array => {
    const secret = secrets.get(node) as Uint8Array;
    requireUnused(secret);
    secrets.delete(node);
    consumed.push(secret);
    return secret;
  };
  let at = start;
  while (!isLeaf(at)) {
    const secret = take(at);
    const [left, right] = [leftOf(at), rightOf(at)];
    for (const [child, side] of [[left, LEFT] as const, [right, RIGHT] as const]) {
      const derived = suite.expand(secret, 'tree', side, suite.hash.bytes);
      secrets.set(child, derived);
      made.push(derived);
    }
    at = isUnder(target, left) ? left : right;
  }
  const secret = take(target);
  const ratchets = {
    handshake: { secret: suite.derive(secret, 'handshake'), generation: 0, skipped: new Map() },
    application: { secret: suite.derive(secret, 'application'), generation: 0, skipped: new Map() },
  };
  made.push(ratchets.handshake.secret, ratchets.application.secret);
  return { tree: { ...tree, secrets }, ratchets, consumed, made };
}

const LEFT = Buffer.from('left');
const RIGHT = Buffer.from('right');

function takeKey(suite: Suite, opened: OpenedLeaf, leaf: number, kind: RatchetKind, generation: number): TakenKey {
  const ratchet = opened.ratchets[kind];
  const taken =
    generation < ratchet.generation ? takeSkipped(ratchet, generation) : takeAhead(suite, ratchet, generation);
  const ratchets = new Map(opened.tree.ratchets);
  ratchets.set(leaf, { ...opened.ratchets, [kind]: taken.ratchet });
  const { key, nonce } = taken.found;
  const consumed = [...opened.consumed, ...taken.consumed, key, nonce];
  const made = [...opened.made, ...taken.made];
  return { key, nonce, generation, tree: { ...opened.tree, ratchets }, consumed, made };
}

interface Advanced {
  readonly found: MessageKey;
  readonly ratchet: Ratchet;
  readonly consumed: readonly Uint8Array[];
  readonly made: readonly Uint8Array[];
}

function takeSkipped(ratchet: Ratchet, generation: number): Advanced {
  const found = ratchet.skipped.get(generation);
  if (found === undefined) throw refused('mls.generation');
  const skipped = new Map(ratchet.skipped);
  skipped.delete(generation);
  return { found, ratchet: { ...ratchet, skipped }, consumed: [], made: [] };
}

function takeAhead(suite: Suite, ratchet: Ratchet, generation: number): Advanced {
  if (generation - ratchet.generation > LIMITS.mlsSkippedKeys) throw refused('mls.generation');
  const skipped = new Map(ratchet.skipped);
  const [consumed, all]: [Uint8Array[], Uint8Array[]] = [[], []];
  let secret = ratchet.secret;
  requireUnused(secret);
  for (let at = ratchet.generation; ; at += 1) {
    const made = keyOf(suite, secret, at);
    const next = suite.deriveAt(secret, 'secret', at, suite.hash.bytes);
    consumed.push(secret);
    all.push(made.key, made.nonce, next);
    secret = next;
    if (at === generation) {
      dropOldest(skipped, consumed);
      return { found: made, ratchet: { secret, generation: at + 1, skipped }, consumed, made: all };
    }
    skipped.set(at, made);
  }
}

/** A state whose place another has taken must not serve again: its secrets are zero, and so would be known to all. */
function requireUnused(secret: Uint8Array): void {
  if (sodium.sodium_is_zero(asBuffer(secret), secret.length)) throw new InternalError('mls.used-state');
}

/** Only the keys themselves are kept of what was passed over: its secret would open all that follows. */
function keyOf(suite: Suite, secret: Uint8Array, generation: number): MessageKey {
  return {
    key: suite.deriveAt(secret, 'key', generation, AEAD_KEY_BYTES),
    nonce: suite.deriveAt(secret, 'nonce', generation, CHACHA_NONCE_BYTES),
  };
}

function dropOldest(skipped: Map<number, MessageKey>, consumed: Uint8Array[]): void {
  for (const [generation, { key, nonce }] of skipped) {
    if (skipped.size <= LIMITS.mlsSkippedKeys) return;
    skipped.delete(generation);
    consumed.push(key, nonce);
  }
}

/** Wipes what a taken key replaced; the tree it was taken from is no longer to be used. */
export function wipeConsumed({ consumed }: Pick<TakenKey, 'consumed'>): void {
  wipe(...consumed);
}

/** Wipes a key that was taken in vain, and all that came with it; the tree it was taken from stays. */
export function wipeMade({ made }: Pick<TakenKey, 'made'>): void {
  wipe(...made);
}
