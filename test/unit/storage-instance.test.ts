import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import type { Op } from '../../core/storage/port.ts';
import { beginInstance, type StartsFile } from '../../core/storage/start-instance.ts';
import { STARTS_FILE, startsFile } from '../../core/storage/starts-file.io.ts';
import { openMemoryStore } from '../../core/storage/store.io.ts';
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

async function start(disk: Disk, powerFor = Number.POSITIVE_INFINITY, seenStarts?: number): Promise<Start> {
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
    ...(seenStarts === undefined ? {} : { seenStarts }),
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

test('a contact that saw a later start of a copy makes this one begin anew above it', async () => {
  const disk = new Disk();
  await start(disk);
  assert.deepEqual(await start(disk, Number.POSITIVE_INFINITY, 41), found(42));
  assert.deepEqual(await start(disk), ordinary(43));
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
