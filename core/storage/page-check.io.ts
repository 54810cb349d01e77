import { type FileHandle, open } from 'node:fs/promises';
import { StorageError } from '../base/errors.ts';

/**
 * LMDB trusts its file: a damaged page can end the process or hand out a page twice. So before LMDB opens it, both
 * trees (rows and free pages) are walked here and every number in them is checked. Contents are not looked at:
 * rows carry their own authentication. Layout: LMDB data format 2, little endian, 64 bit, as built into lmdb-js 3.
 */

const PAGE_HEAD_BYTES = 24;
const META_BYTES = 152;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const [BRANCH, LEAF, OVERFLOW, META] = [1, 2, 4, 8];
const PAGE_KINDS = BRANCH | LEAF | OVERFLOW | META;
const NODE_HEAD_BYTES = 8;
const NODE_BIG = 1;
const NODE_FLAGS = 7;
const MAX_DEPTH = 32;
/** Pages read at a time by the walk over leaves. */
const NO_ROOT = 0xffff_ffff_ffff_ffffn;

interface Tree {
  readonly depth: number;
  readonly root: number | null;
  readonly entries: number;
}

interface Meta {
  readonly pageBytes: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  readonly free: Tree;
  readonly rows: Tree;
}

/** @throws StorageError database-damaged; an empty file is damaged too */
export async function checkPages(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await new PageCheck(file, await readMeta(file)).run();
  } catch (cause) {
    if (cause instanceof Damage) throw damagedPage(cause);
    throw cause;
  } finally {
    await file.close();
  }
}

class Damage extends Error {}

/** Pages with the structure that one walk needs; a Damage says what is wrong, and where. */
class PageCheck {
  readonly #file: FileHandle;
  readonly #meta: Meta;
  readonly #owned: Uint8Array;
  #pages = 0;

  constructor(file: FileHandle, meta: Meta) {
    this.#file = file;
    this.#meta = meta;
    this.#owned = new Uint8Array(meta.lastPage + 1);
  }

  async run(): Promise<void> {
    const { size } = await this.#file.stat();
    this.#pages = Math.floor(size / this.#meta.pageBytes);
    this.#owned.fill(1, 0, 2);
    const free: Buffer[] = [];
    await this.#tree(this.#meta.free, value => free.push(value));
    await this.#tree(this.#meta.rows);
    for (const list of free) this.#freeList(list);
  }

