import { concat, hex, utf8 } from '../../core/base/bytes.ts';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { blake2b, keyedBlake2b } from '../../core/base/hash.ts';
import { type ContactId, contactIdFromBytes, idBytes } from '../../core/base/ids.ts';
import { openChaCha, sealChaCha } from '../../core/crypto/aead.ts';
import type {
  CommitContent,
  Committed,
  CryptoContext,
  EpochId,
  EpochView,
  GroupCrypto,
  Processed,
  StateParts,
} from '../../core/groups/group-crypto.ts';
import { decodeCbor, encodeCbor, Shape } from '../../core/wire/cbor.ts';
import {
  changedLeaves,
  encodeInfo,
  type Leaf,
  masked,
  mixed,
  nextEpoch,
  type Registry,
  unlock,
} from './stand-in-keys.ts';
import { exportedFrom, readGroupInfo, readInfo, readKeyPackage } from './stand-in-reading.ts';

/** One epoch on one member. */
export interface StandInState {
  readonly view: EpochView;
  readonly leaves: ReadonlyMap<ContactId, Leaf>;
  readonly secret: Buffer;
  readonly leafSecret: Buffer;
  readonly nextGeneration: number;
  /** Messages read, so that none is read twice. */
  readonly read: ReadonlySet<string>;
}

type Fields = readonly unknown[];
const MAX = 1 << 22;
const shape = new Shape('stand-in');
const exported = new WeakMap<Buffer, Map<string, Buffer>>();
const NO_NONCE = Buffer.alloc(12);
const NOTHING = Buffer.alloc(0);

/**
 * A cheap stand-in for MLS, for simulations: it keeps the same secrets from the same people, with keyed hashes in place of
 * public-key operations. The registry stands for those: it knows every secret by its public name, and is used only to lock
 * something for a key or to check a signature, as anyone could with the public key.
 */
export class StandInCrypto implements GroupCrypto<StandInState> {
  readonly self: ContactId;
  readonly #registry: Registry;
  readonly #identitySecret: Buffer;
  readonly #identity: Buffer;

