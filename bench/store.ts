import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blake2b } from '../core/base/hash.ts';
import {
  contactIdOf,
  conversationIdOf,
  type MessageId,
  messageIdFromBytes,
  parseIdentityKey,
} from '../core/base/ids.ts';
import { Secret } from '../core/base/secret.ts';
import { systemRandom } from '../core/base/world.io.ts';
import type { StoredMessage } from '../core/storage/records.ts';
import { openStore } from '../core/storage/store.io.ts';
import type { Store } from '../core/storage/store.ts';
import { median, type Row } from './row.ts';

/** What the peer gives of a message: the same fields, in the same form. */
interface SqlPeer {
  insert(messages: readonly StoredMessage[]): void;
  newest(limit: number): StoredMessage[];
  close(): void;
}

/** A variable, so that types are checked where the peer is not installed. */
const PEER_MODULE: string = './sqlcipher-peer.mjs';
const BUILD_MODULE: string = './build-sqlcipher.mjs';
const PEER = 'better-sqlite3-multiple-ciphers (SQLCipher 4, WAL, synchronous=FULL)';
const MESSAGES = 100_000;
const BATCH = 1000;
const NOTE = '200 B texts with id, sender, time and parents; ids as text on both sides';
const MISSED = 'goal missed: time goes into opening rows and making their objects';
const MISSED_BULK = 'goal missed: time goes into hashing names, sealing and making buffers';
const MISSED_DURABLE =
  'goal missed: both wait for one sync; the peer blocks its process meanwhile, ours goes through the thread pool';
const ALICE = parseIdentityKey(Buffer.alloc(32, 1));
const BOB = parseIdentityKey(Buffer.alloc(32, 2));
const CONVERSATION = conversationIdOf(ALICE, BOB);
const [ALICE_ID, BOB_ID] = [contactIdOf(ALICE), contactIdOf(BOB)];

/** Times 100,000 sealed messages of 200 bytes with their index, against SQLCipher, turn about in one process. */
export async function run(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'molva-bench-store-'));
  try {
    const { buildSqlcipher } = (await import(BUILD_MODULE)) as { buildSqlcipher(): string | undefined };
    const missing = buildSqlcipher();
    if (missing) throw new Error(missing);
    const { openSqlPeer } = (await import(PEER_MODULE)) as { openSqlPeer(path: string): SqlPeer };
    const store = await openStore(folder, key(), { create: true });
    const salt = systemRandom(32);
    await store.write(tx =>
      store.conversations.put(tx, {
        id: CONVERSATION,
        contact: BOB_ID,
        group: null,
        salt,
        createdAtMs: 0,
        readUpTo: null,
        unread: 0,
        lateUnread: [],
      }),
    );
    const peer = openSqlPeer(join(folder, 'peer.db'));
    const rows = [
      await bulk(store, peer),
      compare(
        'store: newest 50 of a conversation',
        'ms',
        2,
        turns(
          401,
          () => newest(store, 50),
          () => peer.newest(50),
        ),
      ),
      await oneDurable(store, peer),
      compare(
        'store: read and open 100,000',
        'ms',
        2,
        turns(
          5,
          () => scan(store),
          () => peer.newest(MESSAGES + 1000),
        ),
      ),
    ];
    await store.close();
    peer.close();
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const key = (): Secret => Secret.take(systemRandom(32));

function messageIdAt(n: number): MessageId {
  const seed = Buffer.alloc(8);
  seed.writeUIntBE(n, 0, 6);
  return messageIdFromBytes(blake2b(16, seed));
}

function messageAt(n: number): StoredMessage {
  return {
    id: messageIdAt(n),
    sender: n % 2 === 0 ? ALICE_ID : BOB_ID,
    hlc: { ms: 1_700_000_000_000 + n * 10, counter: 0 },
    outgoing: n % 2 === 0,
    parents: n === 0 ? [] : [messageIdAt(n - 1)],
    text: `${n} `.padEnd(200, 'lorem ipsum '),
    receivedAtMs: 1_700_000_000_000 + n * 10,
    late: false,
  };
}

/** Both in transactions of 1000, turn about, so that both meet the same moments of the machine. */
async function bulk(store: Store, peer: SqlPeer): Promise<Row> {
  let [ours, theirs] = [0, 0];
  for (let n = 0; n < MESSAGES; n += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) => messageAt(n + i));
    let at = performance.now();
    await store.write(tx => {
      for (const message of batch) store.messages.put(tx, CONVERSATION, message);
    });
    ours += performance.now() - at;
    at = performance.now();
    peer.insert(batch);
    theirs += performance.now() - at;
  }
  return row(
    'store: bulk insert of 100,000',
    'ms a thousand',
    3,
    ours / (MESSAGES / BATCH),
    theirs / (MESSAGES / BATCH),
    MISSED_BULK,
  );
}

async function oneDurable(store: Store, peer: SqlPeer): Promise<Row> {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let n = 0; n < 300; n += 1) {
    const message = messageAt(MESSAGES + n);
    let at = performance.now();
    await store.write(tx => store.messages.put(tx, CONVERSATION, message));
    ours.push(performance.now() - at);
    at = performance.now();
    peer.insert([message]);
    theirs.push(performance.now() - at);
  }
  return compare('store: one durable message', 'ms', 1, [ours, theirs], MISSED_DURABLE);
}

function newest(store: Store, limit: number): StoredMessage[] {
  const found = store.messages.newest(CONVERSATION, limit);
  if (found.length !== limit) throw new Error('messages are missing');
  return found;
}

function scan(store: Store): void {
  if (store.messages.newest(CONVERSATION, MESSAGES * 2).length < MESSAGES) throw new Error('messages are missing');
}

function turns(rounds: number, ours: () => unknown, theirs: () => unknown): [number[], number[]] {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    for (const [i, run] of [ours, theirs].entries()) {
      const at = performance.now();
      run();
      times[i as 0 | 1].push(performance.now() - at);
    }
  }
  return times;
}

function compare(name: string, unit: string, goal: number, [ours, theirs]: [number[], number[]], why = MISSED): Row {
  return row(name, unit, goal, median(ours), median(theirs), why);
}

function row(name: string, unit: string, goal: number, value: number, peerValue: number, why = MISSED): Row {
  const ratio = peerValue / value;
  const figures = { value: round(value), peer: PEER, peerValue: round(peerValue), ratio: round(ratio) };
  return {
    name,
    unit,
    ...figures,
    goal,
    goalOf: 'ratio',
    better: 'less',
    note: ratio < goal ? `${NOTE}; ${why}` : NOTE,
  };
}

const round = (value: number): number => Number(value.toPrecision(3));

if (import.meta.main) {
  for (const line of await run()) process.stdout.write(`${JSON.stringify(line)}\n`);
}