  async #tree(tree: Tree, each?: (value: Buffer) => void): Promise<void> {
    if (tree.root === null) {
      if (tree.entries !== 0 || tree.depth !== 0) throw new Damage('a tree without a root');
      return;
    }
    if (tree.depth < 1 || tree.depth > MAX_DEPTH) throw new Damage('the depth of a tree');
    const entries = await this.#page(tree.root, tree.depth, undefined, undefined, each);
    if (entries !== tree.entries) throw new Damage('the number of rows');
  }

  /** Checks a page and what hangs on it; keys must lie in [low, high). Returns the number of rows below. */
  async #page(
    number: number,
    depth: number,
    low: Buffer | undefined,
    high: Buffer | undefined,
    each: ((value: Buffer) => void) | undefined,
  ): Promise<number> {
    this.#own(number, 1);
    const page = await this.#read(number, 1);
    const kind = page.readUInt16LE(18) & PAGE_KINDS;
    if (page.readBigUInt64LE(0) !== BigInt(number)) throw new Damage(`page ${number}: its number`);
    if (page.readBigUInt64LE(8) > this.#meta.transaction) throw new Damage(`page ${number}: its time`);
    if (kind !== (depth > 1 ? BRANCH : LEAF)) throw new Damage(`page ${number}: its kind`);
    const nodes = nodesOf(page, number, depth > 1);
    const ordered = each ? compareNumbers : Buffer.compare;
    checkOrder(nodes, number, depth > 1, low, high, ordered);
    let entries = 0;
    for (const [i, node] of nodes.entries()) {
      if (depth > 1) {
        const [from, to] = [i === 0 ? low : node.key, nodes[i + 1]?.key ?? high];
        entries += await this.#page(node.child, depth - 1, from, to, each);
      } else {
        entries += 1;
        const value = await this.#value(page, node);
        each?.(value);
      }
    }
    return entries;
  }

  /** The value of a leaf node; of one on overflow pages only the head is read, unless it is a list of free pages. */
  async #value(page: Buffer, node: Node): Promise<Buffer> {
    if (!node.big) return page.subarray(node.dataAt, node.dataAt + node.dataBytes);
    const first = Number(page.readBigUInt64LE(node.dataAt));
    const count = Math.ceil((PAGE_HEAD_BYTES + node.dataBytes) / this.#meta.pageBytes);
    if (page.readBigUInt64LE(node.dataAt + 16) !== BigInt(count)) throw new Damage(`page ${first}: its length`);
    this.#own(first, count);
    const value = await this.#read(first, count);
    if (value.readBigUInt64LE(0) !== BigInt(first)) throw new Damage(`page ${first}: its number`);
    if ((value.readUInt16LE(18) & PAGE_KINDS) !== OVERFLOW) throw new Damage(`page ${first}: its kind`);
    if (value.readUInt32LE(20) !== count) throw new Damage(`page ${first}: its length`);
    return value.subarray(PAGE_HEAD_BYTES, PAGE_HEAD_BYTES + node.dataBytes);
  }

  /** Free pages belong to nobody else. Entries: 0 nothing, n a page, -n a run of n pages whose first comes next. */
  #freeList(list: Buffer): void {
    if (list.length < 8 || list.length % 8 !== 0) throw new Damage('a list of free pages');
    const count = Number(list.readBigInt64LE(0));
    if (count < 0 || count * 8 + 8 > list.length) throw new Damage('a list of free pages');
    for (let i = 1; i <= count; i += 1) {
      const entry = Number(list.readBigInt64LE(i * 8));
      if (entry > 0) this.#own(entry, 1);
      if (entry < 0) {
        i += 1;
        if (i > count) throw new Damage('a list of free pages');
        this.#own(Number(list.readBigInt64LE(i * 8)), -entry);
      }
    }
  }

  #own(first: number, count: number): void {
    if (!Number.isSafeInteger(first) || first < 2 || count < 1 || first + count - 1 > this.#meta.lastPage) {
      throw new Damage('a page outside the file');
    }
    for (let page = first; page < first + count; page += 1) {
      if (this.#owned[page]) throw new Damage(`page ${page}: used twice`);
      this.#owned[page] = 1;
    }
  }

  async #read(first: number, count: number): Promise<Buffer> {
    const { pageBytes } = this.#meta;
    if (first + count > this.#pages) throw new Damage(`page ${first}: beyond the end of the file`);
    const buffer = Buffer.allocUnsafeSlow(count * pageBytes);
    const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, first * pageBytes);
    if (bytesRead !== buffer.length) throw new Damage(`page ${first}: short read`);
    return buffer;
  }
}

interface Node {
  readonly key: Buffer;
  readonly child: number;
  readonly big: boolean;
  readonly dataAt: number;
  readonly dataBytes: number;
}

