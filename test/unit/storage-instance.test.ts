import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LIMITS } from '../../core/base/limits.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import type { Op } from '../../core/storage/port.ts';
import { beginInstance, runOfInstance, type StartsFile } from '../../core/storage/start-instance.ts';
import { STARTS_FILE, startsFile } from '../../core/storage/starts-file.io.ts';
import { openMemoryStore } from '../../core/storage/store.io.ts';
import { startsOf } from '../../core/wire/stamp.ts';
import { dataKey, temporaryFolder } from '../contract/storage-fixtures.ts';

/** A profile's disk: rows that outlive a store, and the small file; both can be copied, put back and made to fail. */
class Disk extends MemoryRows implements StartsFile {
  bytes: Buffer | undefined;
  /** Changes to the disk until the power goes; the one it goes in is lost. */
  left = Number.POSITIVE_INFINITY;

  override async commit(ops: readonly Op[]): Promise<void> {
    this.#spend();
    await super.commit(ops);
  }

  override async close(): Promise<void> {}

  read(): Buffer | undefined {
    return this.bytes;
  }

  write(bytes: Uint8Array): void {
    this.#spend();
    this.bytes = Buffer.from(bytes);
  }

  /** What the file system says of the file; null: nothing to rely on. */
  noted: string | null = null;

  place(): string | null {
    return this.noted;
  }

  rows(): Op[] {
    return [...this.range(Buffer.of(0), Buffer.of(0xff))];
  }

  async putBack(rows: readonly Op[]): Promise<void> {
    this.left = Number.POSITIVE_INFINITY;
    await super.commit(this.rows().map(({ key }) => ({ key, value: null })));
    await super.commit(rows);
  }

  #spend(): void {
    if (this.left <= 0) throw new RangeError('no power');
    this.left -= 1;
  }
}

interface Start {
  readonly restored: boolean;
  readonly dropped: boolean;
  readonly starts: number;
}

async function start(disk: Disk, powerFor = Number.POSITIVE_INFINITY): Promise<Start> {
  disk.left = Number.POSITIVE_INFINITY;
  const store = await openMemoryStore(dataKey(), {}, disk);
  let dropped = false;
  disk.left = powerFor;
  const { instance, restored } = await beginInstance(store, {
    file: disk,
    make: starts => ({ starts, incarnation: randomBytes(16) }),
    dropStale: () => {
      dropped = true;
    },
  });
  assert.deepEqual(store.instances.own()?.starts, instance.starts);
  return { restored, dropped, starts: instance.starts };
}

const ordinary = (starts: number): Start => ({ restored: false, dropped: false, starts });
const found = (starts: number): Start => ({ restored: true, dropped: true, starts });

test('starts are counted, and an ordinary start drops nothing', async () => {
  const disk = new Disk();
  for (const starts of [1, 2, 3]) assert.deepEqual(await start(disk), ordinary(starts));
});

test('a start cut short anywhere, again and again, is not taken for a profile put back', async () => {
  for (const cuts of [[0], [1], [2], [1, 1], [2, 2, 1], [1, 0, 2]]) {
    const disk = new Disk();
    await start(disk);
    for (const cut of cuts) await assert.rejects(start(disk, cut), RangeError);
    const next = await start(disk);
    assert.deepEqual([next.restored, next.dropped], [false, false], `cut after ${cuts} changes`);
    assert.ok(next.starts > 1);
  }
  const fresh = new Disk();
  for (const cut of [0, 1, 2]) await assert.rejects(start(fresh, cut), RangeError);
  assert.equal((await start(fresh)).restored, false, 'nor the very first');
});

test('a database put back under its file is found out, also when the start that finds it is cut short', async () => {
  for (const cuts of [[], [0], [1], [1, 1], [1, 0, 1]]) {
    const disk = new Disk();
    await start(disk);
    const old = disk.rows();
    await start(disk);
    await disk.putBack(old);
    for (const cut of cuts) await assert.rejects(start(disk, cut), RangeError);
    const next = await start(disk);
    assert.deepEqual([next.restored, next.dropped], [true, true], `cut after ${cuts} changes`);
    assert.equal((await start(disk)).restored, false, 'once');
  }
});

test('a start that dropped everything and was cut short after that does not drop again', async () => {
  const disk = new Disk();
  await start(disk);
  const old = disk.rows();
  await start(disk);
  await disk.putBack(old);
  await assert.rejects(start(disk, 2), RangeError);
  assert.deepEqual(await start(disk), ordinary(4));
});

