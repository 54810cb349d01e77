import { asBuffer, wipe } from '../base/bytes.ts';
import { HOUR_MS } from '../base/clock.ts';
import { UsageError } from '../base/errors.ts';
import type { ContactId } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import type { ActBody, Post } from './act-codec.ts';
import { readRoot } from './admission.ts';
import type { Ask, Change } from './asks.ts';
import type { ActId } from './chains.ts';
import type { CryptoContext, EpochId, GroupCrypto } from './group-crypto.ts';
import { encodeGroupData, type GroupData } from './group-data.ts';
import type { Hole } from './holes.ts';
import type { Lineage } from './lineage.ts';
import { EMPTY_TREE, type Epoch, withEpoch } from './tree.ts';
import { type Origin, Waiting } from './waiting.ts';

/** One group on one member. Everything needed to go on after a sudden end; `State` is the port's. */
export interface GroupState<State> {
  readonly groupId: Uint8Array;
  readonly lineage: Lineage;
  /** Epochs that can be read; also those of branches that lost, until the horizon. */
  readonly states: ReadonlyMap<EpochId, State>;
  readonly learntMs: ReadonlyMap<EpochId, number>;
  /** Where the way to the head begins: the epochs of this member's latest joining that are to be weighed. */
  readonly roots: readonly EpochId[];
  readonly head: EpochId;
  readonly waiting: Waiting;
  /** Asks by name: those that a commit on the head could honour are found anew each time. */
  readonly asks: ReadonlyMap<string, Ask>;
  /** While a backlog is replayed nothing is judged and nothing is said. */
  readonly catchingUp: boolean;
  /** Below which epoch on the way to the head something happened that may move it; 'root' for all of the way. */
  readonly doubt: EpochId | 'root' | null;
  readonly queued: readonly (Uint8Array | Change)[];
  /** The last act another member knows of a profile that has lost its own record: the chain goes on from there. */
  readonly resumeFrom: LastAct | null;
  /**
   * Of a profile that was put back from a copy: keys in its states may have been used since. It says nothing before it has come
   * back by a commit of its own, and then only in that epoch and below. Null: it may speak anywhere.
   */
  readonly putBack: { readonly backIn: EpochId | null } | null;
  /** The last epoch this member made: where it is left behind, its keys are to be renewed once more. */
  readonly renewedIn: EpochId | null;
  readonly timers: Timers;
}

export interface LastAct {
  readonly seq: number;
  readonly id: ActId;
}

/** When to do what; null for what is not to be done. */
export interface Timers {
  readonly commitMs: number | null;
  readonly standMs: number | null;
  /** When this member last said where it stands only because another stood elsewhere. */
  readonly answeredMs: number;
  readonly renewMs: number;
  readonly sweepMs: number;
}

export type GroupInput =
  | { readonly kind: 'post'; readonly post: Post; readonly origin?: Origin }
  | { readonly kind: 'text'; readonly text: Uint8Array }
  | { readonly kind: 'change'; readonly change: Change }
  /** New keys for this member, now. */
  | { readonly kind: 'renew' }
  /** A backlog begins, and has been handed over whole. */
  | { readonly kind: 'catch-up' }
  | { readonly kind: 'caught-up' }
  | { readonly kind: 'due' }
  /** The states are of a copy that may have been used further since. */
  | { readonly kind: 'put-back' }
  /** `asks`: as they came with it. */
  | {
      readonly kind: 'welcome';
      readonly welcome: Uint8Array;
      readonly asks: Uint8Array;
      readonly secret: Uint8Array;
    }
  /** Other members' answer to `lost`, and the last act of this member that they know. */
  | {
      readonly kind: 'group-info';
      readonly groupInfo: Uint8Array;
      readonly lastAct?: LastAct | null;
      readonly votes?: Votes;
    };

/** Where those who were asked for the way stand, this member among them. */
export interface Votes {
  readonly there: number;
  readonly here: number;
  /** One of those there sees this member's head as well, and does not stand on it: it has judged of both. */
  readonly seen: boolean;
}

export type GroupOutput =
  /** `body`: what it says; null for a commit. */
  | { readonly kind: 'publish'; readonly post: Post; readonly body: ActBody | null }
  /** `asks`: those by which they are added (`encodeAsks`); the welcome counts only with them for whoever knows the group. */
  | {
      readonly kind: 'welcome';
      readonly to: readonly ContactId[];
      readonly welcome: Uint8Array;
      readonly asks: Uint8Array;
    }
  | {
      readonly kind: 'text';
      readonly sender: ContactId;
      readonly seq: number;
      readonly epoch: EpochId;
      readonly act: ActId;
      readonly text: Uint8Array;
      /** It came when its sender had long gone from the head's line. */
      readonly late: boolean;
    }
  /** `rolledBack`: how many epochs of the branch before were left; more than none means that a fork has healed. */
  | { readonly kind: 'head'; readonly from: EpochId | null; readonly to: EpochId; readonly rolledBack: number }
  | { readonly kind: 'removed' }
  /** A post that came with this `ref` had to make room: it is as if it had not come, and is to be had again. */
  | { readonly kind: 'dropped'; readonly ref: string }
  | { readonly kind: 'hole'; readonly member: ContactId; readonly holes: readonly Hole[] }
  | { readonly kind: 'equivocation'; readonly member: ContactId; readonly seq: number }
  /** Ask any member for a group info of its head, and hand it over as `group-info`. */
  | { readonly kind: 'lost' }
  /** Once the new state is stored: wipe and delete what the old one held of these. */
  | { readonly kind: 'forget'; readonly epochs: readonly EpochId[] }
  | { readonly kind: 'wake'; readonly atMs: number };

