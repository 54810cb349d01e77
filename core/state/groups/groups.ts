import { CoreError, TransientError, UsageError } from '../../base/errors.ts';
import type { ContactId, GroupId, MessageId } from '../../base/ids.ts';
import type { SuiteKind } from '../../crypto/mls/suite.ts';
import type { Change } from '../../groups/asks.ts';
import { headEpoch } from '../../groups/group-state.ts';
import type { GroupRecord, OuterSecret, StoredMessage } from '../../storage/records.ts';
import type { Context } from '../context.ts';
import type { Verdict } from '../intake.ts';
import { deleteGroup, requireEnded } from './deleting.ts';
import { GroupEntries } from './entering.ts';
import { type Carried, GroupActor, type GroupOwner, type GroupTask, type WholeParcel } from './group-actor.ts';
import { GroupMail } from './group-mail.ts';
import { GroupTags, type TagOwner } from './group-tags.ts';
import { KeyPackages, type Suites } from './key-packages.ts';
import { LostGroups } from './lost-groups.ts';
import { secretOf } from './outer.ts';
import { type Reach, reachOf } from './reach.ts';
import type { KeepEnvelope, Published, PublishListener } from './spreading.ts';
import { loadStanding, type Standing } from './standing.ts';
import { claimedNick, type GroupView, unreadableView, viewOf } from './views.ts';

/** All groups of the profile. What fails in one is of no concern to the others. */
export class Groups<State = unknown> {
  readonly #context: Context;
  readonly #suites: Suites<State>;
  readonly #packages: KeyPackages<State>;
  readonly #mail: GroupMail;
  readonly #actors = new Map<GroupId, GroupActor<State>>();
  readonly #listeners = new Set<PublishListener>();
  readonly #keepers = new Set<KeepEnvelope>();
  readonly #owner: GroupOwner;
  readonly #lost: LostGroups;
  readonly #entries: GroupEntries<State>;
  readonly #tags: GroupTags;

