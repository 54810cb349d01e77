import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, CoreGone } from '../support/api-client.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** How often one of the three is killed; each time at a random moment of what goes on. */
const KILLS = Number(process.env.MOLVA_KILLS ?? 12);
const SEED = Number(process.env.MOLVA_SEED ?? randomInt(2 ** 31));

/** A repeatable source of numbers below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends a few texts; what was acknowledged is remembered, whatever happens to the core meanwhile. */
async function write(core: RealCore, acknowledged: Set<string>, batch: number): Promise<void> {
  let api: ApiClient | undefined;
  try {
    api = await core.connect();
    for (let number = 0; number < 10; number += 1) {
      acknowledged.add((await api.call('messages.send', { who: 'Ben', text: `${batch}/${number}` })).id);
    }
  } catch (error) {
    if (!(error instanceof CoreGone)) throw error;
  } finally {
    api?.close();
  }
}

async function heard(core: RealCore, who: string): Promise<{ id: string; state: string; text: string }[]> {
  const api = await core.connect();
  try {
    return (await api.call('messages.list', { who, limit: 10_000 })).messages;
  } finally {
    api.close();
  }
}

test('three cores killed while they send, place, hold, pull and acknowledge: nothing lost, nothing twice', async t => {
  t.diagnostic(`MOLVA_SEED=${SEED} MOLVA_KILLS=${KILLS}`);
  const random = numbers(SEED);
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  const cleo = await RealCore.make(t, 'Cleo');
  await Promise.all([ada.start(), ben.start(), cleo.start()]);
  await introduce(ada, ben);
  await introduce(ada, cleo);
  await introduce(ben, cleo);
  const acknowledged = new Set<string>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    // Ben is there every other time, so that half of all goes by Cleo.
    if (kill % 2 === 0) await ben.kill();
    const writing = write(ada, acknowledged, kill);
    await delay(random() * 400);
    if (kill % 2 === 0) await ben.start();
    const victim = [ada, ben, cleo][Math.floor(random() * 3)] as RealCore;
    await delay(random() * 1_000);
    await victim.kill();
    await writing;
    await victim.start();
  }
  assert.ok(acknowledged.size > 0);
  const delivered = async () => {
    const own = (await heard(ada, 'Ben')).filter(({ id }) => acknowledged.has(id));
    return own.length === acknowledged.size && own.every(({ state }) => state === 'delivered');
  };
  await until('all that was acknowledged is delivered', delivered, 120_000);
  const came = await heard(ben, 'Ada');
  const ids = came.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(new Set(came.map(({ text }) => text)).size, came.length);
  for (const id of acknowledged) assert.ok(ids.includes(id));
});
