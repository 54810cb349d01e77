import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HOUR_MS } from '../../core/base/clock.ts';
import { CoreError } from '../../core/base/errors.ts';
import { type ContactId, parseEnvelopeId } from '../../core/base/ids.ts';
import { lockProfile } from '../../core/storage/lock.io.ts';
import { uint48 } from '../../core/storage/row-codec.ts';
import { openStore } from '../../core/storage/store.io.ts';
import type { Store } from '../../core/storage/store.ts';
import { ALICE_ID, BOB_ID, CONVERSATION, dataKey, messageId, storedMessage } from '../contract/storage-fixtures.ts';

/** One process of the storage tests. Arguments: what to do, the profile's folder, a number. Lines on stdout. */

const [task, folder = '', from = '0'] = process.argv.slice(2);
/** Under whose name the number of the last write is kept. */
const LAST = 'a'.repeat(26) as ContactId;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** Stores messages one after another; each is several rows, which must all be there or none. */
async function write(store: Store): Promise<void> {
  for (let n = Number(from); ; n += 1) {
    await store.write(tx => {
      store.messages.put(tx, CONVERSATION, storedMessage(n, { outgoing: true }));
      store.messages.setState(tx, messageId(n), { state: 'queued', atMs: n, receipt: null });
      store.verifications.put(tx, LAST, uint48(n));
      store.seen.add(tx, Buffer.alloc(32, n & 0xff), 1);
    });
    say(`ack ${n}`);
  }
}

/** Reads everything and says what is there. */
async function read(store: Store): Promise<void> {
  const messages = store.messages.newest(CONVERSATION, 1_000_000);
  const right = messages.filter(
    m => JSON.stringify(m) === JSON.stringify(storedMessage(m.hlc.ms - 1_700_000_000_000, { outgoing: true })),
  );
  const queued = store.messages.undelivered(CONVERSATION, 1_000_000);
  const byId = messages.filter(m => store.messages.get(m.id)?.text === m.text && store.messages.stateOf(m.id));
  const last = store.verifications.get(LAST)?.readUIntBE(0, 6) ?? 0;
  store.outbox.countOf(LAST);
  await store.write(tx => store.verifications.put(tx, LAST, uint48(last)));
  say(JSON.stringify({ count: messages.length, right: right.length, queued: queued.length, byId: byId.length, last }));
}

const TAGS = [0, 1, 2, 3, 4].map(n => Buffer.alloc(16, n));
const PEOPLE = [ALICE_ID, BOB_ID, null] as const;

/** Holds envelopes for others, gives some up, lets some expire: many rows at a time, and totals over them all. */
async function hold(store: Store): Promise<void> {
  for (let n = Number(from); ; n += 1) {
    const envelope = Buffer.alloc(200 + (n % 90), n);
    const envelopeId = parseEnvelopeId(createHash('sha256').update(`held ${n}`).digest());
    await store.write(tx => {
      store.custody.put(tx, {
        envelopeId,
        tag: TAGS[n % 5] as Buffer,
        depositor: PEOPLE[(n + 1) % 3] ?? null,
        promisedToOthers: n % 7 === 0,
        envelope,
        bytes: envelope.length,
        storedAtMs: n,
        expiresAtMs: (n + 40) * HOUR_MS,
      });
      const box = n % 4 === 0 ? store.custody.boxOf([TAGS[n % 5] as Buffer, TAGS[(n + 1) % 5] as Buffer], tx) : [];
      for (const oldest of box) {
        // What was just put may be alone there.
        if (oldest.storedAtMs < n) store.custody.remove(tx, oldest.envelopeId);
        break;
      }
      store.custody.expire(tx, n * HOUR_MS, 3);
      store.custody.putClock(tx, { forwardMs: n, wallMs: n });
    });
    say(`ack ${n}`);
  }
}

/** Counts what is held in every way there is; all ways must agree. */
async function count(store: Store): Promise<void> {
  const { custody } = store;
  const { envelopes, bytes } = custody.usage();
  const entries = custody.byTags(TAGS, 1_000_000);
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const answer = {
    last: custody.clock()?.forwardMs ?? -1,
    envelopes,
    byTags: entries.length,
    whole: entries.filter(e => custody.envelope(e.envelopeId)?.length === e.bytes).length,
    inBoxes: [...custody.boxOf(TAGS)].length,
    inParts: sum(PEOPLE.map(who => [...custody.partOf(TAGS, who)].length)),
    boxTotals: custody.usageOfTags(TAGS).envelopes,
    depositorTotals: sum(PEOPLE.map(who => custody.usageOfDepositor(who).envelopes)),
    newest: sum(entries.slice(-1).map(e => e.storedAtMs)),
    bytesMissing: bytes - sum(entries.map(e => e.bytes)),
    // looked at in a write that is given up
    expiring: -1,
    left: -1,
  };
  const looking = store.write(tx => {
    answer.expiring = custody.expire(tx, Number.MAX_SAFE_INTEGER / 2 ** 10, 1_000_000).length;
    answer.left = custody.usage(tx).bytes;
    throw new RangeError('only a look');
  });
  await looking.catch(error => {
    if (!(error instanceof RangeError)) throw error;
  });
  say(JSON.stringify(answer));
}

try {
  if (task === 'lock') {
    lockProfile(folder);
    // the handle is forgotten on purpose, and collected if anything lets it be
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
    say('locked');
    setInterval(() => readdirSync(folder), 1000);
  } else {
    const store = await openStore(folder, dataKey());
    if (task === 'write') await write(store);
    else if (task === 'hold') await hold(store);
    else if (task === 'count') await count(store);
    else await read(store);
    await store.close();
  }
} catch (error) {
  if (!(error instanceof CoreError)) throw error;
  say(JSON.stringify({ error: error.code, message: error.message }));
}
