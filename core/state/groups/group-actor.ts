import type { Cancel } from '../../base/clock.ts';
import { CoreError, DecodeError, UsageError } from '../../base/errors.ts';
import type { ContactId, EnvelopeId, MessageId } from '../../base/ids.ts';
import type { Change } from '../../groups/asks.ts';
import type { GroupCrypto } from '../../groups/group-crypto.ts';
import type { GroupInput, GroupState } from '../../groups/group-state.ts';
import type { GroupRecord, OuterSecret } from '../../storage/records.ts';
import type { WriteTx } from '../../storage/store.ts';
import type { ParcelKind } from '../../wire/group-parcel.ts';
import { Actor, type Entry } from '../actor.ts';
import type { Context } from '../context.ts';
import { GroupDraft } from './draft.ts';
import { OuterKeys } from './outer.ts';
import { noteMembers } from './reach.ts';
import type { KeepEnvelope, Published } from './spreading.ts';
import type { Standing } from './standing.ts';
import { takeTask } from './tasks.ts';

export type GroupTask =
  | { readonly kind: 'input'; readonly input: GroupInput }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'add'; readonly contact: ContactId }
  | { readonly kind: 'send'; readonly text: string }
  | { readonly kind: 'read'; readonly upTo: MessageId | undefined }
  | { readonly kind: 'sent'; readonly ids: readonly MessageId[] }
  | { readonly kind: 'part'; readonly body: Uint8Array; readonly carried: Carried }
  | { readonly kind: 'parcel'; readonly parcel: WholeParcel }
  | { readonly kind: 'card' | 'sweep' };

/** The envelope that something came in. */
export interface Carried {
  readonly envelope: Uint8Array;
  /** 32 */
  readonly envelopeId: EnvelopeId;
  readonly expiresAtMs: number;
}

/** A parcel with all its parts, and what is to be removed along with its being taken. */
export interface WholeParcel {
  readonly what: ParcelKind;
  readonly bytes: Uint8Array;
  readonly from: ContactId | null;
  /** The one envelope that it came in, where the group's own layer brought it. */
  readonly carried?: Carried;
  readonly taken: (tx: WriteTx) => void;
}

/** What a group's actor tells whoever holds it. */
export interface GroupOwner {
  readonly keep: KeepEnvelope;
  published(published: readonly Published[]): void;
  /** Its outer secrets, and with them its tags, are others. */
  secretsChanged(): void;
}

/**
 * The serial actor of one group: the only place where its state, its messages and its rows change. What gathers while one
 * batch becomes durable shares the next, and its one transaction.
 */
export class GroupActor<State> {
  readonly #context: Context;
  readonly #crypto: GroupCrypto<State>;
  readonly #owner: GroupOwner;
  readonly #keys = new OuterKeys();
  readonly #actor: Actor<GroupTask>;
  #standing: Standing<State>;
  #cancel: Cancel | undefined;
  #stopped = false;

  constructor(context: Context, crypto: GroupCrypto<State>, owner: GroupOwner, standing: Standing<State>) {
    this.#context = context;
    this.#crypto = crypto;
    this.#owner = owner;
    this.#standing = standing;
    this.#actor = new Actor(batch => this.#handle(batch));
  }

  get record(): GroupRecord {
    return this.#standing.record;
  }

  get state(): GroupState<State> {
    return this.#standing.state as GroupState<State>;
  }

  keysOf({ secret }: OuterSecret) {
    return this.#keys.of(secret);
  }

  ask<R>(task: GroupTask): Promise<R> {
    return this.#actor.ask<R>(task);
  }

  /** Makes a new group durable. @param first runs before it is written */
  async begin(state: GroupState<State>, first: (draft: GroupDraft<State>) => Promise<void>): Promise<void> {
    const draft = new GroupDraft(this.#context, this.#crypto, this.#keys, this.#standing, state);
    await first(draft);
    noteMembers(draft);
    await this.#commit(draft);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#actor.stop();
    for (const state of this.#standing.state?.states.values() ?? []) this.#crypto.wipe(state);
    this.#keys.wipe();
  }

  /** A task that makes its batch fail must not take the others along. */
  async #handle(batch: readonly Entry<GroupTask>[]): Promise<void> {
    try {
      await this.#turn(batch);
    } catch (error) {
      if (batch.length === 1) throw error;
      for (const entry of batch) await this.#turn([entry]).catch(cause => entry.fail(cause));
    }
  }

  async #turn(batch: readonly Entry<GroupTask>[]): Promise<void> {
    const draft = new GroupDraft(this.#context, this.#crypto, this.#keys, this.#standing);
    const answers: (() => void)[] = [];
    for (const entry of batch) answers.push(await attempt(draft, entry));
    await this.#commit(draft);
    for (const answer of answers) answer();
  }

  async #commit(draft: GroupDraft<State>): Promise<void> {
    const before = this.#standing.record.outer;
    this.#standing = await draft.commit(this.#owner.keep);
    if (this.#standing.record.outer !== before) this.#owner.secretsChanged();
    if (draft.wakeMs !== null) this.#wakeAt(draft.wakeMs);
    draft.announce();
    if (draft.published.length > 0) this.#owner.published(draft.published);
  }

  #wakeAt(atMs: number): void {
    this.#cancel?.();
    // Nothing falls due in a group that was left for good.
    if (this.#stopped || this.state.states.size === 0) return;
    const delayMs = Math.max(0, atMs - this.#context.clock());
    // A turn that fails, for want of disk say, is made up for by the sweep.
    this.#cancel = this.#context.scheduler(delayMs, () => {
      this.ask({ kind: 'input', input: { kind: 'due' } }).catch(() => undefined);
    });
  }
}

/** Runs one task; its answer is given later, when all is durable. */
async function attempt<State>(draft: GroupDraft<State>, entry: Entry<GroupTask>): Promise<() => void> {
  try {
    const value = await takeTask(draft, entry.step);
    return () => entry.settle(value);
  } catch (error) {
    // It asked for what cannot be, before it changed anything; any other error leaves the batch in doubt.
    if (!(error instanceof UsageError) && !(error instanceof DecodeError) && !isNotAuthentic(error)) throw error;
    return () => entry.fail(error);
  }
}

function isNotAuthentic(error: unknown): boolean {
  return error instanceof CoreError && error.code === 'not-authentic';
}
