import type { ContactId, ConversationId, GroupId } from '../../base/ids.ts';
import type { EpochId } from '../../groups/group-crypto.ts';
import { type GroupState, headEpoch } from '../../groups/group-state.ts';
import type { GroupPhase, GroupRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { decodeCard } from '../../wire/card.ts';

/** A group as it is shown. */
export interface GroupView {
  readonly id: GroupId;
  readonly conversation: ConversationId;
  readonly name: string;
  /** All but `member`: it can be read, and not written. `unreadable`: its rows are damaged, and all but what was said is unknown. */
  readonly phase: GroupPhase | 'unreadable';
  readonly admin: boolean;
  readonly createdAtMs: number;
  readonly epoch: EpochId | null;
  /** How many commits lie between the epoch and the group's beginning. */
  readonly number: number;
  readonly members: readonly GroupMemberView[];
}

export interface GroupMemberView {
  readonly id: ContactId;
  readonly admin: boolean;
  /** Two different things stand in one place of what it said. */
  readonly equivocated: boolean;
}

export function viewOf<State>(record: GroupRecord, state: GroupState<State>, self: ContactId): GroupView {
  const { members, data, id, number } = headEpoch(state);
  const { chains } = state.lineage;
  return {
    id: record.id,
    conversation: record.conversation,
    name: data.name,
    phase: record.phase,
    admin: data.admins.includes(self),
    createdAtMs: record.createdAtMs,
    epoch: id,
    number,
    members: members.map(member => ({
      id: member,
      admin: data.admins.includes(member),
      equivocated: chains.get(member)?.forkedAt != null,
    })),
  };
}

/** A group of which nothing can be told but that it is there: what was said in it stands among the messages. */
export function unreadableView({ id, conversation, createdAtMs }: GroupRecord): GroupView {
  return {
    id,
    conversation,
    name: '',
    phase: 'unreadable',
    admin: false,
    createdAtMs,
    epoch: null,
    number: 0,
    members: [],
  };
}

/** What a member calls itself, by its card; undefined when none has come. */
export function claimedNick(store: Store, group: GroupId, member: ContactId): string | undefined {
  const known = store.contacts.get(member);
  if (known) return known.claimedNick;
  const record = store.groupMembers.get(group, member);
  return record && decodeCard(record.card).nick;
}
