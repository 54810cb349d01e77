import assert from 'node:assert/strict';
import { until } from './real-core.ts';
import type { WatchedCore } from './watched-core.ts';

/**
 * Two people's talk when all is over: nothing acknowledged is lost, nothing is there twice or was told twice, every
 * state that was ever shown was true, and both see the same order.
 */
export async function assertTalkAgrees(one: WatchedCore, other: WatchedCore, timeoutMs = 120_000): Promise<number> {
  const [here, there] = [() => one.list(other.name), () => other.list(one.name)] as const;
  const ended = (list: Awaited<ReturnType<typeof here>>) =>
    list.every(({ outgoing, state }) => !outgoing || state === 'delivered' || state === 'read');
  const settled = async () => {
    const [a, b] = await Promise.all([here(), there()]);
    return a.length === b.length && ended(a) && ended(b);
  };
  await until(`all of ${one.name} and ${other.name} is delivered`, settled, timeoutMs);
  const [mine, theirs] = await Promise.all([here(), there()]);
  const order = mine.map(({ id }) => id);
  assert.deepEqual(
    theirs.map(({ id }) => id),
    order,
    'the same order on both sides',
  );
  assert.equal(new Set(order).size, order.length);
  assert.equal(new Set(mine.map(({ text }) => text)).size, order.length, 'no text twice');
  for (const [author, reader, list] of [
    [one, other, mine],
    [other, one, theirs],
  ] as const) {
    const own = new Set(list.filter(({ outgoing }) => outgoing).map(({ id }) => id));
    for (const id of author.acknowledged) assert.ok(own.has(id), `${author.name}'s ${id} was acknowledged`);
    for (const id of author.shown.keys()) assert.ok(own.has(id), `${author.name}'s ${id} was shown`);
    for (const [id, times] of author.came) assert.equal(times, 1, `${id} was told to ${author.name} more than once`);
    const lastRead = Math.max(-1, ...reader.readUpTo.map(id => order.indexOf(id)));
    const read = list.filter(({ id, state }) => state === 'read' && own.has(id)).map(({ id }) => order.indexOf(id));
    assert.ok(Math.max(-1, ...read) <= lastRead, `nothing is shown as read that ${reader.name} did not read`);
  }
  return order.length;
}