function nodesOf(page: Buffer, number: number, branch: boolean): Node[] {
  const [lower, upper] = [page.readUInt16LE(20), page.readUInt16LE(22)];
  const room = page.length - PAGE_HEAD_BYTES;
  if (lower % 2 !== 0 || lower > upper || upper > room || lower === 0) throw new Damage(`page ${number}: its bounds`);
  return Array.from({ length: lower / 2 }, (_, i) => {
    const at = PAGE_HEAD_BYTES + page.readUInt16LE(PAGE_HEAD_BYTES + i * 2);
    if (at < PAGE_HEAD_BYTES + upper || at + NODE_HEAD_BYTES > page.length) throw new Damage(`page ${number}: a node`);
    const [lo, hi, flags, keyBytes] = [0, 2, 4, 6].map(offset => page.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
      number,
    ];
    const keyAt = at + NODE_HEAD_BYTES;
    const dataAt = keyAt + keyBytes;
    const dataBytes = lo + hi * 0x1_0000;
    const big = !branch && (flags & NODE_BIG) !== 0;
    const end = branch ? dataAt : dataAt + (big ? 24 : dataBytes);
    if (end > page.length || (!branch && (flags & NODE_FLAGS & ~NODE_BIG) !== 0))
      throw new Damage(`page ${number}: a node`);
    return {
      key: page.subarray(keyAt, dataAt),
      child: lo + hi * 0x1_0000 + flags * 0x1_0000_0000,
      big,
      dataAt,
      dataBytes,
    };
  });
}

function checkOrder(
  nodes: readonly Node[],
  number: number,
  branch: boolean,
  low: Buffer | undefined,
  high: Buffer | undefined,
  compare: (a: Buffer, b: Buffer) => number,
): void {
  let last = low;
  for (const [i, { key }] of nodes.entries()) {
    // the first key of a branch page is implied
    if (branch && i === 0) continue;
    const order = last === undefined ? 1 : compare(key, last);
    if (order < 0 || (order === 0 && (i > 0 || branch))) throw new Damage(`page ${number}: the order of its keys`);
    if (high !== undefined && compare(key, high) >= 0) throw new Damage(`page ${number}: the order of its keys`);
    last = key;
  }
}

function compareNumbers(a: Buffer, b: Buffer): number {
  if (a.length !== 8 || b.length !== 8) throw new Damage('the key of a list of free pages');
  const [left, right] = [a.readBigUInt64LE(), b.readBigUInt64LE()];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The newer of the two meta pages, as LMDB chooses; both must be whole. */
async function readMeta(file: FileHandle): Promise<Meta> {
  const first = await readMetaAt(file, 0);
  const second = await readMetaAt(file, first.pageBytes);
  if (second.pageBytes !== first.pageBytes) throw damagedPage(new Damage('meta page 1: its page size'));
  return first.transaction >= second.transaction ? first : second;
}

async function readMetaAt(file: FileHandle, at: number): Promise<Meta> {
  const page = Buffer.alloc(PAGE_HEAD_BYTES + META_BYTES);
  const { bytesRead } = await file.read(page, 0, page.length, at);
  const meta = page.subarray(PAGE_HEAD_BYTES);
  const fine =
    bytesRead === page.length &&
    (page.readUInt16LE(18) & PAGE_KINDS) === META &&
    meta.readUInt32LE(0) === MAGIC &&
    (meta.readUInt32LE(4) & 0xffff) === DATA_VERSION;
  const pageBytes = meta.readUInt32LE(24);
  const lastPage = Number(meta.readBigUInt64LE(120));
  const { size } = await file.stat();
  const powerOfTwo = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  if (!fine || !powerOfTwo || lastPage < 1 || (lastPage - 1) * 64 > size + pageBytes * 4096) {
    throw damagedPage(new Damage(`the meta page at ${at}`));
  }
  return {
    pageBytes,
    lastPage,
    transaction: meta.readBigUInt64LE(128),
    free: treeAt(meta, 24),
    rows: treeAt(meta, 72),
  };
}

function treeAt(meta: Buffer, at: number): Tree {
  const root = meta.readBigUInt64LE(at + 40);
  return {
    depth: meta.readUInt16LE(at + 6),
    entries: Number(meta.readBigUInt64LE(at + 32)),
    root: root === NO_ROOT ? null : Number(root),
  };
}

function damagedPage(cause: Error): StorageError {
  return new StorageError(
    'database-damaged',
    'store.check',
    'The database is damaged on the disk. Nothing was changed; restore the folder "store" from a backup.',
    cause,
  );
}
