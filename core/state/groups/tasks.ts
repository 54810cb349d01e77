import { CoreError, TransientError, UsageError } from '../../base/errors.ts';
import { type ContactId, groupMessageIdOf } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { decodePost } from '../../groups/act-codec.ts';
import type { Change } from '../../groups/asks.ts';
import type { GroupInput } from '../../groups/group-state.ts';
import type { StoredMessage } from '../../storage/records.ts';
import { decodeCard } from '../../wire/card.ts';
import { encodeContent } from '../../wire/content.ts';
import { decodeParcel } from '../../wire/group-parcel.ts';
import { decodeForward, decodeGroupInfo, decodeGroupWelcome, encodeGroupInfo } from '../../wire/group-welcome.ts';
import { readTo } from '../reading.ts';
import type { GroupDraft } from './draft.ts';
import type { GroupTask, WholeParcel } from './group-actor.ts';
import { isOwnLink } from './invites.ts';
import { haveContent } from './reach.ts';
import { keepCard, takeOutputs, tellOfMissing } from './taking.ts';
import { openedWith, secretsFrom } from './welcomes.ts';

/** @returns what whoever asked is told */
export async function takeTask<State>(draft: GroupDraft<State>, task: GroupTask): Promise<unknown> {
  switch (task.kind) {
    case 'input':
      return step(draft, task.input);
    case 'change':
      return change(draft, task.change);
    case 'add':
      return add(draft, task.contact);
    case 'send':
      return send(draft, task.text);
    case 'read':
      return read(draft, task);
    case 'sent':
      return markSent(draft, task);
    case 'part':
      return takePart(draft, task);
    case 'parcel':
      return takeParcel(draft, task.parcel);
    case 'card':
      return sayCard(draft);
    case 'sweep':
      return sweep(draft);
  }
}

export async function step<State>(
  draft: GroupDraft<State>,
  input: GroupInput,
  given: readonly Uint8Array[] = [],
): Promise<void> {
  const from = draft.head;
  takeOutputs(draft, from, await draft.step(input, given));
}

/** @throws UsageError it may not be asked for, or is so already */
async function change<State>(draft: GroupDraft<State>, wanted: Change): Promise<void> {
  requireMember(draft);
  const { data, members } = draft.head;
  const self = draft.crypto.self;
  if (wanted.kind === 'leave') return leave(draft);
  if (!data.admins.includes(self)) throw refused('Only an admin of the group can do that.');
  if ('member' in wanted && !members.includes(wanted.member)) throw refused('This person is not in the group.');
  if (wanted.kind === 'demote' && data.admins.length === 1) {
    throw refused('A group needs an admin: make somebody else one first.');
  }
  await step(draft, { kind: 'change', change: wanted });
}

async function leave<State>(draft: GroupDraft<State>): Promise<void> {
  const { data, members } = draft.head;
  const lastAdmin = data.admins.length === 1 && data.admins[0] === draft.crypto.self;
  if (lastAdmin && members.length > 1) throw refused('Make somebody else an admin before you leave.');
  draft.event({ type: 'group-changed', group: draft.record.id });
  // Nobody is left who could be told.
  if (members.length === 1) return draft.changeRecord({ phase: 'left', endedAtMs: draft.nowMs });
  draft.changeRecord({ phase: 'leaving' });
  await step(draft, { kind: 'change', change: { kind: 'leave' } });
}

async function add<State>(draft: GroupDraft<State>, contact: ContactId): Promise<void> {
  const { store } = draft.context;
  const packages = store.peerKeyPackages.get(contact);
  if (draft.head.members.includes(contact)) throw refused('This person is in the group already.');
  if (draft.head.members.length >= LIMITS.groupMembers) throw full();
  const usable = [packages?.oneTime, packages?.lastResort].find(
    keyPackage => keyPackage && isOwned(draft, contact, keyPackage),
  );
  if (!packages || !usable) throw refused('This contact cannot be added yet: its Molva has to be met once first.');
  await change(draft, { kind: 'add', keyPackage: usable });
  draft.changeRecord({ adding: [...draft.record.adding.filter(other => other !== contact), contact] });
  draft.put(tx => store.peerKeyPackages.put(tx, { ...packages, oneTime: null }));
}

