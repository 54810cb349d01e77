import { decodeGroupContext } from 'ts-mls/groupContext.js';
import type { KeySchedule } from 'ts-mls/keySchedule.js';
import { decodeProposal, encodeProposal } from 'ts-mls/proposal.js';
import { DecodeError } from '../../base/errors.ts';
import { overInputNow } from './failure.ts';
import { contextBytes, type GroupState, type PendingProposal, referenceText } from './group-state.ts';
import { SCHEDULE_NAMES } from './key-schedule.ts';
import type { LeafRatchets, MessageKey, Ratchet, SecretTree } from './secret-tree.ts';
import { suiteNamed } from './suite.ts';
import type { HashedTree } from './tree-hash.ts';
import { Reader, sized, uint32, written } from './wire.ts';

/**
 * A state at rest, in parts that change at their own pace (docs/decisions/0013): the tree with a commit (tree-store.ts),
 * the epoch's own secrets never, the ratchets with each message. All but the tree are secret, and for sealed rows.
 */
const VERSION = 1;
const NOTHING = new Uint8Array();

/** What stays as it is for as long as the epoch lasts. Wiped by the caller. */
export function encodeEpoch(state: GroupState): Buffer {
  const { context, keys, path, signatureSecret, confirmationTag } = state;
  return written([
    Uint8Array.of(VERSION),
    ...sized(contextBytes(context)),
    ...sized(...SCHEDULE_NAMES.flatMap(name => sized(keys[name]))),
    ...sized(signatureSecret),
    ...sized(confirmationTag),
    uint32(path.leafIndex),
    ...sized(...Object.entries(path.privateKeys).flatMap(([at, key]) => [uint32(Number(at)), ...sized(key)])),
  ]);
}

/** What messages change: the ratchets, and the proposals that wait. Wiped by the caller. */
export function encodeRatchets(state: GroupState): Buffer {
  const { secrets, ratchets, leafCount } = state.secretTree;
  return written([
    Uint8Array.of(VERSION),
    uint32(leafCount),
    ...sized(...[...secrets].flatMap(([at, secret]) => [uint32(at), ...sized(secret)])),
    ...sized(...[...ratchets].flatMap(([leaf, each]) => [uint32(leaf), ...leafParts(each)])),
    ...sized(...[...state.proposals].flatMap(pendingParts)),
  ]);
}

/** @throws DecodeError */
export function decodeState(epoch: Uint8Array, ratchets: Uint8Array, tree: HashedTree): GroupState {
  return overInputNow('mls.state', () => {
    const reader = begin(epoch);
    const context = whole(decodeGroupContext, reader.varBytes());
    const suite = suiteNamed(context.cipherSuite);
    if (suite === undefined) throw new DecodeError('mls.state');
    const keys = decodeSchedule(reader.varBytes());
    const [signatureSecret, confirmationTag] = [own(reader.varBytes()), own(reader.varBytes())];
    const leafIndex = reader.uint32();
    const privateKeys = Object.fromEntries(list(reader, part => [part.uint32(), own(part.varBytes())] as const));
    reader.end();
    const path = { leafIndex, privateKeys };
    const moving = decodeRatchets(ratchets);
    return { suite: suite.kind, context, tree, keys, path, signatureSecret, confirmationTag, ...moving };
  });
}

function decodeRatchets(bytes: Uint8Array): Pick<GroupState, 'secretTree' | 'proposals'> {
  const reader = begin(bytes);
  const secretTree: SecretTree = {
    leafCount: reader.uint32(),
    secrets: new Map(list(reader, part => [part.uint32(), own(part.varBytes())] as const)),
    ratchets: new Map(list(reader, part => [part.uint32(), decodeLeaf(part)] as const)),
  };
  const proposals = new Map(list(reader, decodePending));
  reader.end();
  return { secretTree, proposals };
}

function decodeSchedule(bytes: Uint8Array): KeySchedule {
  const reader = new Reader(bytes);
  const keys = SCHEDULE_NAMES.map(name => [name, own(reader.varBytes())] as const);
  reader.end();
  return Object.fromEntries(keys) as unknown as KeySchedule;
}

function leafParts({ handshake, application }: LeafRatchets): Uint8Array[] {
  return [...ratchetParts(handshake), ...ratchetParts(application)];
}

function decodeLeaf(reader: Reader): LeafRatchets {
  return { handshake: decodeRatchet(reader), application: decodeRatchet(reader) };
}

function ratchetParts({ secret, generation, skipped }: Ratchet): Uint8Array[] {
  const keys = [...skipped].flatMap(([at, { key, nonce }]) => [uint32(at), ...sized(key), ...sized(nonce)]);
  return [...sized(secret), uint32(generation), ...sized(...keys)];
}

function decodeRatchet(reader: Reader): Ratchet {
  const [secret, generation] = [own(reader.varBytes()), reader.uint32()];
  const readKey = (part: Reader): readonly [number, MessageKey] => {
    const at = part.uint32();
    return [at, { key: own(part.varBytes()), nonce: own(part.varBytes()) }];
  };
  return { secret, generation, skipped: new Map(list(reader, readKey)) };
}

function pendingParts([reference, { proposal, sender, leafSecret }]: readonly [string, PendingProposal]): Uint8Array[] {
  const [name, content] = [Buffer.from(reference, 'hex'), encodeProposal(proposal)];
  return [...sized(name), ...sized(content), uint32(sender), ...sized(leafSecret ?? NOTHING)];
}

function decodePending(reader: Reader): readonly [string, PendingProposal] {
  const reference = referenceText(reader.varBytes());
  const proposal = whole(decodeProposal, reader.varBytes());
  const [sender, secret] = [reader.uint32(), reader.varBytes()];
  return [reference, { proposal, sender, leafSecret: secret.length === 0 ? undefined : own(secret) }];
}

function begin(bytes: Uint8Array): Reader {
  const reader = new Reader(bytes);
  if (reader.uint8() !== VERSION) throw new DecodeError('mls.state-version');
  return reader;
}

function list<T>(reader: Reader, readOne: (part: Reader) => T): T[] {
  const part = new Reader(reader.varBytes());
  const all: T[] = [];
  while (part.left > 0) all.push(readOne(part));
  return all;
}

/** Secrets are wiped one by one: none may be a view of the row it came in. */
function own(bytes: Uint8Array): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The decoders of ts-mls may give views of what they read, so they read a copy that is theirs. */
function whole<T>(decode: (bytes: Uint8Array, offset: number) => [T, number] | undefined, bytes: Uint8Array): T {
  const decoded = decode(own(bytes), 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new DecodeError('mls.state');
  return decoded[0];
}
