import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type EnvelopeId, parseEnvelopeId, parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import type { FrameChannel } from '../../core/network/swarm.ts';
import { Answers } from '../../core/state/answers.ts';
import { decodeDelivery } from '../../core/wire/delivery.ts';
import { VirtualTime } from '../support/virtual-time.ts';

/** A channel whose peer reads only when told to. */
class UnreadChannel implements FrameChannel {
  readonly peer = parseTransportKey(systemRandom(32));
  readonly frames = (async function* () {})();
  readonly sent: Uint8Array[] = [];
  closed = false;
  waiting: { frame: Uint8Array; resolve: () => void; reject: (error: Error) => void }[] = [];

  send(frame: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({ frame, resolve, reject }));
  }

  read(): void {
    for (const { frame, resolve } of this.waiting.splice(0)) {
      this.sent.push(frame);
      resolve();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(new Error('closed'));
  }
}

function answersOn(channel: FrameChannel, onRefused: (inARow: number) => void = () => undefined) {
  const time = new VirtualTime();
  const answers = new Answers(channel, time, onRefused);
  return { time, answers };
}

const newId = (): EnvelopeId => parseEnvelopeId(systemRandom(32));
const answered = (channel: UnreadChannel): number =>
  channel.sent.reduce((sum, frame) => {
    const answer = decodeDelivery(frame);
    return sum + (answer.kind === 'envelope' ? 0 : answer.ids.length);
  }, 0);

describe('answers on a channel', () => {
  it('a peer that does not read its answers is not read: what is owed is bounded, and goes on when it reads', async () => {
    const channel = new UnreadChannel();
    const { time, answers } = answersOn(channel);
    const total = 3_000;
    let read = 0;
    const reading = (async () => {
      for (; read < total; read += 1) {
        await answers.room();
        answers.await(newId(), Promise.resolve('stored'));
      }
    })();
    await time.pass(1_000);
    assert.equal(read, LIMITS.pushWindow * 2);
    assert.equal(channel.waiting.length, 1, 'one frame at a time');
    for (let round = 0; answered(channel) < total && round < 1_000; round += 1) {
      channel.read();
      await time.pass(1);
    }
    await reading;
    assert.equal(answered(channel), total);
  });

  it('a channel that is lost while answers wait holds nobody', async () => {
    const channel = new UnreadChannel();
    const { time, answers } = answersOn(channel);
    for (let index = 0; index < LIMITS.pushWindow * 2; index += 1) answers.await(newId(), Promise.resolve('refused'));
    const room = answers.room();
    await time.pass(1);
    await channel.close();
    await time.run(room);
    await time.run(answers.decided());
  });

  it('counts refusals in a row, from the last that was stored', async () => {
    const channel = new UnreadChannel();
    const counts: number[] = [];
    const { time, answers } = answersOn(channel, inARow => counts.push(inARow));
    for (const verdict of ['refused', 'refused', 'stored', 'refused'] as const) {
      answers.await(newId(), Promise.resolve(verdict));
      await time.pass(1);
      channel.read();
      await time.pass(1);
    }
    assert.deepEqual(counts, [1, 2, 1]);
  });

  it('an outcome that is not the fault of the envelope closes the channel without an answer', async () => {
    const channel = new UnreadChannel();
    const { time, answers } = answersOn(channel);
    answers.await(newId(), Promise.reject(new Error('disk')));
    await time.run(answers.decided());
    assert.equal(channel.closed, true);
    assert.equal(answered(channel), 0);
  });
});
