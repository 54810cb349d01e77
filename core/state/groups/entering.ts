import { within } from '../../base/clock.ts';
import { AuthError, UsageError } from '../../base/errors.ts';
import { type ContactId, type GroupId, groupIdFromBytes, ID_BYTES } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { type SuiteKind, suiteForGroup } from '../../crypto/mls/suite.ts';
import { createGroup, type GroupState, joinGroup } from '../../groups/group-state.ts';
import { rejoinGroup } from '../../groups/joining.ts';
import type { GroupRecord } from '../../storage/records.ts';
import { decodeGroupInfo, decodeGroupWelcome } from '../../wire/group-welcome.ts';
import type { Context } from '../context.ts';
import { add, requireUsable } from './changes.ts';
import { addsAnew } from './deleting.ts';
import type { GroupDraft } from './draft.ts';
import { GroupActor, type GroupOwner, type WholeParcel } from './group-actor.ts';
import type { Suites } from './key-packages.ts';
import type { LostGroups } from './lost-groups.ts';
import { keepCards } from './member-cards.ts';
import { lastActOf } from './returning.ts';
import { newStanding, type Standing } from './standing.ts';
import { step, takeOutputs } from './taking.ts';
import { openedWith } from './welcomes.ts';

export interface EntryParts<State> {
  readonly owner: GroupOwner;
  readonly lost: LostGroups;
  /** Of all groups that can be read. */
  readonly records: () => readonly GroupRecord[];
  /** Told once the group is durable, and before anything about it is. */
  readonly entered: (group: GroupId, actor: GroupActor<State>) => void;
}

/** The ways in which this profile comes to have a group: it makes it, is let in, or comes back. */
export class GroupEntries<State> {
  readonly #context: Context;
  readonly #suites: Suites<State>;
  readonly #parts: EntryParts<State>;

  constructor(context: Context, suites: Suites<State>, parts: EntryParts<State>) {
    this.#context = context;
    this.#suites = suites;
    this.#parts = parts;
  }

  /** For all that does not depend on the suite: groups have their own. */
  get #crypto() {
    return this.#suites.hybrid;
  }

  /** @throws UsageError one of them cannot be added, and nothing was made; or too many groups */
  async create(name: string, members: readonly ContactId[], suite?: SuiteKind): Promise<GroupId> {
    const { random, clock, account } = this.#context;
    this.requireRoom(null);
    const crypto = this.#suites[suite ?? suiteForGroup(members.length + 1)];
    const bytes = random(ID_BYTES);
    const state = await createGroup(crypto, bytes, name, { nowMs: clock(), random });
    const group = groupIdFromBytes(bytes);
    for (const member of members) requireUsable(this.#context, crypto, state, member);
    await this.#begin(newStanding(this.#context, group), state, async draft => {
      await draft.seeEpochs([]);
      draft.timeline.tell({ kind: 'made', by: account.id, name });
      await step(draft, { kind: 'due' });
      // With the group itself: there is none that somebody is missing in.
      for (const member of members) await add(draft, member);
    });
    return group;
  }

  /**
   * A group that is new here, by a welcome.
   * @throws DecodeError it cannot be read
   */
  async join(group: GroupId, { bytes, from, taken }: WholeParcel): Promise<void> {
    const { store, clock, random } = this.#context;
    const { welcome, secrets, cards, asks } = decodeGroupWelcome(bytes);
    this.requireRoom(from);
    const context = { nowMs: clock(), random };
    const opened = await openedWith(store, from as ContactId, secret => {
      this.#requireAnew(group, asks, secret);
      return joinGroup(this.#crypto, welcome, secret, context);
    });
    const joined = opened?.joined;
    if (!joined || groupIdFromBytes(joined.groupId) !== group) return store.write(taken);
    const standing = newStanding<State>(this.#context, group, this.#parts.lost.recordOf(group));
    await this.#begin(standing, joined, async draft => {
      await draft.seeEpochs(secrets);
      keepCards(draft, cards);
      draft.put(taken);
      draft.put(tx => store.deletedGroups.remove(tx, group));
      draft.changeRecord({ addedBy: draft.record.addedBy ?? from });
      if (opened.used.contact !== null) draft.put(tx => store.keyPackages.remove(tx, opened.used.id));
      draft.timeline.tell({ kind: 'added', by: from, member: this.#crypto.self });
      await step(draft, { kind: 'due' });
    });
  }

  /**
   * A group that this profile is a member of and has no state of: it comes back by a commit of its own.
   * @throws DecodeError, AuthError the group info is not right
   */
  async comeBack(group: GroupId, { bytes, from, taken }: WholeParcel): Promise<void> {
    const { store, clock, random } = this.#context;
    if (!this.#parts.lost.expects(group, from as ContactId)) return store.write(taken);
    this.requireRoom(from);
    const { info, secrets, lastAct } = decodeGroupInfo(bytes);
    if (groupIdFromBytes(this.#crypto.viewOfInfo(info).groupId) !== group) return store.write(taken);
    const { state, outputs } = await rejoinGroup(this.#crypto, info, lastActOf(lastAct), { nowMs: clock(), random });
    const standing = newStanding<State>(this.#context, group, this.#parts.lost.recordOf(group));
    await this.#begin(standing, state, async draft => {
      await draft.seeEpochs(secrets);
      draft.put(taken);
      draft.changeRecord({ addedBy: draft.record.addedBy ?? from });
      draft.timeline.tell({ kind: 'returned', by: null, member: this.#crypto.self });
      await takeOutputs(draft, null, outputs);
      await step(draft, { kind: 'due' });
    });
  }

  async #begin(
    standing: Standing<State>,
    state: GroupState<State>,
    first: (draft: GroupDraft<State>) => Promise<void>,
  ): Promise<void> {
    const { id } = standing.record;
    const actor = new GroupActor(this.#context, this.#crypto, this.#parts.owner, standing);
    await actor.begin(state, draft => {
      draft.event({ type: 'group-changed', group: id });
      // Known by the time anything about it is told.
      draft.after(() => {
        this.#parts.entered(id, actor);
        this.#parts.lost.found(id);
      });
      return first(draft);
    });
  }

  /**
   * One contact must not take up all the room there is. Groups that ended take up none, but for a while that of who let
   * this profile in: their keys are still here.
   * @param by who lets this profile in; null: nobody
   * @param into one that ended, and is entered once more: it takes the room it had
   * @throws UsageError `limit-reached`
   */
  requireRoom(by: ContactId | null, into?: GroupId): void {
    const nowMs = this.#context.clock();
    const records = this.#parts.records().filter(({ id }) => id !== into);
    const kept = ({ endedAtMs }: GroupRecord) => endedAtMs === null || within(endedAtMs, LIMITS.groupHorizonMs, nowMs);
    const byOne = records.filter(record => by !== null && record.addedBy === by && kept(record));
    const current = records.filter(({ endedAtMs }) => endedAtMs === null);
    if (current.length < LIMITS.groups && byOne.length < LIMITS.groupsByOne) return;
    throw new UsageError('limit-reached', 'groups', 'There are too many groups.');
  }

  /** @throws AuthError the group was deleted here, and this is what it was entered by before */
  #requireAnew(group: GroupId, asks: Uint8Array, secret: Uint8Array): void {
    const deleted = this.#context.store.deletedGroups.get(group);
    if (!deleted || addsAnew(deleted, asks, this.#crypto.packageOf(secret))) return;
    throw new AuthError('not-authentic', 'group.welcome', 'This group was deleted.');
  }
}
