import type { Op, RangeOptions, Row, RowBase } from './port.ts';

/** Rows in memory, for tests and scenarios: the same contract as the disk, forgotten when dropped. */
export class MemoryRows implements RowBase {
  #rows: Row[] = [];

  get(key: Buffer): Buffer | undefined {
    const at = this.#find(key);
    const row = this.#rows[at];
    return row?.key.equals(key) ? Buffer.from(row.value) : undefined;
  }

  has(key: Buffer): boolean {
    return this.#rows[this.#find(key)]?.key.equals(key) ?? false;
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Row> {
    const rows = this.#rows.slice(this.#find(from), this.#find(to));
    if (options.reverse) rows.reverse();
    const limited = options.limit === undefined ? rows : rows.slice(0, options.limit);
    return limited.map(row => ({ key: Buffer.from(row.key), value: Buffer.from(row.value) }));
  }

  *keys(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Buffer> {
    for (const row of this.range(from, to, options)) yield row.key;
  }

  async commit(ops: readonly Op[]): Promise<void> {
    for (const { key, value } of ops) {
      const at = this.#find(key);
      const there = this.#rows[at]?.key.equals(key) ? 1 : 0;
      if (value === null) this.#rows.splice(at, there);
      else this.#rows.splice(at, there, { key: Buffer.from(key), value: Buffer.from(value) });
    }
  }

  async close(): Promise<void> {
    this.#rows = [];
  }

  /** The index of the first row whose key is not below `key`. */
  #find(key: Buffer): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (Buffer.compare((this.#rows[middle] as Row).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
