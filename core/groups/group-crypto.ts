import type { RandomSource } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';

/** An epoch, in hex, named by what its confirmed transcript hash (RFC 9420 §8.2) says: never by its number, which two branches share. */
export type EpochId = string & { readonly __brand: 'EpochId' };

export interface CryptoContext {
  readonly nowMs: number;
  readonly random: RandomSource;
}

/** What an epoch's state says in the open of this member. */
export interface EpochView {
  readonly groupId: Uint8Array;
  readonly epoch: EpochId;
  /** Whose commit made it, as all who are in it can tell however they came there; null for a group's first. */
  readonly maker: ContactId | null;
  /** The epoch's number (RFC 9420 §8.1): how many commits lie between it and the group's beginning. */
  readonly number: number;
  readonly members: readonly ContactId[];
  /** The group data extension of the group context (docs/protocol/group.md §3). */
  readonly data: Uint8Array;
}

export interface CommitContent {
  readonly adds: readonly Uint8Array[];
  readonly removes: readonly ContactId[];
  /** The group data of the new epoch; null leaves it as it is. */
  readonly data: Uint8Array | null;
  readonly authenticatedData: Uint8Array;
}

export interface Committed<State> {
  readonly message: Uint8Array;
  /** One welcome for all that were added; null when nobody was. */
  readonly welcome: Uint8Array | null;
  /** Takes the place of the state that was committed on, of which a key is used up. */
  readonly parent: State;
  readonly state: State;
}

/** A state at rest, in parts that change at their own pace. */
export interface StateParts {
  /** Never changes in an epoch. Secret. */
  readonly fixed: Uint8Array;
  /** Changes with each message. Secret. */
  readonly moving: Uint8Array;
  /** Never changes in an epoch, is nearly the same in the next, and is known to all members. */
  readonly tree: Uint8Array;
}

export type Processed<State> =
  | {
      readonly kind: 'application';
      readonly sender: ContactId;
      readonly authenticatedData: Uint8Array;
      readonly plaintext: Uint8Array;
      readonly state: State;
    }
  | {
      readonly kind: 'commit';
      readonly sender: ContactId;
      /** An external commit (RFC 9420 §12.4.3.2): the sender takes the place of its own old leaf. */
      readonly external: boolean;
      readonly authenticatedData: Uint8Array;
      /** The key packages of those it adds, by name (`packageName`). */
      readonly added: readonly string[];
      readonly removed: readonly ContactId[];
      readonly epoch: EpochId;
      /** null when this member is among the removed. */
      readonly state: State | null;
    };

/**
 * MLS as groups need it. A state is one epoch of one group on one member, and immutable: every operation leaves the
 * state it is given as usable as before, so that two commits on one epoch can both be processed from it, and a step that
 * fails, or is not stored, has used up nothing. `retire` ends that for a state that was replaced. Members are named by
 * the contact id of the identity key in their leaf. Every message is a PrivateMessage, but for external commits.
 *
 * Whatever comes from outside throws DecodeError or AuthError when it is not right, and changes nothing.
 */
export interface GroupCrypto<State> {
  readonly self: ContactId;
  /** @param lastResort offered where no other is left, and used more than once */
  keyPackage(context: CryptoContext, lastResort?: boolean): Promise<{ keyPackage: Uint8Array; secret: Uint8Array }>;
  /**
   * Whose key package it is; its signature is checked, and that it is of the kind that a group needs when one is given. Its lifetime is checked when a time is given: only who makes a commit
   * asks the clock (as for `process`, which never does), else members with other clocks would judge a commit otherwise.
   */
  ownerOf(keyPackage: Uint8Array, nowMs: number | null, group?: State): ContactId;
  /** Names a key package as a welcome names those it is for (RFC 9420 §5.2). */
  packageName(keyPackage: Uint8Array): string;
  /** The key package that a secret was kept for. */
  packageOf(secret: Uint8Array): Uint8Array;
  create(groupId: Uint8Array, data: Uint8Array, context: CryptoContext): Promise<State>;
  join(welcome: Uint8Array, secret: Uint8Array, context: CryptoContext): Promise<State>;
  /** Signed by this member; enough for a member to come back by an external commit, and for nobody to read anything. */
  groupInfo(state: State, context: CryptoContext): Promise<Uint8Array>;
  viewOfInfo(groupInfo: Uint8Array): EpochView;
  /** Only someone who is a member in that epoch can come back this way; what was sealed before stays closed to it. */
  externalCommit(groupInfo: Uint8Array, context: CryptoContext): Promise<{ message: Uint8Array; state: State }>;
  /**
   * Proposals go by value, and there is always an update path: a commit of nothing renews the committer's keys.
   * @throws UsageError, AuthError MLS does not allow it
   */
  commit(state: State, content: CommitContent, context: CryptoContext): Promise<Committed<State>>;
  /** @throws AuthError also for a message read before, for one's own, for a sender who is no member, and for a commit without an update path */
  process(state: State, message: Uint8Array, context: CryptoContext): Promise<Processed<State>>;
  encrypt(
    state: State,
    plaintext: Uint8Array,
    authenticatedData: Uint8Array,
    context: CryptoContext,
  ): Promise<{ message: Uint8Array; state: State }>;
  /** RFC 9420 §8.5. */
  exporter(state: State, label: string, length: number): Promise<Uint8Array>;
  view(state: State): EpochView;
  /** With the identity key of this member, under a label of the caller. */
  sign(bytes: Uint8Array): Uint8Array;
  /** With the identity key that `member` has in this epoch; false when it is not a member. */
  verify(state: State, member: ContactId, bytes: Uint8Array, signature: Uint8Array): boolean;
  /** @param base an epoch that will be at hand when it is read: the tree is written as what differs from its tree */
  serialize(state: State, base?: State): StateParts;
  /** `moving` alone, for an epoch whose other parts are stored. */
  serializeMoving(state: State): Uint8Array;
  /** @throws DecodeError not parts of one state, or another base than it was written with */
  deserialize(parts: StateParts, base?: State): State;
  /** Another state of the same epoch has taken its place, and is stored: what this one held beyond that goes. */
  retire(state: State): void;
  /** The epoch is never used again: its secrets go. */
  wipe(state: State): void;
}