function isOwned<State>({ crypto, nowMs, state }: GroupDraft<State>, contact: ContactId, bytes: Uint8Array): boolean {
  try {
    return crypto.ownerOf(bytes, nowMs, state.states.get(state.head)) === contact;
  } catch (error) {
    if (error instanceof CoreError) return false;
    throw error;
  }
}

/** @returns the text as it is stored */
async function send<State>(draft: GroupDraft<State>, text: string): Promise<StoredMessage> {
  requireMember(draft);
  if (draft.state.queued.length >= LIMITS.groupWaiting) {
    throw new UsageError('limit-reached', 'messages.send', 'Too many messages wait for this group.');
  }
  const { conversation } = draft.record;
  const sender = draft.context.account.id;
  const [parents, hlc] = [draft.heads, draft.nextTime()];
  const content = encodeContent({ kind: 'text', hlc, parents, text });
  const id = groupMessageIdOf(conversation, sender, content);
  const message = { id, sender, hlc, outgoing: true, parents, text, receivedAtMs: draft.nowMs, late: false };
  await step(draft, { kind: 'text', text: content });
  draft.addMessage(message, 'message-sent');
  draft.moveState(id, 'queued');
  draft.advanceHeads(id, parents);
  return message;
}

function read<State>(draft: GroupDraft<State>, { upTo }: GroupTask & { kind: 'read' }): void {
  const done = readTo(draft.context.store, draft.conversation, upTo);
  if (!done) return;
  draft.changeConversation(done.change);
  draft.event({ type: 'conversation-read', conversation: draft.record.conversation });
}

function markSent<State>(draft: GroupDraft<State>, { ids }: GroupTask & { kind: 'sent' }): void {
  for (const id of ids) if (draft.stateOf(id) === 'queued') draft.moveState(id, 'sent');
}

/** What came in the group's own outer layer. @returns whether it completes a parcel that waits in the inbox */
async function takePart<State>(
  draft: GroupDraft<State>,
  { body, carried }: GroupTask & { kind: 'part' },
): Promise<boolean> {
  const { store, sequence } = draft.context;
  const { what, bytes, count, ...part } = decodeParcel(body);
  const { envelope, envelopeId, expiresAtMs } = carried;
  const { chains } = draft.state.lineage;
  const seen = (): void => {
    draft.put(tx => store.seen.add(tx, envelopeId, expiresAtMs));
    draft.received.push({ group: draft.record.id, envelope, by: speakerSince(draft, chains) });
  };
  if (count === 1) {
    await takeParcel(draft, { what, bytes, from: null, taken: () => undefined });
    seen();
    return false;
  }
  const parcel = { what, bytes, count, ...part };
  const record = { group: draft.record.id, from: null, seq: sequence.next(), expiresAtMs, parcel };
  draft.put(tx => store.groupInbox.put(tx, record));
  seen();
  return true;
}

/** Whose chain of acts has grown; null: nobody's, or those of several. */
function speakerSince<State>({ state }: GroupDraft<State>, before: ReadonlyMap<ContactId, unknown>): ContactId | null {
  const { chains } = state.lineage;
  if (chains === before) return null;
  const grown = [...chains].filter(([member, chain]) => before.get(member) !== chain);
  return grown.length === 1 ? (grown[0]?.[0] ?? null) : null;
}

/** What cannot be read is dropped, with its parts. */
async function takeParcel<State>(draft: GroupDraft<State>, parcel: WholeParcel): Promise<void> {
  try {
    await openParcel(draft, parcel);
  } catch (error) {
    if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
  }
  draft.put(parcel.taken);
}

async function openParcel<State>(draft: GroupDraft<State>, { what, bytes, from }: WholeParcel): Promise<void> {
  switch (what) {
    case 'post':
      return step(draft, { kind: 'post', post: decodePost(bytes) });
    case 'welcome':
      return from === null ? undefined : takeWelcome(draft, bytes, from);
    case 'forward':
      return handOn(draft, bytes);
    case 'info-ask':
      return from === null ? undefined : giveInfo(draft, from);
    case 'join':
      return from === null ? undefined : letIn(draft, bytes, from);
    case 'info': {
      if (from === null || !draft.head.members.includes(from)) return;
      const { info, secrets } = decodeGroupInfo(bytes);
      return step(draft, { kind: 'group-info', groupInfo: info }, secrets);
    }
  }
}

