import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CoreError } from '../../core/base/errors.ts';
import { encodeRecord } from '../../core/storage/journal-record.ts';
import { JournaledRows, type JournalFile } from '../../core/storage/journaled-rows.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import type { Op } from '../../core/storage/port.ts';

const SECTOR = 512;
const FILE_BYTES = 4096;
const key = (n: number): Buffer => Buffer.of(1 + (n % 3), n);
const damaged = (error: unknown) => error instanceof CoreError && error.code === 'database-damaged';

/** What survives a power cut: bytes that were durable, and of a write under way some sectors. */
class CutFile implements JournalFile {
  bytes: Buffer | undefined;
  /** The next write keeps only the sectors for which this is true, and never ends. */
  cut: ((sector: number) => boolean) | undefined;
  failing = false;

  read(): Buffer | undefined {
    return this.bytes;
  }

  create(): void {
    this.bytes = Buffer.alloc(0);
  }

  write(bytes: Buffer, at: number): Promise<void> {
    const grown = Buffer.alloc(Math.max((this.bytes as Buffer).length, at + bytes.length));
    (this.bytes as Buffer).copy(grown);
    for (let i = 0; i < bytes.length; i += 1) {
      if (!this.cut || this.cut(Math.floor((at + i) / SECTOR))) grown[at + i] = bytes[i] as number;
    }
    this.bytes = grown;
    if (this.failing) return Promise.reject(new Error('the disk failed'));
    return this.cut ? new Promise(() => {}) : Promise.resolve();
  }

  close(): void {}

  remove(): void {
    this.bytes = undefined;
  }
}

/** A database whose commits take hold when they are let: a power cut may come before. */
class HeldRows extends MemoryRows {
  held = false;
  failing = false;
  #waiting: (() => void)[] = [];

  override async commit(ops: readonly Op[]): Promise<void> {
    if (this.held) await new Promise<void>(resolve => this.#waiting.push(resolve));
    if (this.failing) throw new Error('no room');
    await super.commit(ops);
  }

  release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

function contents(rows: MemoryRows | JournaledRows): Record<string, string> {
  const found: Record<string, string> = {};
  for (let head = 1; head <= 3; head += 1) {
    for (const row of rows.range(Buffer.of(head), Buffer.of(head + 1))) {
      found[row.key.toString('hex')] = row.value.toString('hex');
    }
  }
  return found;
}

function apply(model: ReadonlyMap<string, string>, ops: readonly Op[]): Map<string, string> {
  const next = new Map(model);
  for (const { key: k, value } of ops) {
    if (value === null) next.delete(k.toString('hex'));
    else next.set(k.toString('hex'), value.toString('hex'));
  }
  return next;
}

const sorted = (model: ReadonlyMap<string, string>): Record<string, string> =>
  Object.fromEntries([...model].sort(([a], [b]) => (a < b ? -1 : 1)));

const change = fc.record({ n: fc.nat(40), length: fc.option(fc.nat(900)), fill: fc.nat(255) });
const run = fc.record({
  commits: fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 40 }),
  holdFrom: fc.nat(40),
  torn: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
  clean: fc.boolean(),
});

test('after any power cut every acknowledged commit is there, and the one under way wholly or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(run, { minLength: 1, maxLength: 5 }), async runs => {
      let disk = new HeldRows();
      let [a, b] = [new CutFile(), new CutFile()];
      let model: ReadonlyMap<string, string> = new Map();
      for (const { commits, holdFrom, torn, clean } of runs) {
        const rows = new JournaledRows(disk, [a, b], FILE_BYTES);
        assert.deepEqual(contents(rows), sorted(model));
        let last: Op[] = [];
        for (const [i, changes] of commits.entries()) {
          last = changes.map(({ n, length, fill }) => ({
            key: key(n),
            value: length === null ? null : Buffer.alloc(length, fill),
          }));
          // while a commit of the database hangs, the journal goes on until its second file is full
          disk.held = i >= holdFrom;
          const done = rows.commit(last).then(() => true);
          if (disk.held && !(await Promise.race([done, turn()]))) disk.release();
          await until(done, disk);
          model = apply(model, last);
          assert.deepEqual(contents(rows), sorted(model), 'a reader sees what is durable');
        }
        if (clean) {
          disk.held = false;
          disk.release();
          await rows.settle();
          assert.deepEqual(contents(disk), sorted(model), 'settled: the database alone holds everything');
          continue;
        }
        const cut = (sector: number): boolean => torn[sector % torn.length] as boolean;
        [a.cut, b.cut] = [cut, cut];
        void rows.commit(last.map(({ key: k }) => ({ key: k, value: Buffer.from('in flight') })));
        await turn();
        [disk, a, b] = [await survivor(disk), copyOf(a), copyOf(b)];
        const after = contents(new JournaledRows(disk, [a, b], FILE_BYTES));
        const withLast = apply(
          model,
          last.map(({ key: k }) => ({ key: k, value: Buffer.from('in flight') })),
        );
        if (JSON.stringify(after) === JSON.stringify(sorted(withLast))) model = withLast;
        assert.deepEqual(after, sorted(model));
      }
    }),
    { numRuns: 200 },
  );
});

