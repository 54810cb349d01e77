import { hex } from '../../base/bytes.ts';
import { CoreError, UsageError } from '../../base/errors.ts';
import { HLC_ZERO } from '../../base/hlc.ts';
import {
  type ContactId,
  type GroupId,
  groupConversationIdOf,
  groupIdFromBytes,
  ID_BYTES,
  type MessageId,
} from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { currentTags, dayOf, type MailboxKeys } from '../../crypto/mailbox-seal.ts';
import type { Change } from '../../groups/asks.ts';
import type { GroupCrypto } from '../../groups/group-crypto.ts';
import { createGroup, type GroupState, headEpoch, joinGroup } from '../../groups/group-state.ts';
import type { ConversationRecord, GroupRecord, OuterSecret, StoredMessage } from '../../storage/records.ts';
import { decodeGroupWelcome } from '../../wire/group-welcome.ts';
import type { Context } from '../context.ts';
import type { Verdict } from '../intake.ts';
import type { GroupDraft, Standing } from './draft.ts';
import {
  type Carried,
  GroupActor,
  type GroupOwner,
  type GroupTask,
  loadStanding,
  type WholeParcel,
} from './group-actor.ts';
import { GroupMail } from './group-mail.ts';
import { KeyPackages } from './key-packages.ts';
import { secretOf } from './outer.ts';
import { type Reach, reachOf } from './reach.ts';
import type { KeepEnvelope, Published, PublishListener } from './spreading.ts';
import { keepCards, step } from './tasks.ts';
import { claimedNick, type GroupView, viewOf } from './views.ts';
import { openedWith } from './welcomes.ts';

const SALT_BYTES = 32;

/** Whose group's envelopes bear a tag, and what opens them. */
export interface TagOwner {
  readonly group: GroupId;
  readonly keys: MailboxKeys;
}

/** All groups of the profile. What fails in one is of no concern to the others. */
export class Groups<State = unknown> {
  readonly #context: Context;
  readonly #crypto: GroupCrypto<State>;
  readonly #packages: KeyPackages<State>;
  readonly #mail: GroupMail;
  readonly #actors = new Map<GroupId, GroupActor<State>>();
  readonly #listeners = new Set<PublishListener>();
  readonly #keepers = new Set<KeepEnvelope>();
  readonly #owner: GroupOwner;
  #tags: { readonly day: number; readonly owners: ReadonlyMap<string, TagOwner> } | undefined;

