import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allOf, type GroupCore, groupOf } from '../support/group-cores.ts';

/** How long five cores may take to agree from the moment on at which they can reach each other again. */
const AGREE_MS = 10_000;
/** And until what the branch that lost had asked for is done on the one that won. */
const DONE_MS = 30_000;

const sameHead = (cores: readonly GroupCore[]) => {
  const [first] = cores;
  return first?.head !== undefined && cores.every(({ head }) => head === first.head);
};

test('five cores in two parts that commit at the same time agree when they are joined; nothing is lost', async t => {
  const startedAt = performance.now();
  const cores = await groupOf(t, 'Ada', 'Ben', 'Cleo', 'Dan', 'Eve');
  const [ada, ben, cleo, dan, eve] = cores as [GroupCore, GroupCore, GroupCore, GroupCore, GroupCore];
  await ada.call('groups.promote', { group: ada.at, member: 'Cleo' });
  await allOf('Cleo is an admin', [cleo], async core => (await core.group()).role === 'admin');
  await allOf('there is one head', [ada], () => sameHead(cores));
  const [here, there] = [
    [ada, ben],
    [cleo, dan, eve],
  ];
  t.diagnostic(`set up in ${Math.round(performance.now() - startedAt)} ms`);

  for (const core of here) core.wallOff(there);
  for (const core of there) core.wallOff(here);
  await allOf('Ada and Ben are alone', here, async core => (await core.meets()).length === 1);
  await allOf('the three are alone', there, async core => (await core.meets()).length === 2);
  await Promise.all([
    ada.call('groups.promote', { group: ada.at, member: 'Ben' }),
    cleo.call('groups.rename', { group: ada.at, name: 'Voyage' }),
    ...cores.map(core => core.say(`${core.name} in two parts`)),
  ]);
  await allOf('Ben is an admin', here, async () => (await ben.group()).role === 'admin' && sameHead(here));
  await allOf('it is Voyage', there, async core => (await core.group()).name === 'Voyage' && sameHead(there));
  assert.notEqual(ada.head, cleo.head, 'both parts have committed');
  await Promise.all(cores.map(core => core.say(`${core.name} on a branch`)));
  t.diagnostic(`apart at ${Math.round(performance.now() - startedAt)} ms`);

  const joinedAt = performance.now();
  for (const core of cores) core.wallOff([]);
  await allOf('all stand on one head', [ada], () => sameHead(cores), AGREE_MS);
  t.diagnostic(`agreed ${Math.round(performance.now() - joinedAt)} ms after they were joined`);
  const said = cores.flatMap(core => core.said).sort();
  const reads = async (core: GroupCore) => (await core.texts()).length === said.length;
  await allOf('everybody reads all', cores, reads, AGREE_MS);
  t.diagnostic(`all texts read ${Math.round(performance.now() - joinedAt)} ms after they were joined`);

  const done = async (core: GroupCore) => {
    const { name, people } = await core.group();
    return name === 'Voyage' && people.filter(({ role }) => role === 'admin').length === 3;
  };
  await allOf('what both parts asked for is done', cores, done, DONE_MS);
  await allOf('all stand on one head again', [ada], () => sameHead(cores), DONE_MS);
  t.diagnostic(`both changes done ${Math.round(performance.now() - joinedAt)} ms after they were joined`);
  const order = await ada.texts();
  assert.deepEqual([...order].sort(), said, 'each text once');
  for (const core of cores) {
    assert.deepEqual(await core.texts(), order, `${core.name} reads all in the same order`);
    for (const [text, times] of core.came) assert.equal(times, 1, `${core.name} was told "${text}" more than once`);
  }
  const left = cores.filter(({ healed }) => healed > 0).map(({ name }) => name);
  t.diagnostic(`left their branch: ${left.join(', ')}`);
  assert.ok(left.length > 0);
});