test('a commit that was durable and is not whole is damage; one cut short at the end is not', async () => {
  const disk = new MemoryRows();
  const [a, b] = [new CutFile(), new CutFile()];
  const rows = new JournaledRows(disk, [a, b], FILE_BYTES);
  for (let n = 0; n < 5; n += 1) await rows.commit([{ key: key(n), value: Buffer.alloc(100, n) }]);
  const whole = Buffer.from(a.bytes as Buffer);
  const reopened = (): JournaledRows => new JournaledRows(disk, [a, b], FILE_BYTES);
  assert.equal(Object.keys(contents(reopened())).length, 5);
  const length = whole.length / 5;
  for (let at = 0; at < whole.length; at += 7) {
    a.bytes = Buffer.from(whole);
    a.bytes[at] = (a.bytes[at] as number) ^ 1;
    if (at < 4 * length) assert.throws(reopened, damaged, `byte ${at}`);
    else assert.equal(Object.keys(contents(reopened())).length, 4, `byte ${at}`);
  }
  a.bytes = undefined;
  assert.throws(reopened, damaged, 'a journal that is gone');
});

test('a write that fails is not stored, even when its bytes reached the disk; the next one is', async () => {
  const disk = new MemoryRows();
  const [a, b] = [new CutFile(), new CutFile()];
  const rows = new JournaledRows(disk, [a, b], FILE_BYTES);
  const large = Buffer.alloc(FILE_BYTES - 200, 7);
  await rows.commit([{ key: key(1), value: large }]);
  await rows.commit([{ key: key(4), value: Buffer.alloc(300) }]);
  b.failing = true;
  await assert.rejects(rows.commit([{ key: key(2), value: Buffer.of(2) }]), /disk failed/);
  assert.equal(rows.has(key(2)), false);
  b.failing = false;
  await rows.commit([{ key: key(3), value: large }]);
  const after = new JournaledRows(disk, [a, b], FILE_BYTES);
  assert.deepEqual(
    [1, 2, 3, 4].map(n => after.has(key(n))),
    [true, false, true, true],
  );
});

test('while the database takes nothing the journal goes on until it is full; then nothing is lost', async () => {
  const disk = new HeldRows();
  const [a, b] = [new CutFile(), new CutFile()];
  const rows = new JournaledRows(disk, [a, b], FILE_BYTES);
  await rows.commit([{ key: key(0), value: Buffer.alloc(500) }]);
  disk.failing = true;
  let stored = 1;
  await assert.rejects(async () => {
    for (; stored < 40; stored += 1) await rows.commit([{ key: key(stored), value: Buffer.alloc(500) }]);
  }, /no room/);
  assert.ok(stored > FILE_BYTES / 600, `${stored} stored`);
  assert.equal(rows.has(key(stored)), false);
  const cut = new JournaledRows(await survivor(disk), [copyOf(a), copyOf(b)], FILE_BYTES);
  assert.equal(Object.keys(contents(cut)).length, stored);
  disk.failing = false;
  await rows.commit([{ key: key(stored), value: Buffer.alloc(500) }]);
  const after = new JournaledRows(await survivor(disk), [copyOf(a), copyOf(b)], FILE_BYTES);
  assert.equal(Object.keys(contents(after)).length, stored + 1);
});

test('a commit longer than the journal goes past it, in its turn', async () => {
  const disk = new MemoryRows();
  const [a, b] = [new CutFile(), new CutFile()];
  const rows = new JournaledRows(disk, [a, b], FILE_BYTES);
  await rows.commit([{ key: key(1), value: Buffer.of(1) }]);
  const long: Op = { key: key(1), value: Buffer.alloc(2 * FILE_BYTES, 2) };
  assert.ok(encodeRecord(1, [long]).length > FILE_BYTES);
  await rows.commit([long]);
  await rows.commit([{ key: key(2), value: Buffer.of(3) }]);
  const after = new JournaledRows(disk, [a, b], FILE_BYTES);
  assert.deepEqual(after.get(key(1)), long.value);
  assert.deepEqual(after.get(key(2)), Buffer.of(3));
});

const turn = (): Promise<false> => new Promise(resolve => setImmediate(() => resolve(false)));

/** Lets the database go on as often as the commit needs it. */
async function until(done: Promise<boolean>, disk: HeldRows): Promise<void> {
  while (!(await Promise.race([done, turn()]))) disk.release();
}

function copyOf(file: CutFile): CutFile {
  const copy = new CutFile();
  copy.bytes = file.bytes && Buffer.from(file.bytes);
  return copy;
}

/** The database as it was at the cut: what it had not committed is gone. */
async function survivor(disk: HeldRows): Promise<HeldRows> {
  const copy = new HeldRows();
  const ops: Op[] = [];
  for (const row of disk.range(Buffer.of(0), Buffer.of(0xff, 0xff))) ops.push(row);
  await copy.commit(ops);
  return copy;
}