  constructor(registry: Registry, identitySecret: Buffer) {
    this.#registry = registry;
    this.#identitySecret = identitySecret;
    this.#identity = registry.publish(identitySecret);
    this.self = contactIdFromBytes(this.#identity);
  }

  async keyPackage({ random }: CryptoContext): Promise<{ keyPackage: Uint8Array; secret: Uint8Array }> {
    const secret = random(32);
    return { keyPackage: this.packageOf(secret), secret };
  }

  packageName(keyPackage: Uint8Array): string {
    return hex(blake2b(16, keyPackage));
  }

  packageOf(secret: Uint8Array): Uint8Array {
    const content = concat(this.#identity, this.#registry.publish(Buffer.from(secret)));
    return concat(content, this.sign(content));
  }

  ownerOf(keyPackage: Uint8Array): ContactId {
    return contactIdFromBytes(readKeyPackage(this.#registry, keyPackage).identity);
  }

  async create(groupId: Uint8Array, data: Uint8Array, { random }: CryptoContext): Promise<StandInState> {
    const [secret, leafSecret] = [random(32), random(32)];
    const leaves = new Map([[this.self, { identity: this.#identity, key: this.#registry.publish(leafSecret) }]]);
    const epoch = hex(blake2b(32, utf8('creation'), groupId, secret)) as EpochId;
    return this.#state(
      { groupId, epoch, maker: null, number: 0, members: [this.self], data },
      leaves,
      secret,
      leafSecret,
    );
  }

  async join(welcome: Uint8Array, secret: Uint8Array): Promise<StandInState> {
    const [nonce, locks, sealed] = shape.tuple(decodeCbor(welcome, MAX, 'stand-in'), 3) as [Buffer, Fields, Buffer];
    const own = hex(blake2b(16, utf8('public'), secret));
    for (const lock of locks) {
      const [key, locked] = lock as [Buffer, Buffer];
      if (hex(key) !== own) continue;
      const plain = openChaCha(sealed, nonce, NO_NONCE, masked(secret, nonce, locked));
      if (!plain) break;
      const [info, epochSecret] = shape.tuple(decodeCbor(plain, MAX, 'stand-in'), 2) as [Buffer, Buffer];
      const { view, leaves } = readInfo(info);
      return this.#state(view, leaves, Buffer.from(epochSecret), Buffer.from(secret));
    }
    throw new AuthError('not-authentic', 'stand-in.join', 'The welcome is not for this key package.');
  }

  async groupInfo(state: StandInState): Promise<Uint8Array> {
    const info = encodeInfo(state.view, state.leaves);
    const external = this.#registry.publish(keyedBlake2b(32, state.secret, utf8('external')));
    const content = encodeCbor([info, external, this.#identity]);
    return encodeCbor([content, this.sign(content)]);
  }

  viewOfInfo(groupInfo: Uint8Array): EpochView {
    return readGroupInfo(this.#registry, groupInfo).view;
  }

  async externalCommit(
    groupInfo: Uint8Array,
    { random }: CryptoContext,
  ): Promise<{ message: Uint8Array; state: StandInState }> {
    const { view, leaves, external } = readGroupInfo(this.#registry, groupInfo);
    if (!leaves.has(this.self)) throw new AuthError('not-authentic', 'stand-in.external', 'Not a member.');
    const [nonce, secret, leafSecret] = [random(12), random(32), random(32)];
    const key = this.#registry.publish(leafSecret);
    const content = encodeCbor([1, this.#identity, NOTHING, key, nonce, this.#registry.lock(external, nonce, secret)]);
    const message = encodeCbor([1, content, this.sign(content)]);
    const next = { ...view, maker: this.self, number: view.number + 1, epoch: nextEpoch(view.epoch, content) };
    const changed = new Map(leaves).set(this.self, { identity: this.#identity, key });
    return { message, state: this.#state(next, changed, mixed(secret, null, content), leafSecret) };
  }

  async commit(
    state: StandInState,
    wanted: CommitContent,
    { random }: CryptoContext,
  ): Promise<Committed<StandInState>> {
    const { adds, removes, authenticatedData } = wanted;
    const packages = adds.map(keyPackage => readKeyPackage(this.#registry, keyPackage));
    const [nonce, secret, leafSecret] = [random(12), random(32), random(32)];
    const key = this.#registry.publish(leafSecret);
    const leaves = changedLeaves(state.leaves, packages, removes);
    leaves.set(this.self, { identity: this.#identity, key });
    const others = [...state.leaves].filter(([member]) => leaves.has(member) && member !== this.self);
    const locks = others.map(([, leaf]) => concat(leaf.key, this.#registry.lock(leaf.key, nonce, secret)));
    const content = encodeCbor([
      0,
      this.#identity,
      authenticatedData,
      [...adds],
      removes.map(idBytes),
      wanted.data,
      key,
      nonce,
      concat(...locks),
    ]);
    const message = this.#seal(state, 0, content, random);
    const view: EpochView = {
      ...state.view,
      maker: this.self,
      number: state.view.number + 1,
      epoch: nextEpoch(state.view.epoch, content),
      members: [...leaves.keys()],
      data: wanted.data ?? state.view.data,
    };
    const next = this.#state(view, leaves, mixed(secret, state.secret, content), leafSecret);
    const welcome = packages.length > 0 ? this.#welcome(next, packages, random) : null;
    return { message, welcome, parent: state, state: next };
  }

  async process(state: StandInState, message: Uint8Array): Promise<Processed<StandInState>> {
    const open = this.#open(state, message);
    const { kind, content, sender } = open;
    if (sender === this.self) throw new AuthError('not-authentic', 'stand-in.process', "One's own message.");
    if (kind === 0) return this.#processCommit(state, open);
    if (kind === 1) return this.#processExternal(state, content, sender);
    const [, , authenticatedData, plaintext, generation] = content.fields as [0, 0, Buffer, Buffer, number];
    const name = `${sender} ${generation}`;
    if (state.read.has(name)) throw new AuthError('not-authentic', 'stand-in.process', 'Read before.');
    const read = new Set(state.read).add(name);
    return { kind: 'application', sender, authenticatedData, plaintext, state: { ...state, read } };
  }

  async encrypt(
    state: StandInState,
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
    { random }: CryptoContext,
  ): Promise<{ message: Uint8Array; state: StandInState }> {
    const content = encodeCbor([2, this.#identity, authenticatedData, plaintext, state.nextGeneration]);
    const message = this.#seal(state, 2, content, random);
    return { message, state: { ...state, nextGeneration: state.nextGeneration + 1 } };
  }

  async exporter(state: StandInState, label: string, length: number): Promise<Uint8Array> {
    const known = exported.get(state.secret) ?? new Map<string, Buffer>();
    exported.set(state.secret, known);
    const name = `${length} ${label}`;
    const secret = known.get(name) ?? exportedFrom(state.secret, label, length);
    known.set(name, secret);
    // The caller may wipe what it is given.
    return Buffer.from(secret);
  }

  view(state: StandInState): EpochView {
    return state.view;
  }

  sign(bytes: Uint8Array): Uint8Array {
    return this.#registry.sign(this.#identitySecret, bytes);
  }

  verify(state: StandInState, member: ContactId, bytes: Uint8Array, signature: Uint8Array): boolean {
    const leaf = state.leaves.get(member);
    return leaf !== undefined && this.#registry.verify(leaf.identity, bytes, signature);
  }

  serialize(state: StandInState): StateParts {
    const fixed = encodeCbor([state.secret, state.leafSecret]);
    return { fixed, moving: this.serializeMoving(state), tree: encodeInfo(state.view, state.leaves) };
  }

  serializeMoving(state: StandInState): Uint8Array {
    return encodeCbor([state.nextGeneration, [...state.read]]);
  }

  deserialize({ fixed, moving, tree }: StateParts): StandInState {
    const [secret, leafSecret] = shape.tuple(decodeCbor(fixed, MAX, 'stand-in'), 2) as [Buffer, Buffer];
    const [nextGeneration, read] = shape.tuple(decodeCbor(moving, MAX, 'stand-in'), 2) as [number, string[]];
    const { view, leaves } = readInfo(tree);
    const made = this.#state(view, leaves, Buffer.from(secret), Buffer.from(leafSecret));
    return { ...made, nextGeneration, read: new Set(read) };
  }

  /** Its states share their secrets. */
  retire(): void {}

  /** Nor are they one member's alone: whoever has them all has the same. */
  wipe(): void {}

  #state(view: EpochView, leaves: ReadonlyMap<ContactId, Leaf>, secret: Buffer, leafSecret: Buffer): StandInState {
    return { view, leaves, secret, leafSecret, nextGeneration: 0, read: new Set() };
  }

  #processCommit(state: StandInState, open: Opened): Processed<StandInState> {
    const [, , authenticatedData, adds, removes, , , nonce, locks] = open.content.fields as CommitFields;
    const { sender } = open;
    const added = adds.map(keyPackage => this.packageName(keyPackage));
    const removed = removes.map(contactIdFromBytes);
    const epoch = nextEpoch(state.view.epoch, open.content.bytes);
    const result = { kind: 'commit', sender, external: false, authenticatedData, added, removed, epoch } as const;
    if (removed.includes(this.self)) return { ...result, state: null };
    const unlocked = unlock(locks, state.leafSecret, nonce);
    const next = open.next?.unlocked.equals(unlocked) ? open.next : this.#nextOf(state, open, unlocked, epoch);
    open.next = next;
    return { ...result, state: this.#state(next.view, next.leaves, next.secret, state.leafSecret) };
  }

  #nextOf(state: StandInState, { content, sender }: Opened, unlocked: Buffer, epoch: EpochId): Next {
    const [, , , adds, removes, data, key] = content.fields as CommitFields;
    const packages = adds.map(keyPackage => readKeyPackage(this.#registry, keyPackage));
    const leaves = changedLeaves(state.leaves, packages, removes.map(contactIdFromBytes));
    const sent = leaves.get(sender);
    if (!sent) throw new DecodeError('stand-in.process', 'A committer cannot remove itself.');
    leaves.set(sender, { identity: sent.identity, key });
    const view: EpochView = {
      ...state.view,
      maker: sender,
      number: state.view.number + 1,
      epoch,
      members: [...leaves.keys()],
      data: data ?? state.view.data,
    };
    return { unlocked, view, leaves, secret: mixed(unlocked, state.secret, content.bytes) };
  }

  #processExternal(state: StandInState, content: Content, sender: ContactId): Processed<StandInState> {
    const [, identity, authenticatedData, key, nonce, locked] = content.fields as [
      1,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const secret = masked(keyedBlake2b(32, state.secret, utf8('external')), nonce, locked);
    const epoch = nextEpoch(state.view.epoch, content.bytes);
    const view = { ...state.view, maker: sender, number: state.view.number + 1, epoch };
    const leaves = new Map(state.leaves).set(sender, { identity, key });
    return {
      kind: 'commit',
      sender,
      external: true,
      authenticatedData,
      added: [],
      removed: [],
      epoch,
      state: this.#state(view, leaves, mixed(secret, null, content.bytes), state.leafSecret),
    };
  }

  #seal(state: StandInState, kind: number, content: Buffer, random: CryptoContext['random']): Buffer {
    const nonce = random(12);
    const key = keyedBlake2b(32, state.secret, utf8('seal'));
    return encodeCbor([kind, nonce, sealChaCha(encodeCbor([content, this.sign(content)]), nonce, nonce, key)]);
  }

  #open(state: StandInState, message: Uint8Array): Opened {
    const known = opened.get(message);
    const open = known?.secret.equals(state.secret) ? known : this.#openAnew(state, message);
    opened.set(message, open);
    if (!state.leaves.has(open.sender)) throw new AuthError('not-authentic', 'stand-in.open', 'Not a member.');
    return open;
  }

  #openAnew(state: StandInState, message: Uint8Array): Opened {
    const outer = shape.tuple(decodeCbor(message, MAX, 'stand-in'), 3);
    const kind = shape.uint(outer[0], 2);
    let inner: Fields = outer.slice(1);
    if (kind !== 1) {
      const nonce = Buffer.from(shape.bytes(outer[1], 12));
      const key = keyedBlake2b(32, state.secret, utf8('seal'));
      const plain = openChaCha(shape.bytesUpTo(outer[2], MAX), nonce, nonce, key);
      if (!plain) throw new AuthError('not-authentic', 'stand-in.open', 'Not sealed in this epoch.');
      inner = shape.tuple(decodeCbor(plain, MAX, 'stand-in'), 2);
    }
    const bytes = Buffer.from(shape.bytesUpTo(inner[0], MAX));
    const fields = decodeCbor(bytes, MAX, 'stand-in') as Fields;
    const identity = shape.bytes(fields[1], 16);
    if (fields[0] !== kind || !this.#registry.verify(identity, bytes, shape.bytes(inner[1], 64))) {
      throw new AuthError('not-authentic', 'stand-in.open', 'Signature.');
    }
    return {
      kind,
      content: { bytes, fields },
      sender: contactIdFromBytes(identity),
      secret: Buffer.from(state.secret),
    };
  }

  #welcome(state: StandInState, packages: readonly Leaf[], random: CryptoContext['random']): Buffer {
    const [nonce, secret] = [random(12), random(32)];
    const plain = encodeCbor([encodeInfo(state.view, state.leaves), state.secret]);
    const locks = packages.map(({ key }) => [key, this.#registry.lock(key, nonce, secret)]);
    return encodeCbor([nonce, locks, sealChaCha(plain, nonce, NO_NONCE, secret)]);
  }
}

interface Opened {
  readonly kind: number;
  readonly content: Content;
  readonly sender: ContactId;
  readonly secret: Buffer;
  /** What a commit leads to. */
  next?: Next;
}

interface Next {
  readonly unlocked: Buffer;
  readonly view: EpochView;
  readonly leaves: ReadonlyMap<ContactId, Leaf>;
  readonly secret: Buffer;
}

type CommitFields = [0, Buffer, Buffer, Buffer[], Buffer[], Buffer | null, Buffer, Buffer, Buffer];

/** In one process all members get the very same bytes: what opens them with one secret opens them for all who have it. */
const opened = new WeakMap<Uint8Array, Opened>();

interface Content {
  readonly bytes: Buffer;
  readonly fields: Fields;
}