test('a file put back, gone, damaged or another profile’s is found out too', async () => {
  const disk = new Disk();
  await start(disk);
  const old = disk.bytes;
  await start(disk);
  disk.bytes = old;
  assert.deepEqual(await start(disk), found(3));
  disk.bytes = undefined;
  assert.deepEqual(await start(disk), found(4));
  disk.bytes = Buffer.from('something else');
  assert.deepEqual(await start(disk), found(5));
  assert.deepEqual(await start(disk), ordinary(6));
});

test('every start has a run of its own; those before are known with how far they came, up to a number of them', async () => {
  const disk = new Disk();
  await start(disk);
  const store = await openMemoryStore(dataKey(), {}, disk);
  await store.write(tx => store.instances.putCount(tx, 7));
  const own = store.instances.own();
  assert.ok(own);
  const first = runOfInstance(own);
  await start(disk);
  const [ended] = store.instances.former().runs;
  assert.deepEqual([Buffer.from(ended?.run ?? []), ended?.count], [first, 7]);
  assert.equal(store.instances.count(), 0);
  for (let starts = 2; starts <= LIMITS.formerRuns; starts += 1) await start(disk);
  const { runs, floor } = store.instances.former();
  assert.deepEqual([runs.length, floor, startsOf(runs.at(-1)?.run ?? first)], [LIMITS.formerRuns, 0, 1]);
  await start(disk);
  assert.deepEqual([store.instances.former().runs.length, store.instances.former().floor], [LIMITS.formerRuns, 1]);
});

test('a start takes a number above every start whose keys were dropped', async () => {
  const disk = new Disk();
  await start(disk);
  const store = await openMemoryStore(dataKey(), {}, disk);
  await store.write(tx => store.instances.putFormer(tx, { runs: [], floor: 41 }));
  assert.deepEqual(await start(disk), ordinary(42));
});

test('file and database put back together are found out by what the file system says of the file', async () => {
  const disk = new Disk();
  for (const [noted, restored] of [
    ['a', false],
    ['a', false],
    ['b', true],
    ['b', false],
    [null, false],
    ['c', false],
    ['c', false],
  ] as const) {
    disk.noted = noted;
    assert.equal((await start(disk)).restored, restored, `${noted}`);
  }
});

test('a start cut short leaves no note to go by, and is not taken for a folder put back', async () => {
  for (const cut of [0, 1, 2, 3]) {
    const disk = new Disk();
    let writes = 0;
    disk.place = () => `change ${writes}`;
    const write = disk.write.bind(disk);
    disk.write = bytes => {
      write(bytes);
      writes += 1;
    };
    await start(disk);
    await assert.rejects(start(disk, cut), RangeError);
    assert.equal((await start(disk)).restored, false, `cut after ${cut} changes`);
    assert.equal((await start(disk)).restored, false);
  }
});

test('a file that was copied over has another place, one that was only read has not', async t => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const path = join(folder.path, STARTS_FILE);
  const file = startsFile(folder.path);
  file.write(Buffer.from('one'));
  const place = file.place();
  if (place === null) return t.skip('the file system of the temporary folder keeps no time to rely on');
  assert.equal(readFileSync(path, 'utf8'), 'one');
  assert.equal(file.place(), place);
  copyFileSync(path, `${path}.backup`);
  copyFileSync(`${path}.backup`, path);
  assert.notEqual(file.place(), place);
});

test('the file is the owner’s alone, says nothing in the clear and is replaced whole', async () => {
  const folder = temporaryFolder();
  const file = startsFile(folder.path);
  const store = await openMemoryStore(dataKey());
  assert.equal(file.read(), undefined);
  const incarnation = Buffer.alloc(16, 'incarnate');
  const options = { file, make: (starts: number) => ({ starts, incarnation }), dropStale: () => assert.fail() };
  for (let starts = 1; starts < 4; starts += 1) {
    assert.equal((await beginInstance(store, options)).instance.starts, starts);
  }
  const path = join(folder.path, STARTS_FILE);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(readFileSync(path).includes('incarnate'), false);
  assert.equal(existsSync(`${path}.new`), false);
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    writeFileSync(path, changed);
    assert.equal(store.instances.openMark(file.read() ?? assert.fail()), undefined);
  }
  await store.close();
  folder.remove();
});
