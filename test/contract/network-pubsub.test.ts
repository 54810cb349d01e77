import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseTransportKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Secret } from '../../core/base/secret.ts';
import { systemMonotonic, systemScheduler } from '../../core/base/world.io.ts';
import { type OnMessage, parseTopic, type Topic, type Verdict } from '../../core/network/pubsub.ts';
import { createSwarm } from '../../core/network/swarm.io.ts';
import type { Swarm } from '../../core/network/swarm.ts';
import { MemoryNetwork } from '../support/memory-network.ts';

const memory = new MemoryNetwork(systemScheduler, {}, systemMonotonic);
const worlds = [
  { name: 'memory', create: () => memory.createSwarm(parseTransportKey(randomBytes(32))) },
  {
    name: 'libp2p',
    create: () =>
      createSwarm({
        transportSeed: Secret.take(randomBytes(32)),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        lastPorts: [],
        onFault: fault => faults.push(fault),
      }),
  },
];
const faults: unknown[] = [];

const LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const newTopic = (): Topic => parseTopic([...randomBytes(32)].map(byte => LETTERS[byte & 31]).join(''));
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const said = (...words: readonly (string | number)[]) => Buffer.from(words.join(' '));

/** Waits for what the test is about; the limit only ends a test that fails. */
async function until(what: string, done: () => boolean): Promise<void> {
  for (const end = systemMonotonic() + 20_000; !done(); await delay(5)) {
    assert.ok(systemMonotonic() < end, `never: ${what}`);
  }
}

/** One who takes part, and what it got. */
class Member {
  readonly swarm: Swarm;
  readonly got: string[] = [];
  readonly from: Uint8Array[] = [];

  constructor(swarm: Swarm) {
    this.swarm = swarm;
  }

  join(topic: Topic, judge: (message: string) => Verdict | Promise<Verdict> = () => 'accept'): () => void {
    const onMessage: OnMessage = (bytes, from) => {
      this.got.push(text(bytes));
      this.from.push(from);
      return judge(text(bytes));
    };
    return this.swarm.pubsub().join(topic, onMessage);
  }

  publish(topic: Topic, ...words: readonly (string | number)[]): Promise<number> {
    return this.swarm.pubsub().publish(topic, said(...words));
  }

  peersOf(topic: Topic): number {
    return this.swarm.pubsub().peersOf(topic);
  }

  async dial(other: Member): Promise<void> {
    await this.swarm.dial({ transportKey: other.swarm.transportKey, addresses: other.swarm.addresses() });
  }
}

