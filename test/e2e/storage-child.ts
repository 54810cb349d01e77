import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CoreError } from '../../core/base/errors.ts';
import type { ContactId } from '../../core/base/ids.ts';
import { lockProfile } from '../../core/storage/lock.io.ts';
import { uint48 } from '../../core/storage/row-codec.ts';
import { openStore } from '../../core/storage/store.io.ts';
import type { Store } from '../../core/storage/store.ts';
import { CONVERSATION, dataKey, messageId, storedMessage } from '../contract/storage-fixtures.ts';

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
    else await read(store);
    await store.close();
  }
} catch (error) {
  if (!(error instanceof CoreError)) throw error;
  say(JSON.stringify({ error: error.code, message: error.message }));
}
