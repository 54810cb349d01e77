import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import {
  afterDropping,
  judgeEnd,
  makeStamp,
  type OwnRuns,
  openStamp,
  type RunEnd,
} from '../../core/mailbox/instance.ts';
import { keepStamp, runOf, type Stamp, startsOf } from '../../core/wire/stamp.ts';

const key = systemRandom(32);
const run = (starts: number) => runOf(starts, systemRandom(4));
const reader = systemRandom(16);
const stamped = (of: Uint8Array, count: number, order = count) => makeStamp(key, { run: of, count }, reader, order);
/** As the owner judges what a contact says back. */
function judge(by: Uint8Array, own: OwnRuns, stamp: Stamp) {
  const end = openStamp(by, stamp);
  return end ? judgeEnd(own, end) : 'unproved';
}

/** A copy of a profile, as its disk has it. */
class Copy {
  own: OwnRuns;
  finds = 0;

  constructor(own: OwnRuns = { now: { run: run(1), count: 0 }, former: [], floor: 0 }) {
    this.own = own;
  }

  start(): void {
    const { now, former, floor } = this.own;
    const starts = Math.max(startsOf(now.run), floor) + 1;
    this.own = { now: { run: run(starts), count: 0 }, former: [now, ...former], floor };
  }

  seal(): Stamp {
    this.own = { ...this.own, now: { ...this.own.now, count: this.own.now.count + 1 } };
    return stamped(this.own.now.run, this.own.now.count);
  }

  /** @returns whether it found out that it is one of several */
  hear(seen: readonly Stamp[]): boolean {
    const ends = seen.map(stamp => openStamp(key, stamp) ?? assert.fail());
    const found: RunEnd[] = ends.filter(end => judgeEnd(this.own, end) === 'restored');
    if (found.length === 0) return false;
    this.own = afterDropping(this.own, found);
    this.finds += 1;
    return true;
  }
}

describe('what contacts saw of a profile', () => {
  const first = run(4);
  const own: OwnRuns = { now: { run: run(5), count: 9 }, former: [{ run: first, count: 30 }], floor: 2 };
  const judged = (stamp: Stamp) => judge(key, own, stamp);

  it('of the own past is known', () => {
    assert.equal(judged(stamped(own.now.run, 9)), 'known');
    assert.equal(judged(stamped(first, 30)), 'known');
    assert.equal(judged(stamped(run(2), 1000)), 'known');
  });

  it('further than the profile itself, or on another way, shows a copy', () => {
    assert.equal(judged(stamped(own.now.run, 10)), 'restored');
    assert.equal(judged(stamped(first, 31)), 'restored');
    for (const starts of [3, 4, 5, 6]) assert.equal(judged(stamped(run(starts), 1)), 'restored');
  });

  it('made up is ignored, whatever of it is changed', () => {
    for (const stamp of [stamped(first, 31), stamped(run(6), 1)]) {
      for (let bit = 0; bit < 8 * stamp.sealed.length; bit += 1) {
        const sealed = Buffer.from(stamp.sealed);
        sealed[bit >> 3] = (sealed[bit >> 3] as number) ^ (1 << (bit & 7));
        assert.equal(judged({ ...stamp, sealed }), 'unproved');
      }
      assert.equal(judge(systemRandom(32), own, stamp), 'unproved');
      assert.equal(judged({ ...stamp, alias: systemRandom(4), order: 1 }), 'restored', 'by what is sealed alone');
    }
  });

  it('shows a reader neither the run nor the count, and two readers nothing they share', () => {
    const [mine, next] = [stamped(own.now.run, 9, 1), stamped(own.now.run, 900, 2)];
    assert.deepEqual(mine.alias, next.alias);
    assert.equal(next.order - mine.order, 1);
    for (let at = 0; at + 4 <= mine.sealed.length; at += 1) {
      assert.notDeepEqual(mine.sealed.subarray(at, at + 4), next.sealed.subarray(at, at + 4));
    }
    assert.notDeepEqual(makeStamp(key, own.now, systemRandom(16), 1).alias, mine.alias);
  });

  it('is kept for a few runs, of each the furthest', () => {
    const startsIn = (stamp: Stamp) => startsOf((openStamp(key, stamp) ?? assert.fail()).run);
    const runs = Array.from({ length: LIMITS.stampsKept + 1 }, (_, at) => run(at + 1));
    let kept: Stamp[] = [];
    for (const of of runs) kept = keepStamp(kept, stamped(of, 3)) ?? kept;
    assert.deepEqual(kept.map(startsIn), [5, 4, 3, 2]);
    const [, , third] = runs;
    assert.ok(third);
    assert.equal(keepStamp(kept, stamped(third, 3)), undefined);
    assert.deepEqual(
      keepStamp(kept, stamped(third, 8))?.map(stamp => [startsIn(stamp), stamp.order]),
      [
        [3, 8],
        [5, 3],
        [4, 3],
        [2, 3],
      ],
    );
  });
});

describe('copies of one profile', () => {
  it('a copy from any moment of a run is found out by whoever saw anything after it', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 20 }), fc.nat(3), (before, after, restarts) => {
        const live = new Copy();
        live.start();
        for (let sealed = 0; sealed < before; sealed += 1) live.seal();
        const backup = new Copy(live.own);
        let seen: Stamp[] = [];
        for (let sealed = 0; sealed < after; sealed += 1) seen = keepStamp(seen, live.seal()) ?? seen;
        for (let restart = 0; restart < restarts; restart += 1) live.start();
        backup.start();
        assert.ok(backup.hear(seen));
        assert.ok(!backup.hear(seen), 'once');
        assert.ok(!live.hear(seen));
      }),
    );
  });

  it('two in use find each other once a start of the other, and no more', () => {
    const step = fc.record({ copy: fc.nat(1), contact: fc.nat(2), restart: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const origin = new Copy();
        const copies = [new Copy(origin.own), new Copy(origin.own)] as const;
        const starts = [1, 1];
        for (const copy of copies) copy.start();
        const seen: Stamp[][] = [[], [], []];
        for (const { copy: at, contact, restart } of steps) {
          const copy = copies[at] as Copy;
          if (restart) {
            copy.start();
            starts[at] = (starts[at] as number) + 1;
          }
          const kept = seen[contact] as Stamp[];
          copy.hear(kept);
          seen[contact] = keepStamp(kept, copy.seal()) ?? kept;
        }
        assert.ok(copies[0].finds <= (starts[1] as number), `${copies[0].finds} finds, ${starts[1]} starts`);
        assert.ok(copies[1].finds <= (starts[0] as number), `${copies[1].finds} finds, ${starts[0]} starts`);
      }),
    );
  });
});
