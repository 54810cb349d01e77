import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore } from '../../core/storage/store.io.ts';
import { dataKey, temporaryFolder } from '../contract/storage-fixtures.ts';
import { endOf, linesOf, runChild, startChild } from './storage-process.ts';

test('killed 12 times while holding for others: every row and total agrees, and nothing acknowledged is lost', async () => {
  const folder = temporaryFolder();
  await (await openStore(folder.path, dataKey(), { create: true })).close();
  let next = 0;
  for (let round = 0; round < 12; round += 1) {
    const child = startChild('hold', folder.path, next);
    const ended = endOf(child);
    let acknowledged = next;
    for await (const line of linesOf(child)) {
      assert.match(line, /^ack /);
      acknowledged = Number(line.slice(4)) + 1;
      if (acknowledged - next === 3 + ((round * 7) % 31)) child.kill('SIGKILL');
    }
    assert.equal((await ended).signal, 'SIGKILL');
    const { answer } = await runChild('count', folder.path);
    assert.ok(answer && !answer.error, JSON.stringify(answer));
    const { envelopes, last, newest, bytesMissing, left, ...counts } = answer as Record<string, number>;
    const ways = Object.entries(counts);
    assert.equal(ways.length, 7);
    for (const [way, count] of ways) assert.equal(count, envelopes, `${way} in round ${round}`);
    assert.deepEqual([bytesMissing, left], [0, 0]);
    assert.ok((last ?? -1) >= acknowledged - 1, `${last} after ${acknowledged - 1}`);
    assert.equal(newest, last, 'the envelope and the clock of one write');
    next = (last ?? 0) + 1;
  }
  folder.remove();
});
