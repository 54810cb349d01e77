import { CoreError } from '../../base/errors.ts';
import type { GroupId } from '../../base/ids.ts';
import { isWhole, partSets } from '../../storage/group-inbox.ts';
import type { ParcelKind } from '../../wire/group-parcel.ts';
import type { Context } from '../context.ts';
import type { WholeParcel } from './group-actor.ts';

export interface MailTakers {
  known(group: GroupId): boolean;
  take(group: GroupId, parcel: WholeParcel): Promise<unknown>;
  /** A welcome, or the way back, into a group that is not known. */
  enter(group: GroupId, parcel: WholeParcel): Promise<unknown>;
}

/** Puts parcels together and hands them over in the order they came: for a group that is not known a welcome comes first. */
export class GroupMail {
  readonly #context: Context;
  readonly #takers: MailTakers;
  #running: Promise<void> = Promise.resolve();
  readonly #due = new Set<GroupId>();
  #stopped = false;

  constructor(context: Context, takers: MailTakers) {
    this.#context = context;
    this.#takers = takers;
  }

  look(group: GroupId): void {
    if (this.#stopped || this.#due.has(group)) return;
    this.#due.add(group);
    this.#running = this.#running
      .then(() => {
        this.#due.delete(group);
        return this.#stopped ? undefined : this.#takeAll(group);
      })
      // A failing disk, say: the parts are kept, and looked at again with the next sweep.
      .catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** Runs something while nothing is being handed over. */
  alone(job: () => Promise<void>): Promise<void> {
    const done = this.#running.then(job);
    this.#running = done.catch(() => undefined);
    return done;
  }

  /** What cannot be read is dropped. */
  async #enter(group: GroupId, parcel: WholeParcel): Promise<void> {
    try {
      await this.#takers.enter(group, parcel);
    } catch (error) {
      if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
      await this.#context.store.write(parcel.taken);
    }
  }

  async #takeAll(group: GroupId): Promise<void> {
    const whole = wholeParcels(this.#context, group);
    if (!this.#takers.known(group)) {
      for (const parcel of whole.filter(({ what, from }) => WAYS_IN.includes(what) && from !== null)) {
        await this.#enter(group, parcel);
        if (this.#takers.known(group)) break;
      }
      if (!this.#takers.known(group)) return;
    }
    await Promise.all(wholeParcels(this.#context, group).map(parcel => this.#takers.take(group, parcel)));
  }
}

const WAYS_IN: readonly ParcelKind[] = ['welcome', 'info'];

function wholeParcels({ store }: Context, group: GroupId): WholeParcel[] {
  return partSets(store.groupInbox.listOf(group)).flatMap(records => {
    const [first] = records;
    if (!first || !isWhole(records)) return [];
    const parts = new Map(records.map(({ parcel }) => [parcel.index, parcel.bytes]));
    if (first.from !== null && store.contacts.get(first.from)?.phase !== 'accepted') return [];
    const bytes = Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, part]) => part));
    const taken: WholeParcel['taken'] = tx => {
      for (const record of records) store.groupInbox.remove(tx, record);
    };
    return [{ what: first.parcel.what, bytes, from: first.from, taken }];
  });
}
