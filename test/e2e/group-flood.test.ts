import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { HOUR_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { encodeEnvelope, expiryHours } from '../../core/wire/envelope.ts';
import { Stranger } from '../support/gossip-stranger.ts';
import { allOf, type GroupCore, groupOf } from '../support/group-cores.ts';
import { until } from '../support/real-core.ts';

/** Messages of all strangers together; resident memory may grow by so much beside them. */
const MESSAGES = 10_000;
const GROWTH_BYTES = 64 * 1024 * 1024;
/** Texts said during the flood, and how long one may take to a member who is connected. */
const TEXTS = 20;
const SPREAD_MS = 10_000;
/** Texts in a row of which nobody who flooded hears: then it is told nothing any more. */
const UNHEARD = 3;

const sealed = (expiresAtMs: number) =>
  encodeEnvelope({ tag: randomBytes(16), expiresAtHours: expiryHours(expiresAtMs), sealed: randomBytes(256) });

/** What each stranger sprays, and its share of all. */
const FLOODS: Readonly<Record<string, readonly [share: number, make: () => Uint8Array]>> = {
  malformed: [0.3, () => randomBytes(300)],
  expired: [0.3, () => sealed(Date.now() - 2 * HOUR_MS)],
  'of a tag that is unknown': [0.3, () => sealed(Date.now() + HOUR_MS)],
  'too large': [0.1, () => randomBytes(LIMITS.envelopeBytes + 1)],
};

function memoryOf(core: GroupCore): number {
  if (process.platform !== 'linux') return 0;
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${core.core.pid}/status`, 'utf8'))?.[1]) * 1024;
}

/** Takes part in all topics that the core has told it, as any neighbour may. */
async function subscriber(t: TestContext, core: GroupCore): Promise<{ stranger: Stranger; topic: string }> {
  const { network } = await core.call('status.get', {});
  const stranger = await Stranger.meet(`${network.addresses[0]}/p2p/${network.peerId}`);
  t.after(() => stranger.stop());
  const topics = () => stranger.heard.flatMap(rpc => rpc.subscriptions.map(({ topic }) => topic ?? ''));
  await until('the core has told its topics', () => topics().length > 0);
  stranger.subscribe(topics());
  return { stranger, topic: topics()[0] as string };
}

async function comes(core: GroupCore, text: string): Promise<void> {
  await until(`${core.name} hears "${text}"`, () => core.came.has(text), SPREAD_MS);
}

test('a group talks while strangers flood its topic with 10,000 messages, which are told nothing more in the end', async t => {
  const cores = await groupOf(t, 'Ada', 'Ben');
  const [ada, ben] = cores as [GroupCore, GroupCore];
  const floods = await Promise.all(
    Object.entries(FLOODS).map(async flood => ({ flood, ...(await subscriber(t, ben)) })),
  );
  const heardBy = () => floods.map(({ stranger }) => stranger.heard.flatMap(({ messages }) => messages).length);
  await ben.say('before');
  await until('all of them take part', () => heardBy().every(count => count > 0));
  const before = memoryOf(ben);

  let sprayed = 0;
  for (const { flood, stranger, topic } of floods) {
    const [, [share, make]] = flood;
    for (let i = 0; i < MESSAGES * share; i += 1) stranger.message(topic, make());
    sprayed += MESSAGES * share;
  }
  assert.equal(Math.round(sprayed), MESSAGES);
  let largest = 0;
  for (let i = 0; i < TEXTS; i += 1) {
    const [from, to] = i % 2 === 0 ? [ada, ben] : [ben, ada];
    await from.say(`text ${i}`);
    await comes(to, `text ${i}`);
    largest = Math.max(largest, memoryOf(ben));
  }
  let unheard = 0;
  await until('those who flood are told nothing', async () => {
    const told = heardBy().join();
    const text = `probe ${ben.said.length}`;
    await ben.say(text);
    await comes(ada, text);
    unheard = told === heardBy().join() ? unheard + 1 : 0;
    return unheard === UNHEARD;
  });
  largest = Math.max(largest, memoryOf(ben));
  const grown = largest - before;
  t.diagnostic(
    `memory grew by ${(grown / 2 ** 20).toFixed(1)} MiB; the strangers heard ${heardBy().join(', ')} messages`,
  );
  assert.ok(grown < GROWTH_BYTES, `${grown} bytes`);
  const said = cores.flatMap(core => core.said).length;
  await allOf('both read all', cores, async core => (await core.texts()).length === said);
});