  constructor(context: Context, suites: Suites<State>, addable: () => boolean) {
    this.#context = context;
    this.#suites = suites;
    this.#packages = new KeyPackages(context, suites, addable);
    this.#lost = new LostGroups(context, group => this.#actors.has(group) || context.store.deletedGroups.has(group));
    this.#tags = new GroupTags(context.clock, () => this.#tagOwners());
    this.#mail = new GroupMail(context, {
      known: group => this.#actors.has(group),
      take: (group, parcel) => this.#take(group, parcel),
      enter: (group, parcel) => this.#enter(group, parcel),
    });
    this.#owner = {
      keep: (tx, kept) => {
        for (const keep of this.#keepers) keep(tx, kept);
      },
      published: published => this.#published(published),
      secretsChanged: () => {
        this.#tags.forget();
      },
    };
    this.#entries = new GroupEntries(context, suites, {
      owner: this.#owner,
      lost: this.#lost,
      records: () => [...this.#actors.values()].map(({ record }) => record),
      entered: (group, actor) => void this.#actors.set(group, actor),
    });
  }

  /** For all that does not depend on the suite: groups have their own. */
  get #crypto() {
    return this.#suites.hybrid;
  }

  /** Reads every group, and does what fell due or came while the program was not running. */
  start(): void {
    const { store } = this.#context;
    for (const record of store.groups.list()) this.#open(record);
    // A backlog that was cut off is over: what else there is comes with the next.
    for (const group of this.#actors.keys()) this.#do(group, { kind: 'input', input: { kind: 'caught-up' } });
    for (const group of this.#actors.keys()) this.#do(group, { kind: 'input', input: { kind: 'due' } });
    for (const { group } of store.groupInbox.list()) this.mail(group);
    // What fails is made up for by the sweep.
    this.#lost.look().catch(() => undefined);
  }

  /** The profile is a copy that was put back: no group says anything more with the keys of the copy. */
  async putBack(): Promise<void> {
    const silence: GroupTask = { kind: 'input', input: { kind: 'put-back' } };
    await Promise.all([...this.#actors.values()].map(actor => actor.ask(silence)));
  }

  async stop(): Promise<void> {
    await this.#mail.stop();
    await this.#packages.stop();
    await Promise.all([...this.#actors.values()].map(actor => actor.stop()));
  }

  /** Once a minute. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#context;
    await this.#packages.sweep();
    if (store.groupInbox.list().length > 0) await store.write(tx => store.groupInbox.sweep(tx, clock()));
    for (const group of this.#actors.keys()) this.#do(group, { kind: 'sweep' });
    await this.#lost.look();
    for (const { group } of store.groupInbox.list()) this.mail(group);
  }

  contactChanged(id: ContactId): void {
    this.#packages.contactChanged(id);
  }

  contactRemoved(id: ContactId): void {
    this.#packages.contactRemoved(id);
  }

  /**
   * @param suite of its cryptography, for good (docs/decisions/0012); not given: what suits so many members
   * @throws UsageError one of them cannot be added, and nothing was made; or too many groups
   */
  create(name: string, members: readonly ContactId[], suite?: SuiteKind): Promise<GroupId> {
    return this.#entries.create(name, members, suite);
  }

  list(): GroupView[] {
    const read = [...this.#actors.values()].map(({ record, state }) => viewOf(record, state, this.#crypto.self));
    return [...read, ...[...this.#lost.unreadable()].map(unreadableView)];
  }

  /** @throws UsageError `not-found` */
  get(group: GroupId): GroupView {
    const unreadable = this.#lost.recordOf(group);
    if (unreadable) return unreadableView(unreadable);
    const { record, state } = this.#required(group);
    return viewOf(record, state, this.#crypto.self);
  }

  /** The members of every group, oneself included: who its envelopes are for. */
  all(): GroupView[] {
    return this.list();
  }

  /** Those that this profile is a member of: whose envelopes are for it. */
  joined(): readonly GroupId[] {
    const isIn = ({ state }: GroupActor<State>) => headEpoch(state).members.includes(this.#crypto.self);
    return [...this.#actors].flatMap(([group, actor]) => (isIn(actor) ? [group] : []));
  }

  nickOf(group: GroupId, member: ContactId): string | undefined {
    if (member === this.#crypto.self) return this.#context.account.nick;
    return claimedNick(this.#context.store, group, member);
  }

  /** Asks for a change; a member that may commits it. @throws UsageError it may not be asked for */
  change(group: GroupId, change: Change): Promise<void> {
    return this.#ask(group, { kind: 'change', change });
  }

  /** @throws UsageError there is no key package of the contact, or it is no contact or a member already */
  add(group: GroupId, contact: ContactId): Promise<void> {
    return this.#ask(group, { kind: 'add', contact });
  }

  /** @throws UsageError the last admin has to make somebody else one first */
  leave(group: GroupId): Promise<void> {
    return this.change(group, { kind: 'leave' });
  }

  /**
   * Deletes a group that was left, that this member was removed from, or that cannot be read, with all that was said in it.
   * @throws UsageError one is in it; StorageError nothing of it is deleted
   */
  delete(group: GroupId): Promise<void> {
    return this.#mail.alone(() => this.#delete(group));
  }

  /** @returns the text as it is stored */
  send(group: GroupId, text: string): Promise<StoredMessage> {
    return this.#ask(group, { kind: 'send', text });
  }

  markRead(group: GroupId, upTo: MessageId | undefined): Promise<void> {
    return this.#ask(group, { kind: 'read', upTo });
  }

  /** How many of the other members are known to have an own text; undefined for what is none. */
  reachOf(group: GroupId, id: MessageId): Reach | undefined {
    const message = this.#context.store.messages.get(id);
    const actor = this.#actors.get(group);
    if (!actor || !message?.outgoing) return undefined;
    return reachOf(actor.record, message);
  }

  /** Another member's machine has these own texts. */
  markSent(group: GroupId, ids: readonly MessageId[]): Promise<void> {
    return this.#ask(group, { kind: 'sent', ids });
  }

  /**
   * Takes what was inside a group's envelope.
   * @returns once it is durable
   * @throws StorageError, TransientError: to be brought again later
   */
  async receivePost(group: GroupId, body: Uint8Array, carried: Carried): Promise<Verdict> {
    if (this.#context.store.seen.has(carried.envelopeId)) return 'stored';
    if (!this.#actors.has(group)) return 'refused';
    try {
      const waits = await this.#ask<boolean>(group, { kind: 'part', body, carried });
      if (waits) this.mail(group);
      if (this.#context.store.seen.has(carried.envelopeId)) return 'stored';
      throw new TransientError('busy', 'groups.post', 'Too much of this group waits for what came before it.');
    } catch (error) {
      if (error instanceof CoreError && error.code === 'bad-bytes') return 'refused';
      throw error;
    }
  }

  /** Something for the group has come into its inbox. */
  mail(group: GroupId): void {
    this.#mail.look(group);
  }

  /** That of the head first: it is the one to send under. */
  secretsOf(group: GroupId): readonly OuterSecret[] {
    const { record, state } = this.#required(group);
    const head = secretOf(record.outer, state.head);
    return [...record.outer].sort((a, b) => Number(b.secret === head) - Number(a.secret === head));
  }

  groupOfTag(tag: Uint8Array): TagOwner | undefined {
    return this.#tags.find(tag);
  }

  /** A backlog begins, and has been handed over: nothing in it is judged before all of it is there. */
  catchUp(group: GroupId): Promise<void> {
    return this.#ask(group, { kind: 'input', input: { kind: 'catch-up' } });
  }

  caughtUp(group: GroupId): Promise<void> {
    return this.#ask(group, { kind: 'input', input: { kind: 'caught-up' } });
  }

  /** @param listener called after the write with each sealed envelope that is to be spread */
  onPublish(listener: PublishListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @param keep called inside the write that makes an envelope durable */
  onKeep(keep: KeepEnvelope): () => void {
    this.#keepers.add(keep);
    return () => void this.#keepers.delete(keep);
  }

  /** One that cannot be read does not keep the others from starting: it is shown as such, and its members are asked for the way back. */
  #open(record: GroupRecord): void {
    const standing = this.#load(record);
    if (standing) this.#actors.set(record.id, new GroupActor(this.#context, this.#crypto, this.#owner, standing));
  }

  #load(record: GroupRecord): Standing<State> | undefined {
    try {
      return loadStanding(this.#context, this.#crypto, record);
    } catch (error) {
      if (!(error instanceof CoreError) || error.code !== 'bad-bytes') throw error;
      this.#lost.note(record);
      return undefined;
    }
  }

  /** Where it cannot be deleted, it stands as before. */
  async #delete(group: GroupId): Promise<void> {
    const actor = this.#actors.get(group);
    const record = actor?.record ?? this.#lost.recordOf(group);
    if (!record) throw notFound();
    if (actor) requireEnded(record);
    this.#actors.delete(group);
    this.#lost.found(group);
    // Its steps are done before its rows go, and what they hold is wiped.
    await actor?.stop();
    this.#tags.forget();
    try {
      await deleteGroup(this.#context, actor?.record ?? record, actor?.state ?? null);
    } catch (error) {
      this.#open(record);
      this.#do(group, { kind: 'input', input: { kind: 'due' } });
      throw error;
    }
    this.#context.bus.emit({ type: 'group-deleted', group });
  }

  /** Whoever comes into a group once more needs room as if it were new. */
  async #take(group: GroupId, parcel: WholeParcel): Promise<void> {
    const { record } = this.#required(group);
    if (parcel.what === 'welcome' && record.endedAtMs !== null)
      this.#entries.requireRoom(record.addedBy ?? parcel.from, group);
    await this.#ask(group, { kind: 'parcel', parcel });
  }

  async #enter(group: GroupId, parcel: WholeParcel): Promise<void> {
    await (parcel.what === 'welcome' ? this.#entries.join(group, parcel) : this.#entries.comeBack(group, parcel));
    if (!this.#actors.has(group)) return;
    this.#do(group, { kind: 'card' });
    // The key package that was used is replaced.
    await this.#packages.sweep();
  }

  #required(group: GroupId): GroupActor<State> {
    const actor = this.#actors.get(group);
    if (actor) return actor;
    if (!this.#lost.recordOf(group)) throw notFound();
    throw new UsageError(
      'refused',
      'groups',
      'This group cannot be read here; Molva asks its members for the way back.',
    );
  }

  async #ask<R>(group: GroupId, task: GroupTask): Promise<R> {
    return this.#required(group).ask<R>(task);
  }

  /** What fails is made up for by the next sweep or start. */
  #do(group: GroupId, task: GroupTask): void {
    this.#ask(group, task).catch(() => undefined);
  }

  #published(published: readonly Published[]): void {
    for (const { group, envelope } of published) for (const listener of this.#listeners) listener(group, envelope);
  }

  *#tagOwners(): Iterable<TagOwner> {
    for (const [group, actor] of this.#actors) {
      for (const outer of actor.record.outer) yield { group, keys: actor.keysOf(outer) };
    }
  }
}

function notFound(): UsageError {
  return new UsageError('not-found', 'groups', 'There is no such group.');
}
