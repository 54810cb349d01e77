import type { Op, RangeOptions, Row, RowReader, Tx } from './port.ts';

/** Changes not yet on disk, by table (first key byte), so that a range read looks through one table's only. */
export class Changes {
  readonly #tables = new Map<number, Map<string, Op>>();

  get(key: Buffer): Op | undefined {
    return this.#tables.get(key[0] as number)?.get(key.toString('latin1'));
  }

  set(op: Op): void {
    const table = op.key[0] as number;
    const ops = this.#tables.get(table) ?? new Map<string, Op>();
    ops.set(op.key.toString('latin1'), op);
    this.#tables.set(table, ops);
  }

  collect(from: Buffer, to: Buffer, into: Map<string, Op>): void {
    const ops = this.#tables.get(from[0] as number);
    if (!ops || ops.size === 0) return;
    // latin1 strings compare as their bytes do
    const low = from.toString('latin1');
    const high = to.toString('latin1');
    for (const [name, op] of ops) if (name >= low && name < high) into.set(name, op);
  }

  *all(): Iterable<Op> {
    for (const ops of this.#tables.values()) yield* ops.values();
  }

  merge(newer: Changes): void {
    for (const op of newer.all()) this.set(op);
  }
}

/** A write that sees, in this order: its own changes, those of earlier jobs of the same commit, the disk. */
export class OverlayTx implements Tx {
  readonly changes = new Changes();
  readonly scratch = new Map<unknown, unknown>();
  readonly #steps: (() => void)[] = [];
  readonly #earlier: Changes;
  readonly #base: RowReader;

  constructor(base: RowReader, earlier: Changes) {
    this.#base = base;
    this.#earlier = earlier;
  }

  get(key: Buffer): Buffer | undefined {
    const op = this.changes.get(key) ?? this.#earlier.get(key);
    return op ? (op.value ?? undefined) : this.#base.get(key);
  }

  has(key: Buffer): boolean {
    const op = this.changes.get(key) ?? this.#earlier.get(key);
    return op ? op.value !== null : this.#base.has(key);
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Row> {
    const changed = this.#changed(from, to, options);
    if (changed.length === 0) return this.#base.range(from, to, options);
    return merged(this.#base.range(from, to, { reverse: options.reverse === true }), changed, options);
  }

  *keys(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Buffer> {
    for (const row of this.range(from, to, options)) yield row.key;
  }

  put(key: Buffer, value: Buffer): void {
    this.changes.set({ key, value });
  }

  remove(key: Buffer): void {
    this.changes.set({ key, value: null });
  }

  beforeCommit(step: () => void): void {
    this.#steps.push(step);
  }

  finish(): void {
    for (const step of this.#steps) step();
  }

  #changed(from: Buffer, to: Buffer, options: RangeOptions): Op[] {
    const found = new Map<string, Op>();
    this.#earlier.collect(from, to, found);
    this.changes.collect(from, to, found);
    const sign = options.reverse ? -1 : 1;
    return [...found.values()].sort((a, b) => sign * Buffer.compare(a.key, b.key));
  }
}

function* merged(base: Iterable<Row>, changed: readonly Op[], options: RangeOptions): Iterable<Row> {
  const sign = options.reverse ? -1 : 1;
  let left = options.limit ?? Number.POSITIVE_INFINITY;
  let next = 0;
  for (const row of base) {
    let replaced = false;
    for (; next < changed.length; next += 1) {
      const op = changed[next] as Op;
      const order = sign * Buffer.compare(op.key, row.key);
      if (order > 0) break;
      if (order === 0) replaced = true;
      if (op.value === null) continue;
      if (left-- <= 0) return;
      yield { key: op.key, value: op.value };
    }
    if (replaced) continue;
    if (left-- <= 0) return;
    yield row;
  }
  for (; next < changed.length; next += 1) {
    const op = changed[next] as Op;
    if (op.value === null) continue;
    if (left-- <= 0) return;
    yield { key: op.key, value: op.value };
  }
}