export interface GroupStep<State> {
  /** The very state that was given when nothing has changed. */
  readonly state: GroupState<State>;
  readonly outputs: readonly GroupOutput[];
  /**
   * The epochs whose states this step made or moved, each with its state before (null where there was none). They are stored
   * with the group; then what was before is retired.
   */
  readonly changed: ReadonlyMap<EpochId, State | null>;
}

export async function createGroup<State>(
  crypto: GroupCrypto<State>,
  groupId: Uint8Array,
  name: string,
  context: CryptoContext,
): Promise<GroupState<State>> {
  const data = encodeGroupData({ name, admins: [crypto.self], honoured: new Map() });
  return beginGroup(crypto, await crypto.create(groupId, data, context), null, context);
}

/** @throws DecodeError, AuthError the welcome is not right, or not for this key package */
export async function joinGroup<State>(
  crypto: GroupCrypto<State>,
  welcome: Uint8Array,
  secret: Uint8Array,
  context: CryptoContext,
): Promise<GroupState<State>> {
  return beginGroup(crypto, await crypto.join(welcome, secret, context), null, context);
}

/** The state of a profile that was put back from a copy: it says nothing before it has come back. */
export function silenced<State>(state: GroupState<State>, nowMs: number): GroupState<State> {
  const timers = { ...state.timers, sweepMs: nowMs, commitMs: null, standMs: null };
  return { ...state, putBack: { backIn: null }, timers };
}

/** What is known of a group in which this epoch is the first that is known. */
export async function beginGroup<State>(
  crypto: GroupCrypto<State>,
  state: State,
  resumeFrom: LastAct | null,
  context: CryptoContext,
): Promise<GroupState<State>> {
  const epoch = await rootOf(crypto, state);
  const { groupId } = crypto.view(state);
  return {
    groupId,
    lineage: { tree: withEpoch(EMPTY_TREE, epoch), chains: new Map(), stale: new Set() },
    states: new Map([[epoch.id, state]]),
    learntMs: new Map([[epoch.id, context.nowMs]]),
    roots: [epoch.id],
    head: epoch.id,
    waiting: Waiting.NONE,
    asks: new Map(),
    catchingUp: false,
    doubt: null,
    queued: [],
    resumeFrom,
    putBack: null,
    renewedIn: null,
    timers: {
      commitMs: null,
      standMs: context.nowMs + spread(LIMITS.groupMovedStandMs, context),
      answeredMs: 0,
      renewMs: context.nowMs + spread(LIMITS.groupUpdateMs, context),
      sweepMs: context.nowMs + HOUR_MS,
    },
  };
}

/** @throws DecodeError it is none to begin with; it is wiped then */
export async function rootOf<State>(crypto: GroupCrypto<State>, state: State): Promise<Epoch> {
  const view = crypto.view(state);
  const { epoch, number, members } = view;
  let data: GroupData;
  try {
    data = readRoot(view);
  } catch (cause) {
    crypto.wipe(state);
    throw cause;
  }
  return {
    id: epoch,
    parent: null,
    number,
    committer: null,
    returned: null,
    members,
    data,
    ranking: await rankingOf(crypto, state),
    judgements: [],
    asks: [],
  };
}

/** A whole number that is exact; for the most members it is still one export (RFC 9420 §8). */
const LOT_BYTES = 6;

/**
 * The order in which commits on an epoch go before each other, from its exporter: no committer can choose its place in
 * it. Whoever made the epoch could have chosen the epoch's secrets for it, and comes last.
 */
export async function rankingOf<State>(crypto: GroupCrypto<State>, state: State): Promise<readonly ContactId[]> {
  const { maker, members: all } = crypto.view(state);
  const members = [...all].sort();
  const drawn = asBuffer(await crypto.exporter(state, LABEL.groupRank, members.length * LOT_BYTES));
  const lots = members.map((member, place) => {
    const lot = drawn.readUIntBE(LOT_BYTES * place, LOT_BYTES);
    return { member, lot: member === maker ? Infinity : lot };
  });
  wipe(drawn);
  // Members are in order already: where two draw the same lot, the sort leaves them so.
  return lots.sort((a, b) => a.lot - b.lot).map(({ member }) => member);
}

/** Somewhere within a time, so that members do not act in step. */
export function spread(withinMs: number, { random }: Pick<CryptoContext, 'random'>): number {
  return Math.floor((random(4).readUInt32BE() / 2 ** 32) * withinMs);
}

export function headEpoch<State>(state: GroupState<State>): Epoch {
  const epoch = state.lineage.tree.epochs.get(state.head);
  if (!epoch) throw new UsageError('not-found', 'group.head', 'The group is not known.');
  return epoch;
}
