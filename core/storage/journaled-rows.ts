import { StorageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { encodeRecord, findRecords, type JournalRecord } from './journal-record.ts';
import { Changes, OverlayReader } from './overlay.ts';
import type { Op, RangeOptions, Row, RowBase } from './port.ts';
import { damagedRow } from './sealing.ts';

/** One of the two files of a journal. */
export interface JournalFile {
  /** What a run before left in it; undefined when there is no such file. */
  read(): Buffer | undefined;
  /** Makes it anew, empty, and its name durable. */
  create(): void;
  /**
   * Durable when it resolves.
   * @throws StorageError disk-full, disk-failed
   */
  write(bytes: Buffer, at: number): Promise<void>;
  close(): void;
  remove(): void;
}

/** Above every table, so that no range meets it: number of the last commit in the database 6 · journal in use 1. */
const MARK_KEY = Buffer.of(0xff);

/**
 * Commits are written to a journal, one synced write each, and gathered in memory; when a file of the journal is
 * full, what it holds goes into the database in one transaction, while commits go on in the other file. Readers see
 * commits from the moment they are durable. What a run that ended suddenly left in the journal is read at the next
 * start; nothing is written before the first commit, so that a damaged database is left as it is.
 */
export class JournaledRows implements RowBase {
  readonly #base: RowBase;
  readonly #files: readonly [JournalFile, JournalFile];
  readonly #fileBytes: number;
  /** False before the first commit, and after a write that failed and may stand in the file all the same. */
  #begun = false;
  #active: 0 | 1 = 0;
  #at = 0;
  /** The last commit's. */
  #number: number;
  #fresh = new Changes();
  /** What the other file holds and the database does not yet. */
  #settling: { readonly changes: Changes; readonly upTo: number } | undefined;
  #underWay: Promise<void> | undefined;
  #reader: OverlayReader;

  /** @throws StorageError database-damaged when a commit that was durable is not whole */
  constructor(base: RowBase, files: readonly [JournalFile, JournalFile], fileBytes: number = LIMITS.journalBytes) {
    this.#base = base;
    this.#files = files;
    this.#fileBytes = fileBytes;
    const { number, inUse } = readMark(base);
    const left = inUse ? recordsAfter(number, files) : [];
    for (const { ops } of left) for (const op of ops) this.#fresh.set(op);
    this.#number = number + left.length;
    this.#reader = new OverlayReader(base, [this.#fresh]);
  }

  get(key: Buffer): Buffer | undefined {
    return this.#reader.get(key);
  }

  has(key: Buffer): boolean {
    return this.#reader.has(key);
  }

  range(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Row> {
    return this.#reader.range(from, to, options);
  }

  keys(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Buffer> {
    return this.#reader.keys(from, to, options);
  }

  async commit(ops: readonly Op[]): Promise<void> {
    const record = encodeRecord(this.#number + 1, ops);
    if (record.length > this.#fileBytes || !(await this.#journal(record))) return this.#commitPast(ops);
    this.#number += 1;
    for (const op of ops) this.#note(op);
  }

  /** @returns false when the journal does not take it: the database may, which has room of its own to use again */
  async #journal(record: Buffer): Promise<boolean> {
    try {
      if (!this.#begun) await this.#begin();
      if (this.#at + record.length > this.#fileBytes) await this.#turn();
      this.#begun = false;
      await this.#files[this.#active].write(record, this.#at);
    } catch (error) {
      if (error instanceof StorageError) return false;
      throw error;
    }
    this.#begun = true;
    this.#at += record.length;
    return true;
  }

  /** Brings everything into the database, which then needs no journal. No commit may come meanwhile. */
  async settle(): Promise<void> {
    await this.#settleOther();
    this.#begun = false;
    await this.#base.commit([...this.#fresh.all(), markOp(this.#number, false)]);
    this.#settled();
  }

  async close(): Promise<void> {
    try {
      if (this.#begun) {
        await this.settle();
        for (const file of this.#files) file.remove();
      }
    } catch {
      // nothing is lost: the next start finds it in the journal
    }
    for (const file of this.#files) file.close();
    await this.#base.close();
  }

  /** A row that came and went before the database heard of it leaves nothing to tell. */
  #note(op: Op): void {
    const unknown = op.value === null && !this.#settling?.changes.has(op.key) && !this.#base.has(op.key);
    if (unknown) this.#fresh.forget(op.key);
    else this.#fresh.set(op);
  }

  async #begin(): Promise<void> {
    await this.settle();
    for (const file of this.#files) file.create();
    await this.#base.commit([markOp(this.#number, true)]);
    this.#at = 0;
    this.#begun = true;
  }

  /** Goes on in the other file, once the database holds what is in that. */
  async #turn(): Promise<void> {
    await this.#settleOther();
    this.#settling = { changes: this.#fresh, upTo: this.#number };
    this.#fresh = new Changes();
    this.#reader = new OverlayReader(this.#base, [this.#settling.changes, this.#fresh]);
    this.#active = this.#active === 0 ? 1 : 0;
    this.#at = 0;
    // a failure is met again, and told, when the room is needed
    this.#settleOther().catch(() => {});
  }

  async #settleOther(): Promise<void> {
    if (!this.#settling) return;
    const { changes, upTo } = this.#settling;
    this.#underWay ??= this.#base
      .commit([...changes.all(), markOp(upTo, true)])
      .then(() => {
        this.#settling = undefined;
        this.#reader = new OverlayReader(this.#base, [this.#fresh]);
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    await this.#underWay;
  }

  /** A commit that no file takes goes into the database, with all before it. */
  async #commitPast(ops: readonly Op[]): Promise<void> {
    await this.#settleOther();
    this.#begun = false;
    await this.#base.commit([...this.#fresh.all(), ...ops, markOp(this.#number + 1, false)]);
    this.#number += 1;
    this.#settled();
  }

  #settled(): void {
    this.#fresh = new Changes();
    this.#reader = new OverlayReader(this.#base, [this.#fresh]);
  }
}

/**
 * The records that follow commit `number` without a gap. A record cut short at the end is a commit nobody was told
 * of; one missing before another is damage.
 */
function recordsAfter(number: number, files: readonly JournalFile[]): JournalRecord[] {
  const found = new Map<number, JournalRecord>();
  for (const file of files) {
    const bytes = file.read();
    if (!bytes) throw damagedRow('meta');
    for (const record of findRecords(bytes)) if (record.number > number) found.set(record.number, record);
  }
  const records = [...found.values()].sort((a, b) => a.number - b.number);
  if (records.some((record, i) => record.number !== number + 1 + i)) throw damagedRow('meta');
  return records;
}

function readMark(base: RowBase): { number: number; inUse: boolean } {
  const value = base.get(MARK_KEY);
  if (!value) return { number: 0, inUse: false };
  if (value.length !== 7) throw damagedRow('meta');
  return { number: value.readUIntBE(0, 6), inUse: value[6] === 1 };
}

function markOp(number: number, inUse: boolean): Op {
  const value = Buffer.alloc(7);
  value.writeUIntBE(number, 0, 6);
  value[6] = inUse ? 1 : 0;
  return { key: MARK_KEY, value };
}
