import { DecodeError } from '../../base/errors.ts';
import { HLC_ZERO, type HlcTime } from '../../base/hlc.ts';
import { type ContactId, type ConversationId, type GroupId, groupConversationIdOf } from '../../base/ids.ts';
import type { GroupCrypto } from '../../groups/group-crypto.ts';
import { type GroupState, silenced } from '../../groups/group-state.ts';
import { decodeGroup } from '../../groups/state-codec.ts';
import type { ConversationRecord, GroupRecord, MessagePlace } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import type { Context } from '../context.ts';
import { loadActs } from './act-rows.ts';
import { Answers } from './answers.ts';
import { loadEpochs } from './epoch-rows.ts';
import { loadWaiting } from './waiting-rows.ts';

const SALT_BYTES = 32;

/** One group as it stands in memory: what is durable. */
export interface Standing<State> {
  readonly record: GroupRecord;
  readonly conversation: ConversationRecord;
  /** The logical time of its conversation: above that of everything in it. */
  readonly time: HlcTime;
  /** Null before its first write. */
  readonly state: GroupState<State> | null;
  readonly memory: GroupMemory;
}

export interface Owed {
  readonly first: MessagePlace;
  readonly last: MessagePlace;
}

/** What is known of a group only while the program runs. */
export interface GroupMemory {
  /** The first and the last of the texts of each member that this one has not yet said to have. */
  readonly owed: Map<ContactId, Owed>;
  /** Since when something of a member is missing that has not been told of. */
  readonly missing: Map<ContactId, number>;
  readonly answers: Answers;
  /** From whom welcomes were handed on to someone who has not come in yet; null: by the group's own layer. */
  readonly forwards: Map<ContactId, readonly (ContactId | null)[]>;
  /** When a contact was last given the way back. */
  readonly given: Map<ContactId, number>;
}

/** @throws DecodeError rows that are not what was stored */
export function loadStanding<State>(
  { store, clock }: Context,
  crypto: GroupCrypto<State>,
  record: GroupRecord,
): Standing<State> {
  const conversation = store.conversations.get(record.conversation);
  if (!conversation) throw new DecodeError('group.load');
  const { id } = record;
  const states = loadEpochs(store, crypto, id);
  const state = decodeGroup(record.state, states, loadWaiting(store, id), loadActs(store, id));
  const time = newestTime(store, record.conversation);
  const memory = emptyMemory();
  if (!record.putBack) return { record, conversation, time, state, memory };
  // The next write of the group keeps both: that it is silent, and that this has been seen to.
  const heard = { ...record, putBack: false };
  return { record: heard, conversation, time, state: silenced(state, clock()), memory };
}

/** @param former of a group that is begun anew here: its conversation goes on */
export function newStanding<State>(context: Context, id: GroupId, former?: GroupRecord): Standing<State> {
  const { store, clock, random } = context;
  const name = groupConversationIdOf(id);
  const createdAtMs = former?.createdAtMs ?? clock();
  const known = store.conversations.get(name);
  const conversation: ConversationRecord = known ?? {
    id: name,
    contact: null,
    group: id,
    salt: random(SALT_BYTES),
    createdAtMs,
    readUpTo: null,
    unread: 0,
    lateUnread: [],
  };
  const record: GroupRecord = {
    id,
    conversation: name,
    phase: 'member',
    createdAtMs,
    endedAtMs: null,
    putBack: false,
    adding: former?.adding ?? [],
    cardSerial: 0,
    cardAtMs: 0,
    outer: [],
    heard: former?.heard ?? new Map(),
    addedBy: former?.addedBy ?? null,
    removed: former?.removed ?? [],
    state: new Uint8Array(),
  };
  const time = known ? newestTime(store, name) : HLC_ZERO;
  return { record, conversation, time, state: null, memory: emptyMemory() };
}

function emptyMemory(): GroupMemory {
  return { owed: new Map(), missing: new Map(), answers: new Answers(), forwards: new Map(), given: new Map() };
}

function newestTime(store: Store, conversation: ConversationId): HlcTime {
  return store.messages.newest(conversation, 1)[0]?.hlc ?? HLC_ZERO;
}
