import type { Op, RangeOptions, Row, RowReader, Tx } from './port.ts';

/** The changed rows of one table. Their order is made at the first range read and kept from then on. */
class TableChanges {
  readonly ops = new Map<string, Op>();
  #names: string[] | undefined;

  set(name: string, op: Op): void {
    const names = this.#names;
    if (names && !this.ops.has(name)) names.splice(lowerBound(names, name), 0, name);
    this.ops.set(name, op);
  }

  forget(name: string): void {
    if (this.ops.delete(name)) this.#names?.splice(lowerBound(this.#names, name), 1);
  }

  /** Those with `low` <= key < `high`, as they are now: what is put while they are read does not move them. */
  between(low: string, high: string, reverse: boolean): string[] {
    this.#names ??= [...this.ops.keys()].sort();
    const found = this.#names.slice(lowerBound(this.#names, low), lowerBound(this.#names, high));
    return reverse ? found.reverse() : found;
  }
}

/** Changed rows, by table (first key byte) and key; a key stands as its latin1 string, which compares as its bytes do. */
export class Changes {
  readonly #tables = new Map<number, TableChanges>();

  find(key: Buffer, name: string): Op | undefined {
    return this.#tables.get(key[0] as number)?.ops.get(name);
  }

  set(op: Op): void {
    this.#table(op.key[0] as number).set(nameOf(op.key), op);
  }

  has(key: Buffer): boolean {
    return this.find(key, nameOf(key)) !== undefined;
  }

  forget(key: Buffer): void {
    this.#table(key[0] as number).forget(nameOf(key));
  }

  /** In order of key. A range lies in one table. */
  between(from: Buffer, to: Buffer, reverse: boolean): Op[] {
    const table = this.#tables.get(from[0] as number);
    if (!table) return [];
    return table.between(nameOf(from), nameOf(to), reverse).map(name => table.ops.get(name) as Op);
  }

  *all(): Iterable<Op> {
    for (const table of this.#tables.values()) yield* table.ops.values();
  }

  merge(newer: Changes): void {
    for (const [head, table] of newer.#tables) {
      const into = this.#table(head);
      for (const [name, op] of table.ops) into.set(name, op);
    }
  }

  #table(head: number): TableChanges {
    const known = this.#tables.get(head);
    if (known) return known;
    const table = new TableChanges();
    this.#tables.set(head, table);
    return table;
  }
}

/** Rows as they are with layers of changes, oldest first, laid over a base. */
export class OverlayReader implements RowReader {
  readonly #base: RowReader;
  readonly #layers: readonly Changes[];

  constructor(base: RowReader, layers: readonly Changes[]) {
    this.#base = base;
    this.#layers = layers;
  }

  get(key: Buffer): Buffer | undefined {
    const op = this.#find(key);
    return op ? (op.value ?? undefined) : this.#base.get(key);
  }

  has(key: Buffer): boolean {
    const op = this.#find(key);
    return op ? op.value !== null : this.#base.has(key);
  }

  range(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Row> {
    const reverse = options.reverse === true;
    const changed = this.#layers.map(layer => layer.between(from, to, reverse)).filter(ops => ops.length > 0);
    if (changed.length === 0) return this.#base.range(from, to, options);
    const base = this.#base.range(from, to, { reverse });
    const all = changed.reduce((rows: Iterable<Row>, ops) => merged(rows, ops, reverse ? -1 : 1), base);
    return options.limit === undefined ? all : first(all, options.limit);
  }

  *keys(from: Buffer, to: Buffer, options: RangeOptions = {}): Iterable<Buffer> {
    if (this.#layers.every(layer => layer.between(from, to, false).length === 0)) {
      yield* this.#base.keys(from, to, options);
    } else {
      for (const row of this.range(from, to, options)) yield row.key;
    }
  }

  #find(key: Buffer): Op | undefined {
    const name = nameOf(key);
    for (let i = this.#layers.length - 1; i >= 0; i -= 1) {
      const op = (this.#layers[i] as Changes).find(key, name);
      if (op) return op;
    }
    return undefined;
  }
}

/** A write that sees, in this order: its own changes, those of earlier jobs of the same commit, the disk. */
export class OverlayTx extends OverlayReader implements Tx {
  readonly changes: Changes;
  readonly scratch = new Map<unknown, unknown>();
  readonly #steps: (() => void)[] = [];

  constructor(base: RowReader, earlier: Changes) {
    const changes = new Changes();
    super(base, [earlier, changes]);
    this.changes = changes;
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
}

function* merged(base: Iterable<Row>, changed: readonly Op[], sign: 1 | -1): Iterable<Row> {
  let next = 0;
  for (const row of base) {
    let replaced = false;
    for (; next < changed.length; next += 1) {
      const { key, value } = changed[next] as Op;
      const order = sign * Buffer.compare(key, row.key);
      if (order > 0) break;
      if (order === 0) replaced = true;
      if (value !== null) yield { key, value };
    }
    if (!replaced) yield row;
  }
  for (; next < changed.length; next += 1) {
    const { key, value } = changed[next] as Op;
    if (value !== null) yield { key, value };
  }
}

function* first(rows: Iterable<Row>, limit: number): Iterable<Row> {
  let left = limit;
  if (left <= 0) return;
  for (const row of rows) {
    yield row;
    left -= 1;
    if (left <= 0) return;
  }
}

function nameOf(key: Buffer): string {
  return key.toString('latin1');
}

/** The index of the first name that is not below `name`. */
function lowerBound(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  if (high > 0 && (names[high - 1] as string) < name) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] as string) < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
