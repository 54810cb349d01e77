import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreGone } from '../support/api-client.ts';
import { allOf, type GroupCore, groupOf } from '../support/group-cores.ts';
import { until } from '../support/real-core.ts';

/** Texts that each writes in a round, unless it is killed first. */
const TEXTS = 12;
/** So many of its own are answered when it is killed: another number in each round. */
const KILLED_AFTER = [1, 4, 7];

test('three cores that write to their group, each killed meanwhile: nothing is lost, nothing is there twice', async t => {
  const cores = await groupOf(t, 'Ada', 'Ben', 'Cleo');
  const [ada] = cores as [GroupCore, GroupCore, GroupCore];
  for (const [round, victim] of cores.entries()) {
    const before = victim.said.length;
    const writing = cores.map(core => write(core, round));
    // A commit is on its way as well.
    const renamed = ada.call('groups.rename', { group: ada.at, name: `round ${round}` }).catch(passIfGone);
    await until('some of its texts are answered', () => victim.said.length >= before + (KILLED_AFTER[round] ?? 1));
    await victim.kill();
    await Promise.all([...writing, renamed]);
    await victim.start();
  }
  const answered = cores.flatMap(core => core.said);
  const reads = async (core: GroupCore) => {
    const texts = new Set(await core.texts());
    return answered.every(text => texts.has(text));
  };
  await allOf('everybody reads all that was answered', cores, reads);
  const counts = async () => new Set(await Promise.all(cores.map(async core => (await core.texts()).length)));
  await until('everybody has the same', async () => (await counts()).size === 1);
  const order = await ada.texts();
  assert.equal(new Set(order).size, order.length, 'no text is there twice');
  for (const core of cores) {
    assert.deepEqual(await core.texts(), order, `${core.name} has the same, in the same order`);
    for (const [text, times] of core.came) assert.equal(times, 1, `${core.name} was told "${text}" more than once`);
  }
  await allOf('all have the last name', cores, async core => (await core.group()).name === 'round 2');
  t.diagnostic(`${answered.length} answered, ${order.length} there, 3 kills`);
  assert.ok(answered.length < 3 * 3 * TEXTS, 'somebody was killed while it wrote');
});

async function write(core: GroupCore, round: number): Promise<void> {
  for (let number = 0; number < TEXTS; number += 1) {
    const sent = await core.say(`${core.name} ${round}.${number}`).then(() => true, passIfGone);
    if (!sent) return;
  }
}

/** The core was killed before it answered: nobody knows whether it was done. */
function passIfGone(error: unknown): false {
  if (error instanceof CoreGone) return false;
  throw error;
}
