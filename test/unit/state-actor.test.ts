import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Actor } from '../../core/state/actor.ts';
import { Bus } from '../../core/state/bus.ts';

describe('actor', () => {
  it('handles one batch at a time, in order; what gathers meanwhile is the next batch', async () => {
    const batches: number[][] = [];
    let running = 0;
    const actor = new Actor<number>(async batch => {
      running += 1;
      assert.equal(running, 1);
      batches.push(batch.map(entry => entry.step));
      await new Promise(setImmediate);
      running -= 1;
      for (const entry of batch) entry.settle(entry.step * 2);
    });
    const first = actor.ask<number>(1);
    await Promise.resolve();
    const rest = [2, 3, 4].map(step => actor.ask<number>(step));
    assert.deepEqual(await Promise.all([first, ...rest]), [2, 4, 6, 8]);
    assert.deepEqual(batches, [[1], [2, 3, 4]]);
  });

  it('a batch that throws fails its steps and nothing else', async () => {
    const actor = new Actor<string>(async batch => {
      if (batch[0]?.step === 'bad') throw new Error('disk');
      for (const entry of batch) entry.settle('fine');
    });
    await assert.rejects(actor.ask('bad'), /disk/);
    assert.equal(await actor.ask('good'), 'fine');
  });

  it('a step left unanswered fails, and a full inbox refuses', async () => {
    const silent = new Actor<number>(async () => undefined);
    await assert.rejects(silent.ask(1), (error: CoreError) => error.code === 'internal');
    const slow = new Actor<number>(async batch => {
      for (const entry of batch) entry.settle(0);
    });
    const asked = Array.from({ length: LIMITS.actorInbox }, () => slow.ask(0));
    await assert.rejects(slow.ask(0), (error: CoreError) => error.code === 'busy');
    await Promise.all(asked);
    await slow.stop();
    await assert.rejects(slow.ask(0), CoreError);
  });
});

describe('bus', () => {
  it('tells every listener, whatever another one throws, until it leaves', () => {
    const faults: unknown[] = [];
    const heard: string[] = [];
    const bus = new Bus<string>(fault => faults.push(fault));
    bus.subscribe(() => {
      throw new Error('listener');
    });
    const leave = bus.subscribe(event => heard.push(event));
    bus.emit('one');
    leave();
    bus.emit('two');
    assert.deepEqual(heard, ['one']);
    assert.equal(faults.length, 2);
  });
});