for (const world of worlds) {
  describe(`pubsub over ${world.name}`, () => {
    const running = new Set<Swarm>();
    const people = async (count: number): Promise<Member[]> => {
      const members = Array.from({ length: count }, () => new Member(world.create()));
      for (const { swarm } of members) {
        running.add(swarm);
        await swarm.start();
      }
      return members;
    };
    const at = (members: readonly Member[], index: number) => members[index] as Member;
    const inLine = async (members: readonly Member[]) => {
      for (let i = 1; i < members.length; i += 1) await at(members, i - 1).dial(at(members, i));
    };
    const allToAll = async (members: readonly Member[]) => {
      for (const [i, member] of members.entries()) for (const other of members.slice(i + 1)) await member.dial(other);
    };
    const know = (topic: Topic, members: readonly Member[], counts: readonly number[]) =>
      until('all know of each other', () => members.every((member, i) => member.peersOf(topic) === counts[i]));
    const line = async (count: number, topic: Topic) => {
      const members = await people(count);
      await inLine(members);
      return { members, met: () => know(topic, members, [1, ...Array(count - 2).fill(2), 1]) };
    };
    after(async () => {
      for (const swarm of running) await swarm.stop();
      assert.deepEqual(faults.splice(0), []);
    });

    it('carries messages between two, both ways, and says to how many and from whom', async () => {
      const topic = newTopic();
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      a.join(topic);
      assert.equal(await a.publish(topic, 'nobody there'), 0);
      await a.dial(b);
      b.join(topic);
      await know(topic, members, [1, 1]);
      assert.equal(await a.publish(topic, 'hello'), 1);
      assert.equal(await b.publish(topic, 'good day'), 1);
      await until('both got it', () => a.got.length > 0 && b.got.length > 0);
      assert.deepEqual([a.got, b.got], [['good day'], ['hello']]);
      assert.deepEqual([a.from, b.from], [[b.swarm.transportKey], [a.swarm.transportKey]]);
      // What reached nobody may be published again; what was sent may not.
      assert.equal(await a.publish(topic, 'nobody there'), 1);
      assert.equal(await a.publish(topic, 'hello'), 0);
      await until('the message is there', () => b.got.includes('nobody there'));
    });

    it('reaches all of five in a line', async t => {
      const topic = newTopic();
      const { members, met } = await line(5, topic);
      for (const member of members) member.join(topic);
      await met();
      const begun = systemMonotonic();
      assert.equal(await at(members, 0).publish(topic, 'from one end'), 1);
      await until('all have it', () => members.slice(1).every(({ got }) => got.length === 1));
      t.diagnostic(`five in a line: ${systemMonotonic() - begun} ms`);
      assert.deepEqual(at(members, 4).from, [at(members, 3).swarm.transportKey]);
      assert.deepEqual(at(members, 0).got, []);
    });

    it('brings each message once to each of five, though it comes by several ways', async () => {
      const topic = newTopic();
      const members = await people(5);
      for (const member of members) member.join(topic);
      await allToAll(members);
      await know(topic, members, [4, 4, 4, 4, 4]);
      const words = Array.from({ length: 20 }, (_, i) => i);
      for (const word of words) for (const [who, member] of members.entries()) await member.publish(topic, who, word);
      await until('all have all', () => members.every(({ got }) => new Set(got).size === 80));
      // A copy that is still under way comes before what is sent after it.
      for (const [who, member] of members.entries()) await member.publish(topic, who, 'last');
      await until('all have the last', () => members.every(({ got }) => new Set(got).size === 84));
      for (const { got } of members) assert.equal(got.length, 84);
    });

    it('takes in one who comes late', async () => {
      const topic = newTopic();
      const { members, met } = await line(3, topic);
      at(members, 0).join(topic);
      at(members, 1).join(topic);
      await know(topic, members.slice(0, 2), [1, 1]);
      await at(members, 0).publish(topic, 'before');
      await until('the second has it', () => at(members, 1).got.length === 1);
      at(members, 2).join(topic);
      await met();
      await at(members, 0).publish(topic, 'after');
      await until('the late one has it', () => at(members, 2).got.includes('after'));
    });

    it('passes on only what is accepted, and not before', async () => {
      const topic = newTopic();
      const { members, met } = await line(3, topic);
      const [a, b, c] = [at(members, 0), at(members, 1), at(members, 2)];
      const judged = Promise.withResolvers<Verdict>();
      a.join(topic);
      c.join(topic);
      b.join(topic, async word => {
        if (word === 'slow') return judged.promise;
        return word === 'bad' ? 'reject' : word === 'old' ? 'ignore' : 'accept';
      });
      await met();
      await a.publish(topic, 'old');
      await a.publish(topic, 'good');
      await until('the good one is there', () => c.got.length > 0);
      assert.deepEqual([b.got, c.got], [['old', 'good'], ['good']]);
      await a.publish(topic, 'slow');
      await until('it is being judged', () => b.got.includes('slow'));
      await b.publish(topic, 'meanwhile');
      await until('the next is there', () => c.got.includes('meanwhile'));
      assert.ok(!c.got.includes('slow'));
      judged.resolve('accept');
      await until('it was passed on', () => c.got.includes('slow'));
      await a.publish(topic, 'bad');
      await until('it was judged', () => b.got.includes('bad'));
      await b.publish(topic, 'end');
      await until('the end is there', () => c.got.includes('end'));
      assert.ok(!c.got.includes('bad'));
    });

    it('listens no more to one who sends what must be rejected, and goes on with others', async () => {
      const topic = newTopic();
      const { members, met } = await line(3, topic);
      const [bad, b, c] = [at(members, 0), at(members, 1), at(members, 2)];
      for (const member of [bad, c]) member.join(topic);
      b.join(topic, word => (word.startsWith('bad') ? 'reject' : 'accept'));
      await met();
      let sent = 0;
      await until('the bad one is told nothing more', () => {
        sent += 1;
        void bad.publish(topic, 'bad', sent);
        return b.got.filter(word => word.startsWith('bad')).length >= 3;
      });
      let [heard, tried] = [0, 0];
      for (; heard !== 1; tried += 1) {
        heard = await b.publish(topic, 'to all', tried);
        assert.ok(tried < 4_000, 'still sent to the bad one');
        await delay(5);
      }
      await bad.publish(topic, 'good');
      await c.publish(topic, 'from another');
      await until('others are heard', () => b.got.includes('from another'));
      await until('others hear', () => c.got.includes(`to all ${tried - 1}`));
      assert.ok(!b.got.includes('good') && !c.got.includes('good'));
      assert.ok(c.got.every(word => !word.startsWith('bad')));
    });

    it('refuses what is empty, too large, not joined, joined twice or too much', async () => {
      const topic = newTopic();
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      const pubsub = a.swarm.pubsub();
      await assert.rejects(pubsub.publish(topic, said('x')), { code: 'bad-request' });
      const leave = a.join(topic);
      assert.throws(() => a.join(topic), { code: 'already-exists' });
      for (const length of [0, LIMITS.envelopeBytes + 1])
        await assert.rejects(pubsub.publish(topic, Buffer.alloc(length)), { code: 'too-large' });
      b.join(topic);
      await a.dial(b);
      await know(topic, members, [1, 1]);
      const largest = randomBytes(LIMITS.envelopeBytes);
      assert.equal(await pubsub.publish(topic, largest), 1);
      await until('the largest is there', () => b.got.length === 1);
      assert.equal(b.got[0], text(largest));
      const others = Array.from({ length: LIMITS.gossipTopics - 1 }, () => a.join(newTopic()));
      assert.throws(() => a.join(newTopic()), { code: 'limit-reached' });
      for (const other of others) other();
      leave();
      leave();
      await assert.rejects(pubsub.publish(topic, said('x')), { code: 'bad-request' });
    });

    it('goes from one topic to the next with an overlap', async () => {
      const [today, tomorrow] = [newTopic(), newTopic()];
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      const ends = members.map(member => member.join(today));
      await a.dial(b);
      await know(today, members, [1, 1]);
      for (const member of members) member.join(tomorrow);
      await know(tomorrow, members, [1, 1]);
      await a.publish(today, 'one');
      await b.publish(tomorrow, 'two');
      await until('both ways are open', () => a.got.length === 1 && b.got.length === 1);
      ends[0]?.();
      await until('the other knows', () => b.peersOf(today) === 0);
      assert.equal(await b.publish(today, 'three'), 0);
      ends[1]?.();
      await a.publish(tomorrow, 'four');
      await until('the new topic goes on', () => b.got.includes('four'));
      assert.deepEqual([a.got, b.got], [['two'], ['one', 'four']]);
    });

    it('goes on when a peer was gone and is back, even many times', async () => {
      const topic = newTopic();
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      for (const member of members) member.join(topic);
      for (let round = 0; round < 5; round += 1) {
        await Promise.allSettled([a.dial(b), b.dial(a)]);
        await know(topic, members, [1, 1]);
        await until('it is sent', () => {
          void a.publish(topic, 'round', round);
          return b.got.includes(`round ${round}`);
        });
        await b.swarm.disconnect(a.swarm.transportKey);
        await know(topic, members, [0, 0]);
      }
      assert.deepEqual(
        b.got.sort(),
        [0, 1, 2, 3, 4].map(round => `round ${round}`),
      );
    });

    it('holds a hundred topics apart', async () => {
      const topics = Array.from({ length: 100 }, newTopic);
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      const got = new Map<Topic, string[]>(topics.map(topic => [topic, []]));
      for (const topic of topics) {
        a.join(topic);
        b.swarm.pubsub().join(topic, bytes => {
          got.get(topic)?.push(text(bytes));
          return 'accept';
        });
      }
      await a.dial(b);
      for (const topic of topics) await know(topic, members, [1, 1]);
      for (const [i, topic] of topics.entries()) assert.equal(await a.publish(topic, 'topic', i), 1);
      await until('each has its own', () => [...got.values()].every(words => words.length > 0));
      assert.deepEqual(
        [...got.values()],
        topics.map((_, i) => [`topic ${i}`]),
      );
    });

    it('is not filled by one who floods: others are heard meanwhile, and nothing more is read of it', async () => {
      const topic = newTopic();
      const { members, met } = await line(3, topic);
      const [flood, b, c] = [at(members, 0), at(members, 1), at(members, 2)];
      let junk = 0;
      flood.join(topic);
      c.join(topic);
      b.swarm.pubsub().join(topic, bytes => {
        if (bytes.length > 1_000) junk += 1;
        else b.got.push(text(bytes));
        return bytes.length > 1_000 ? 'reject' : 'accept';
      });
      await met();
      const [begun, total] = [systemMonotonic(), 2_000];
      for (let i = 0; i < total; i += 1) {
        void flood.swarm.pubsub().publish(topic, randomBytes(4_000));
        if (i % 200 === 0) await c.publish(topic, 'honest', i);
        if (i % 20 === 0) await delay(0);
      }
      await until('all honest ones are there', () => b.got.length === 10);
      assert.ok(systemMonotonic() - begun < 20_000);
      await b.publish(topic, 'and back');
      await until('the honest one hears', () => c.got.includes('and back'));
      assert.ok(junk >= 3 && junk < total, `${junk} of ${total} were read`);
      assert.deepEqual(c.got, ['and back']);
    });

    it('is over when its node stops', async () => {
      const topic = newTopic();
      const members = await people(2);
      const [a, b] = [at(members, 0), at(members, 1)];
      for (const member of members) member.join(topic);
      await a.dial(b);
      await know(topic, members, [1, 1]);
      await b.swarm.stop();
      await until('the other knows', () => a.peersOf(topic) === 0);
      assert.equal(await a.publish(topic, 'x'), 0);
      assert.equal(await b.publish(topic, 'x'), 0);
    });
  });
}
