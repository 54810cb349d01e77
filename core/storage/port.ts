/**
 * The port to the disk: sorted binary keys, binary values, atomic durable writes. Implemented by LMDB
 * (database.io.ts) and in memory (memory-rows.ts); one contract suite runs on both.
 */

export interface Row {
  readonly key: Buffer;
  readonly value: Buffer;
}

export interface RangeOptions {
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Synchronous reads. Outside a write they see durable rows only; inside, also what the write has put. */
export interface RowReader {
  get(key: Buffer): Buffer | undefined;
  has(key: Buffer): boolean;
  /** Rows with `from` <= key < `to`, ascending, or descending when `reverse`. */
  range(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Row>;
  keys(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Buffer>;
}

/** One write under way. Valid only while its job runs. */
export interface Tx extends RowReader {
  put(key: Buffer, value: Buffer): void;
  remove(key: Buffer): void;
  /** Runs `step` once, after the job and before its rows are handed to the disk; `step` may write. */
  beforeCommit(step: () => void): void;
  /** State that lives as long as this write: lets a repository gather changes to one row. */
  readonly scratch: Map<unknown, unknown>;
}

/** A row change: a value, or null for removed. */
export interface Op {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** What stands below the write queue: committed rows, and one way to change them. */
export interface RowBase extends RowReader {
  /**
   * All of `ops` or none, durable when it resolves.
   * @throws StorageError disk-full, disk-failed
   */
  commit(ops: readonly Op[]): Promise<void>;
  close(): Promise<void>;
}

export interface RowPort extends RowReader {
  /**
   * Runs `job` (synchronous) in its turn, and resolves when its rows are durable. A job that throws changes
   * nothing and rejects with what it threw. Jobs waiting at the same time share one commit.
   * @throws StorageError disk-full, disk-failed: nothing of the job is stored
   */
  write(job: (tx: Tx) => void): Promise<void>;
  close(): Promise<void>;
}

/** The smallest key above all keys that begin with `prefix`; prefixes of 0xff bytes only do not occur. */
export function afterPrefix(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix);
  for (let i = end.length - 1; i >= 0; i -= 1) {
    const byte = end[i] as number;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.subarray(0, i + 1);
    }
  }
  return Buffer.alloc(64, 0xff);
}