  constructor(context: Context, crypto: GroupCrypto<State>, addable: () => boolean) {
    this.#context = context;
    this.#crypto = crypto;
    this.#packages = new KeyPackages(context, crypto, addable);
    this.#mail = new GroupMail(context, {
      known: group => this.#actors.has(group),
      take: (group, parcel) => this.#ask(group, { kind: 'parcel', parcel }),
      join: (group, parcel) => this.#join(group, parcel),
    });
    this.#owner = {
      keep: (tx, kept) => {
        for (const keep of this.#keepers) keep(tx, kept);
      },
      published: published => this.#published(published),
      secretsChanged: () => {
        this.#tags = undefined;
      },
    };
  }

  /** Reads every group, and does what fell due or came while the program was not running. */
  start(): void {
    const { store } = this.#context;
    for (const record of store.groups.list()) {
      const standing = this.#load(record);
      if (standing) this.#actors.set(record.id, new GroupActor(this.#context, this.#crypto, this.#owner, standing));
    }
    // A backlog that was cut off is over: what else there is comes with the next.
    for (const group of this.#actors.keys()) this.#do(group, { kind: 'input', input: { kind: 'caught-up' } });
    for (const group of this.#actors.keys()) this.#do(group, { kind: 'input', input: { kind: 'due' } });
    for (const { group } of store.groupInbox.list()) this.mail(group);
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
    for (const { group } of store.groupInbox.list()) this.mail(group);
  }

  contactChanged(id: ContactId): void {
    this.#packages.contactChanged(id);
  }

  contactRemoved(id: ContactId): void {
    this.#packages.contactRemoved(id);
  }

  /** @throws UsageError one of them cannot be added, and nothing was made; or too many groups */
  async create(name: string, members: readonly ContactId[]): Promise<GroupId> {
    const { random, clock, account } = this.#context;
    this.#requireRoom();
    for (const member of members) this.#requireAddable(member);
    const bytes = random(ID_BYTES);
    const state = await createGroup(this.#crypto, bytes, name, { nowMs: clock(), random });
    const group = groupIdFromBytes(bytes);
    await this.#begin(group, state, async draft => {
      await draft.seeEpochs([]);
      draft.tell({ kind: 'made', by: account.id, name });
      await step(draft, { kind: 'due' });
    });
    for (const member of members) await this.add(group, member);
    return group;
  }

  list(): GroupView[] {
    return [...this.#actors.values()].map(({ record, state }) => viewOf(record, state, this.#crypto.self));
  }

  /** @throws UsageError `not-found` */
  get(group: GroupId): GroupView {
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
    const { record, state } = this.#required(group);
    return message?.outgoing ? reachOf(record, headEpoch(state).members, message) : undefined;
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
      return 'stored';
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
    const day = dayOf(this.#context.clock());
    if (this.#tags?.day !== day) this.#tags = { day, owners: this.#tagsInUse() };
    return this.#tags.owners.get(hex(tag));
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

  /** One that cannot be read does not keep the others from starting; another welcome lets this member in anew. */
  #load(record: GroupRecord): Standing<State> | undefined {
    try {
      return loadStanding(this.#context.store, this.#crypto, record);
    } catch (error) {
      if (error instanceof CoreError && error.code === 'bad-bytes') return undefined;
      throw error;
    }
  }

  async #join(group: GroupId, { bytes, from, taken }: WholeParcel): Promise<void> {
    const { store, clock, random } = this.#context;
    const { welcome, secrets, cards } = decodeGroupWelcome(bytes);
    this.#requireRoom();
    const context = { nowMs: clock(), random };
    const opened = await openedWith(store, from as ContactId, secret =>
      joinGroup(this.#crypto, welcome, secret, context),
    );
    const joined = opened?.joined;
    if (!joined || groupIdFromBytes(joined.groupId) !== group) return store.write(taken);
    await this.#begin(group, joined, async draft => {
      await draft.seeEpochs(secrets);
      keepCards(draft, cards);
      draft.put(taken);
      if (opened.used.contact !== null) draft.put(tx => store.keyPackages.remove(tx, opened.used.id));
      draft.tell({ kind: 'added', by: from, member: this.#crypto.self });
      await step(draft, { kind: 'due' });
    });
    this.#do(group, { kind: 'card' });
    // The key package that was used is replaced.
    await this.#packages.sweep();
  }

  async #begin(
    id: GroupId,
    state: GroupState<State>,
    first: (draft: GroupDraft<State>) => Promise<void>,
  ): Promise<void> {
    const { clock, random } = this.#context;
    const record: GroupRecord = {
      id,
      conversation: groupConversationIdOf(id),
      phase: 'member',
      createdAtMs: clock(),
      endedAtMs: null,
      adding: [],
      cardSerial: 0,
      cardAtMs: 0,
      outer: [],
      heard: new Map(),
      state: new Uint8Array(),
    };
    const conversation: ConversationRecord = {
      id: record.conversation,
      contact: null,
      group: id,
      salt: random(SALT_BYTES),
      createdAtMs: record.createdAtMs,
      readUpTo: null,
      unread: 0,
      lateUnread: [],
    };
    const standing = { record, conversation, time: HLC_ZERO, state: null, owed: new Map(), missing: new Map() };
    const actor = new GroupActor(this.#context, this.#crypto, this.#owner, standing);
    await actor.begin(state, draft => {
      draft.event({ type: 'group-changed', group: id });
      // Known by the time anything about it is told.
      draft.after(() => void this.#actors.set(id, actor));
      return first(draft);
    });
  }

  #requireRoom(): void {
    if (this.#actors.size < LIMITS.groups) return;
    throw new UsageError('limit-reached', 'groups', 'There are too many groups.');
  }

  #requireAddable(member: ContactId): void {
    if (this.#context.store.peerKeyPackages.get(member)) return;
    const message = 'A contact cannot be added yet: its Molva has to be met once first.';
    throw new UsageError('refused', 'groups.add', message);
  }

  #required(group: GroupId): GroupActor<State> {
    const actor = this.#actors.get(group);
    if (!actor) throw new UsageError('not-found', 'groups', 'There is no such group.');
    return actor;
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

  #tagsInUse(): ReadonlyMap<string, TagOwner> {
    const nowMs = this.#context.clock();
    const owners = new Map<string, TagOwner>();
    for (const [group, actor] of this.#actors) {
      for (const outer of actor.record.outer) {
        const keys = actor.keysOf(outer);
        for (const tag of currentTags(keys, nowMs)) owners.set(hex(tag), { group, keys });
      }
    }
    return owners;
  }
}
