import { within } from '../../base/clock.ts';
import type { ContactId, GroupId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { GroupInboxRecord, GroupRecord } from '../../storage/records.ts';
import { encodeContent } from '../../wire/content.ts';
import { PARCEL_ID_BYTES } from '../../wire/group-parcel.ts';
import type { Context } from '../context.ts';

interface Lack {
  readonly group: GroupId;
  readonly contact: ContactId;
}

/**
 * Groups whose members take this profile for one of them, while it has no state of theirs: its rows cannot be read, it was put back to
 * a time before it joined, or the welcome never came. Contacts who are members are asked for the way back.
 */
export class LostGroups {
  readonly #context: Context;
  readonly #known: (group: GroupId) => boolean;
  readonly #unreadable = new Map<GroupId, GroupRecord>();
  /** When which contact was asked for which group. */
  readonly #asked = new Map<string, number>();

  constructor(context: Context, known: (group: GroupId) => boolean) {
    this.#context = context;
    this.#known = known;
  }

  /** Its rows are there and cannot be read. */
  note(record: GroupRecord): void {
    this.#unreadable.set(record.id, record);
  }

  /** What is left of a group that is lost. */
  recordOf(group: GroupId): GroupRecord | undefined {
    return this.#unreadable.get(group);
  }

  unreadable(): Iterable<GroupRecord> {
    return this.#unreadable.values();
  }

  /** Come back, or deleted. */
  found(group: GroupId): void {
    this.#unreadable.delete(group);
  }

  /** Whether this contact was asked, and may answer. */
  expects(group: GroupId, contact: ContactId): boolean {
    return this.#asked.has(group + contact);
  }

  /** At the start, and once a minute. */
  async look(): Promise<void> {
    const { store, clock, random, sequence, pendingAdded } = this.#context;
    const nowMs = clock();
    for (const [name, askedMs] of this.#asked) {
      if (!within(askedMs, LIMITS.groupInfoAskMs, nowMs)) this.#asked.delete(name);
    }
    const due = this.#lacking(nowMs).filter(
      ({ group, contact }) => !this.expects(group, contact) && store.contacts.get(contact)?.phase === 'accepted',
    );
    if (due.length === 0) return;
    for (const { group, contact } of due) this.#asked.set(group + contact, nowMs);
    await store.write(tx => {
      for (const { group, contact } of due) {
        const id = random(PARCEL_ID_BYTES);
        const parcel = { what: 'info-ask', id, index: 0, count: 1, bytes: Buffer.alloc(0) } as const;
        store.pending.add(tx, contact, sequence.next(), encodeContent({ kind: 'group', group, parcel }));
      }
    });
    for (const { contact } of due) pendingAdded(contact);
  }

  /** Each once. */
  #lacking(nowMs: number): Lack[] {
    const { store } = this.#context;
    const unreadable = [...this.#unreadable.keys()].flatMap(group =>
      store.groupMembers.listOf(group).map(({ member }): Lack => ({ group, contact: member })),
    );
    const told = store.groupInbox.list().filter(record => this.#isTold(record, nowMs));
    const all = [...unreadable, ...told.map(({ group, from }): Lack => ({ group, contact: from as ContactId }))];
    return [...new Map(all.map(lack => [lack.group + lack.contact, lack])).values()];
  }

  /** Something of a group not known here waits, and no welcome has come meanwhile. */
  #isTold({ group, from, expiresAtMs }: GroupInboxRecord, nowMs: number): boolean {
    const sinceMs = expiresAtMs - LIMITS.envelopeLifetimeMs;
    return from !== null && !this.#known(group) && !within(sinceMs, LIMITS.groupLostMs, nowMs);
  }
}
