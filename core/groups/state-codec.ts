import { hex } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { ACT_ID_BYTES } from './act-codec.ts';
import { askFromCbor, askName, askToCbor, type Change, changeFromCbor, changeToCbor } from './asks.ts';
import { decodeChain, encodeChain, readActId } from './chain-codec.ts';
import type { Act, ActId } from './chains.ts';
import { decodeEpochRecord, encodeEpochRecord, epochIdBytes, readEpochId } from './epoch-codec.ts';
import type { EpochId } from './group-crypto.ts';
import type { GroupState, LastAct, Timers } from './group-state.ts';
import type { Lineage } from './lineage.ts';
import { EMPTY_TREE, type Tree, withEpoch } from './tree.ts';
import { Waiting } from './waiting.ts';

/**
 * A group at rest: all of its state but the port's states, which are stored by epoch (`GroupCrypto.serialize`), and
 * what waits, which is stored one by one. It is
 * written with every step, so its parts are encoded once each. It names members, and is for a sealed row.
 */
const VERSION = 1;
const MOST = Number.MAX_SAFE_INTEGER;
const shape = new Shape('group-state.decode');

type Settled = Pick<
  GroupState<unknown>,
  'roots' | 'head' | 'catchingUp' | 'queued' | 'resumeFrom' | 'putBack' | 'renewedIn' | 'timers'
>;

/** @param acts whether members' acts are written along, or have rows of their own */
export function encodeGroup<State>(state: GroupState<State>, acts: 'all' | 'none' = 'all'): Buffer {
  const { groupId, lineage, learntMs } = state;
  const { epochs } = lineage.tree;
  return encodeCbor([
    VERSION,
    groupId,
    encodeSettled(state),
    [...epochs.values()].map(epoch => [
      encodeEpochRecord(epoch, epoch.parent === null ? undefined : epochs.get(epoch.parent)),
      learntMs.get(epoch.id) ?? 0,
    ]),
    [...lineage.chains].map(([member, chain]) => encodeChain(member, chain, acts)),
    Buffer.from([...lineage.stale].join(''), 'hex'),
    [...state.asks.values()].map(askToCbor),
  ]);
}

/**
 * @param states the port's, by epoch: those that were stored and not forgotten
 * @param waiting what was stored of that
 * @param acts that had rows of their own
 * @throws DecodeError not the documented form. Its length is not a stranger's to choose, and so is not limited here.
 */
export function decodeGroup<State>(
  bytes: Uint8Array,
  states: ReadonlyMap<EpochId, State>,
  waiting: Waiting = Waiting.NONE,
  acts: readonly Act[] = [],
): GroupState<State> {
  const fields = shape.tuple(decodeCbor(bytes, bytes.length, 'group-state.decode'), 7);
  shape.constant(fields[0], VERSION);
  const groupId = Buffer.from(shape.bytesUpTo(fields[1], LIMITS.sealedBytes));
  const settled = decodeSettled(fields[2]);
  const { tree, learntMs } = decodeTree(fields[3]);
  for (const id of [settled.head, ...settled.roots]) if (!tree.epochs.has(id)) shape.fail();
  const asks = shape.list(fields[6], MOST, askFromCbor);
  return {
    ...settled,
    groupId,
    states,
    learntMs,
    lineage: decodeLineage(tree, fields[4], fields[5], acts),
    waiting,
    // All of the way: what is in doubt shows anew.
    doubt: settled.catchingUp ? 'root' : null,
    asks: new Map(asks.map(ask => [askName(groupId, ask), ask])),
  };
}

function decodeTree(value: unknown): { tree: Tree; learntMs: Map<EpochId, number> } {
  let tree: Tree = EMPTY_TREE;
  const learntMs = new Map<EpochId, number>();
  for (const item of shape.list(value, MOST, row => shape.tuple(row, 2))) {
    const epoch = decodeEpochRecord(shape.bytesUpTo(item[0], MOST), id => tree.epochs.get(id));
    tree = withEpoch(tree, epoch);
    learntMs.set(epoch.id, shape.uint(item[1]));
  }
  return { tree, learntMs };
}

function decodeLineage(tree: Tree, chains: unknown, stale: unknown, apart: readonly Act[]): Lineage {
  const ids = Buffer.from(shape.bytesUpTo(stale, MOST));
  if (ids.length % ACT_ID_BYTES !== 0) shape.fail();
  const acts = Array.from({ length: ids.length / ACT_ID_BYTES }, (_, at) => {
    return hex(ids.subarray(at * ACT_ID_BYTES, (at + 1) * ACT_ID_BYTES)) as ActId;
  });
  const bySender = Map.groupBy(apart, ({ sender }) => sender);
  const list = shape.list(chains, MOST, chain => decodeChain(shape.bytesUpTo(chain, MOST), bySender));
  return { tree, chains: new Map(list), stale: new Set(acts) };
}

function encodeSettled(state: Settled): Cbor {
  const { roots, head, catchingUp, queued, resumeFrom, putBack, renewedIn, timers } = state;
  return [
    roots.map(epochIdBytes),
    epochIdBytes(head),
    catchingUp,
    queued.map((item): Cbor => (item instanceof Uint8Array ? [0, item] : [1, changeToCbor(item)])),
    resumeFrom === null ? null : [resumeFrom.seq, Buffer.from(resumeFrom.id, 'hex')],
    putBack && [putBack.backIn && epochIdBytes(putBack.backIn)],
    renewedIn === null ? null : epochIdBytes(renewedIn),
    [timers.commitMs, timers.standMs, timers.answeredMs, timers.renewMs, timers.sweepMs],
  ];
}

function decodeSettled(value: unknown): Settled {
  const [roots, head, catchingUp, queued, resumeFrom, putBack, renewedIn, timers] = shape.tuple(value, 8);
  return {
    roots: shape.list(roots, MOST, readEpochId),
    head: readEpochId(head),
    catchingUp: typeof catchingUp === 'boolean' ? catchingUp : shape.fail(),
    queued: shape.list(queued, MOST, decodeQueued),
    resumeFrom: resumeFrom === null ? null : decodeLastAct(resumeFrom),
    putBack: putBack === null ? null : decodePutBack(putBack),
    renewedIn: renewedIn === null ? null : readEpochId(renewedIn),
    timers: decodeTimers(timers),
  };
}

function decodeQueued(value: unknown): Uint8Array | Change {
  const [kind, item] = shape.tuple(value, 2);
  return shape.uint(kind, 1) === 0 ? Buffer.from(shape.bytesUpTo(item, LIMITS.sealedBytes)) : changeFromCbor(item);
}

function decodePutBack(value: unknown): Settled['putBack'] {
  const [backIn] = shape.tuple(value, 1);
  return { backIn: backIn === null ? null : readEpochId(backIn) };
}

function decodeLastAct(value: unknown): LastAct {
  const [seq, id] = shape.tuple(value, 2);
  return { seq: shape.uint(seq), id: readActId(id) };
}

function decodeTimers(value: unknown): Timers {
  const [commit, stand, answered, renew, sweep] = shape.tuple(value, 5);
  const orNull = (time: unknown): number | null => (time === null ? null : shape.uint(time));
  return {
    commitMs: orNull(commit),
    standMs: orNull(stand),
    answeredMs: shape.uint(answered),
    renewMs: shape.uint(renew),
    sweepMs: shape.uint(sweep),
  };
}
