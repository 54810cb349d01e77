import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { LIMITS } from '../../core/base/limits.ts';
import { introduce, LOOPBACK, RealCore, until } from './real-core.ts';
import { flood, learn } from './strangers.ts';

const MIB = 1024 * 1024;
/** How much the core may grow. */
const GROWTH_BYTES = 50_000_000;
const IDENTITIES = 8;
/** A point of the curve that is printed, in tenths of a second. */
const CURVE_EVERY = 100;
/** Between two texts of one honest person. */
const PAUSE_MS = 100;
/** How long an honest text may take beside the flood. */
const DELIVERED_MS = 10_000;

/** Resident memory of a core, as the operating system counts it where it says so. */
async function memoryOf(core: RealCore): Promise<number> {
  if (process.platform !== 'linux') return (await core.call('status.get', {})).memoryBytes;
  return residentOf(core, 'VmRSS');
}

/** `RssAnon` is its own, `RssFile` what is mapped of files: programs and the database, which the system takes back. */
function residentOf(core: RealCore, kind: 'VmRSS' | 'RssAnon' | 'RssFile'): number {
  const line = new RegExp(`${kind}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${core.pid}/status`, 'utf8'));
  return Number(line?.[1]) * 1024;
}

/** Sends texts one after the other until told to stop; how long each took from the call to the signed receipt. */
async function talk(from: RealCore, who: string, more: () => boolean): Promise<number[]> {
  const client = await from.connect();
  const times: number[] = [];
  const waiting = new Map<string, () => void>();
  const done = new Set<string>();
  client.onEvent(event => {
    if (event.event !== 'message-state' || event.state !== 'delivered') return;
    done.add(event.id);
    waiting.get(event.id)?.();
  });
  while (more()) {
    const startedAt = performance.now();
    const { id } = await client.call('messages.send', { who, text: `honest ${times.length}` });
    if (!done.has(id)) await new Promise<void>(resolve => waiting.set(id, resolve));
    times.push(performance.now() - startedAt);
    await delay(PAUSE_MS);
  }
  client.close();
  return times.sort((a, b) => a - b);
}

/** One core is flooded by strangers while it talks with two contacts. */
export async function surviveFlood(t: TestContext, envelopes: number): Promise<void> {
  const [ada, ben, cleo] = await Promise.all(['Ada', 'Ben', 'Cleo'].map(nick => RealCore.make(t, nick)));
  assert.ok(ada && ben && cleo);
  // Only a helper holds anything for strangers.
  await ada.start(['--passphrase-file', ada.passphraseFile, ...LOOPBACK, '--helper']);
  await Promise.all([ben, cleo].map(core => core.start()));
  await introduce(ada, ben);
  await introduce(ada, cleo);
  const [own, of] = await Promise.all([learn(ada), learn(ben)]);
  for (let calm = 0; calm < 2; calm += 1) {
    let left = 20;
    const more = () => left-- > 0;
    await Promise.all([talk(ben, 'Ada', more), talk(ada, 'Cleo', more)]);
  }
  const before = await memoryOf(ada);
  let peak = before;
  let flooding = true;
  const curve: string[] = [];
  const watching = (async () => {
    for (let round = 0; flooding; round += 1) {
      peak = Math.max(peak, await memoryOf(ada));
      if (round % CURVE_EVERY === 0 && process.platform === 'linux') {
        curve.push((['RssAnon', 'RssFile'] as const).map(kind => Math.round(residentOf(ada, kind) / MIB)).join('+'));
      }
      await delay(100);
    }
  })();
  const honest = Promise.all([talk(ben, 'Ada', () => flooding), talk(ada, 'Cleo', () => flooding)]);
  const startedAt = performance.now();
  const options = { envelopes, identities: IDENTITIES };
  const counts = await flood(own.target, [own.mailbox, of.mailbox], options).finally(() => {
    flooding = false;
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const times = await honest;
  await watching;
  const after = await memoryOf(ada);
  t.diagnostic(`${JSON.stringify(counts)} in ${seconds.toFixed(1)} s`);
  const [low, high, late] = [before, peak, after].map(bytes => (bytes / MIB).toFixed(1));
  t.diagnostic(`memory of the core: ${low} MiB before, ${high} MiB at most, ${late} MiB after`);
  if (curve.length > 0) t.diagnostic(`own and mapped MiB, every ten seconds: ${curve.join(' ')}`);
  for (const [index, sorted] of times.entries()) {
    const at = (part: number) => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0);
    t.diagnostic(
      `${index === 0 ? 'Ben to Ada' : 'Ada to Cleo'}: ${sorted.length} texts, half within ${at(0.5)} ms, 99 % ${at(0.99)} ms, all ${at(1)} ms`,
    );
    assert.ok(sorted.length > 5 && at(1) < DELIVERED_MS, 'honest texts go on');
  }
  assert.equal(counts.accepted + counts.refused + counts.cut, envelopes);
  assert.ok(counts.accepted > 0 && counts.refused > 0);
  assert.ok(peak - before < GROWTH_BYTES, 'memory is bounded');
  const { bytes } = await ada.call('custody.get', {});
  assert.ok(bytes > 0 && bytes <= LIMITS.mailboxStrangerBytes, `${bytes} bytes are held for strangers`);
  assert.deepEqual(await ada.call('requests.list', {}), []);
  await until('nothing waits', async () => (await ada.call('status.get', {})).queued === 0);
}