/**
 * Somebody asks to be added by a link made here.
 * @throws TransientError what it is to be added with has not come yet: it is asked again with the next sweep
 */
async function letIn<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { context, record, head, crypto } = draft;
  const mayAdd = record.phase === 'member' && head.data.admins.includes(crypto.self);
  if (!mayAdd || head.members.includes(from) || !isOwnLink(context, record.id, bytes)) return;
  if (!context.store.peerKeyPackages.get(from)) {
    throw new TransientError('busy', 'groups.join', 'What they are to be added with has not come yet.');
  }
  await add(draft, from);
}

/** Let in once more: on another branch, or after having been put out. */
async function takeWelcome<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { welcome, secrets, cards } = decodeGroupWelcome(bytes);
  const { store } = draft.context;
  const opened = await openedWith(store, from, secret => step(draft, { kind: 'welcome', welcome, secret }, secrets));
  if (!opened) return;
  keepCards(draft, cards);
  if (opened.used.contact !== null) draft.put(tx => store.keyPackages.remove(tx, opened.used.id));
}

export function keepCards<State>(draft: GroupDraft<State>, cards: readonly Uint8Array[]): void {
  for (const card of cards) {
    try {
      keepCard(draft, null, card);
    } catch (error) {
      if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
    }
  }
}

/** A welcome for someone whose adding was asked for here. */
function handOn<State>(draft: GroupDraft<State>, bytes: Uint8Array): void {
  const { to, welcome } = decodeForward(bytes);
  const { adding } = draft.record;
  const ours = to.filter(member => adding.includes(member));
  if (ours.length === 0) return;
  for (const contact of ours) draft.give(contact, 'welcome', welcome);
  draft.changeRecord({ adding: adding.filter(member => !ours.includes(member)) });
}

/** A member that has lost the way is told where the head is. */
async function giveInfo<State>(draft: GroupDraft<State>, to: ContactId): Promise<void> {
  const { crypto, context, nowMs, state, head } = draft;
  const headState = state.states.get(state.head);
  if (!headState || !head.members.includes(to)) return;
  const info = await crypto.groupInfo(headState, { nowMs, random: context.random });
  draft.give(to, 'info', encodeGroupInfo({ info, secrets: secretsFrom(draft, state.head) }));
}

/** The own card, for those who have none or an older one. */
async function sayCard<State>(draft: GroupDraft<State>): Promise<void> {
  const { account } = draft.context;
  const { serial } = decodeCard(account.card);
  if (!draft.active || draft.record.phase !== 'member' || draft.record.cardSerial >= serial) return;
  await step(draft, { kind: 'text', text: encodeContent({ kind: 'card', card: account.card }) });
  draft.changeRecord({ cardSerial: serial, cardAtMs: draft.nowMs });
}

/** Once a minute; does nothing most of the time. */
async function sweep<State>(draft: GroupDraft<State>): Promise<void> {
  const { record, nowMs, context, owed } = draft;
  tellOfMissing(draft);
  const over = record.endedAtMs !== null && Math.abs(nowMs - record.endedAtMs) >= LIMITS.groupHorizonMs;
  if (over && draft.state.states.size > 0) return draft.forgetAll();
  const due = record.cardSerial === 0 || Math.abs(nowMs - record.cardAtMs) >= LIMITS.groupCardMs;
  if (due && decodeCard(context.account.card).serial > record.cardSerial) await sayCard(draft);
  if (owed.size === 0 || !draft.active || draft.head.members.length > LIMITS.groupHaveMembers) return;
  const said = [...owed];
  await step(draft, { kind: 'text', text: haveContent(owed) });
  draft.after(() => {
    for (const [author, id] of said) if (owed.get(author) === id) owed.delete(author);
  });
}

function requireMember<State>(draft: GroupDraft<State>): void {
  if (draft.record.phase !== 'member') throw refused('You are no longer in this group.');
}

function refused(message: string): UsageError {
  return new UsageError('refused', 'groups', message);
}

function full(): UsageError {
  return new UsageError('limit-reached', 'groups.add', 'The group is full.');
}
