import type { RandomSource } from '../base/clock.ts';
import type { Secret } from '../base/secret.ts';
import { ContactRows } from './contacts.ts';
import { ConversationRows } from './conversations.ts';
import { CustodyRows } from './custody.ts';
import { DeletedGroupRows } from './deleted-groups.ts';
import { GroupInboxRows } from './group-inbox.ts';
import { GroupEpochRows, GroupMemberRows, GroupRows } from './groups.ts';
import { InstanceRows } from './instances.ts';
import { InviteRows, PrekeyRows } from './invites.ts';
import { OwnKeyPackageRows, PeerKeyPackageRows } from './key-packages.ts';
import { MessageRows } from './messages.ts';
import { FORMAT_KEY, type Migration, migrate } from './migrations/migrate.ts';
import { OutboxRows } from './outbox.ts';
import { PendingRows } from './pending.ts';
import { PlacementRows } from './placements.ts';
import type { RowBase, Tx } from './port.ts';
import { ProfileRows } from './profile.ts';
import { ReceiptRows, VerificationRows } from './receipts.ts';
import { DeclinedRows, RequestRows } from './requests.ts';
import { Sealer } from './sealing.ts';
import { SeenRows } from './seen.ts';
import { SessionRows } from './sessions.ts';
import { UptimeRows } from './uptime.ts';
import { verifyRows } from './verify.ts';
import { WriteQueue } from './write-queue.ts';

export type { RowReader, Tx, Tx as WriteTx } from './port.ts';

/**
 * Everything a profile keeps, sealed row by row. Reads are synchronous and see what is durable; the last parameter
 * of every read takes the `tx` of a write under way, and then it sees that write's rows too. Every change takes a
 * `tx`, and all changes of one `write` happen or none.
 */
export class Store {
  readonly profile: ProfileRows;
  readonly contacts: ContactRows;
  readonly requests: RequestRows;
  readonly declined: DeclinedRows;
  readonly invites: InviteRows;
  readonly prekeys: PrekeyRows;
  readonly conversations: ConversationRows;
  readonly messages: MessageRows;
  readonly sessions: SessionRows;
  readonly pending: PendingRows;
  readonly outbox: OutboxRows;
  readonly seen: SeenRows;
  readonly receipts: ReceiptRows;
  readonly verifications: VerificationRows;
  readonly custody: CustodyRows;
  readonly placements: PlacementRows;
  readonly uptime: UptimeRows;
  readonly instances: InstanceRows;
  readonly groups: GroupRows;
  readonly groupEpochs: GroupEpochRows;
  readonly groupMembers: GroupMemberRows;
  readonly groupInbox: GroupInboxRows;
  readonly deletedGroups: DeletedGroupRows;
  readonly keyPackages: OwnKeyPackageRows;
  readonly peerKeyPackages: PeerKeyPackageRows;
  readonly #queue: WriteQueue;
  readonly #sealer: Sealer;

  /** @param dataKey 32 bytes; not kept: the keys of the tables are derived from it */
  constructor(base: RowBase, dataKey: Secret, random: RandomSource) {
    const sealer = new Sealer(dataKey, random);
    const queue = new WriteQueue(base, () => this.#forget());
    this.#sealer = sealer;
    this.#queue = queue;
    this.profile = new ProfileRows(queue, sealer);
    this.contacts = new ContactRows(queue, sealer);
    this.requests = new RequestRows(queue, sealer);
    this.declined = new DeclinedRows(queue, sealer);
    this.invites = new InviteRows(queue, sealer);
    this.prekeys = new PrekeyRows(queue, sealer);
    this.conversations = new ConversationRows(queue, sealer);
    this.messages = new MessageRows(queue, sealer, this.conversations);
    this.sessions = new SessionRows(queue, sealer);
    this.pending = new PendingRows(queue, sealer);
    this.outbox = new OutboxRows(queue, sealer);
    this.seen = new SeenRows(queue, sealer);
    this.receipts = new ReceiptRows(queue, sealer);
    this.verifications = new VerificationRows(queue, sealer);
    this.custody = new CustodyRows(queue, sealer);
    this.placements = new PlacementRows(queue, sealer);
    this.uptime = new UptimeRows(queue, sealer);
    this.instances = new InstanceRows(queue, sealer);
    this.groups = new GroupRows(queue, sealer);
    this.groupEpochs = new GroupEpochRows(queue, sealer);
    this.groupMembers = new GroupMemberRows(queue, sealer);
    this.groupInbox = new GroupInboxRows(queue, sealer);
    this.deletedGroups = new DeletedGroupRows(queue, sealer);
    this.keyPackages = new OwnKeyPackageRows(queue, sealer);
    this.peerKeyPackages = new PeerKeyPackageRows(queue, sealer);
  }

  /**
   * Runs `job` (synchronous) in its turn and resolves when its rows are durable; if it throws, nothing of it is
   * stored and the promise rejects with what it threw. Writes waiting at the same time share one disk sync.
   * @throws StorageError disk-full, disk-failed: nothing of the job is stored
   */
  write(job: (tx: Tx) => void): Promise<void> {
    return this.#queue.write(tx => this.#sealer.batch(() => job(tx)));
  }

  /** Runs many reads with the keys opened once: opening guarded memory costs more than a row. */
  reading<T>(read: () => T): T {
    return this.#sealer.batch(read);
  }

  migrate(migrations: readonly Migration[], backup: (version: number) => Promise<void>): Promise<number> {
    return migrate(this.#queue, this.#sealer, migrations, backup);
  }

  /**
   * Opens every row once, in steps.
   * @throws StorageError database-damaged
   */
  verify(pause: () => Promise<void>): Promise<void> {
    return verifyRows(this.#queue, this.#sealer, [FORMAT_KEY], pause);
  }

  /** Ends the writes that wait, closes the files and wipes the keys. */
  async close(): Promise<void> {
    try {
      await this.#queue.close();
    } finally {
      this.wipeKeys();
    }
  }

  /** For the panic wipe, which does not wait: from here on every read and write fails. */
  wipeKeys(): void {
    this.conversations.forgetSalts();
    this.#sealer.wipe();
  }

  #forget(): void {
    this.outbox.forgetCounts();
    this.custody.forgetTotals();
    this.conversations.forgetSalts();
  }
}
