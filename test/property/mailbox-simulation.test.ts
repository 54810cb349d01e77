import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseEnvelopeId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { COPIES } from '../../core/mailbox/placement.ts';
import { explain } from '../../sim/explain.ts';
import { countPaths } from '../../sim/paths.ts';
import { exactly } from '../../sim/rules.ts';
import { Run } from '../../sim/run-world.ts';
import { makeWorld, type WorldOptions } from '../../sim/world.ts';
import { freshSeed } from '../support/mutate.ts';

const options: WorldOptions = { seed: freshSeed(), people: 48, messages: 600, hoursOnline: 3, copies: COPIES, days: 3 };

function run(change: Partial<WorldOptions> = {}, sabotage: (run: Run) => void = () => undefined): Run {
  const made = new Run(makeWorld({ ...options, ...change }));
  sabotage(made);
  made.execute();
  return made;
}

/** Every hour of the run, for everyone. */
function hourly(made: Run, what: (person: number) => void): void {
  for (let atMs = made.world.startMs; atMs < made.world.endMs; atMs += 3_600_000) {
    made.timeline.at(atMs, () => made.world.contacts.forEach((_, person) => void what(person)));
  }
}

describe(`simulation, seed ${options.seed}`, () => {
  it('delivers whatever has a path, once, with true states and within the quotas', () => {
    for (const copies of [COPIES, exactly(3)]) {
      const made = run({ copies });
      const paths = countPaths(made);
      assert.deepEqual(made.checks.firstFindings, []);
      assert.deepEqual([...paths.lost, ...paths.underplaced], []);
      if (copies === COPIES) assert.deepEqual(paths.missed, [], explain(made, paths.missed[0] ?? 0).join('\n'));
      assert.ok(paths.withPlaced > 50 && paths.withAny > 50 && made.checks.counts.states > 1_000, 'something to check');
    }
  });

  it('things do go wrong on the way', () => {
    // A small world can be spared a partition now and then; this one is not.
    const { world, weather, checks } = run({ seed: 7 });
    const { framesLost, connectionsBroken, framesOvertaking, connectionsParted } = weather.counts;
    const { carriedAgain, depositsAgain, refused, quotas } = checks.counts;
    const counts = { framesLost, connectionsBroken, framesOvertaking, connectionsParted };
    for (const [what, count] of Object.entries({ ...counts, carriedAgain, depositsAgain, refused, quotas })) {
      assert.ok(count > 0, what);
    }
    assert.ok(world.vanishedAtMs.size >= world.contacts.length / 10);
    const pairs = world.contacts.reduce((sum, known) => sum + known.length, 0) / 2;
    assert.ok(world.apart.size >= pairs / 5);
  });

  it('the same seed gives the same run, another seed another', () => {
    const [first, again, other] = [run(), run(), run({ seed: options.seed ^ 1 })];
    assert.equal(first.checks.trace, again.checks.trace);
    assert.notEqual(first.checks.trace, other.checks.trace);
  });

  it('notices messages that more copies would have delivered, and says who would have', () => {
    // A small world can be spared this too.
    const made = run({ seed: 7, copies: exactly(1) });
    const explained = countPaths(made).missed.map(message => explain(made, message).join('\n'));
    assert.ok(explained.some(lines => lines.includes('was given no copy')));
  });

  it('notices custodians that lose what they hold', () => {
    const made = run({}, broken => hourly(broken, person => broken.program(person).custody.rows.clear()));
    assert.ok((made.checks.findings.get('false-held') ?? 0) > 0);
  });

  it('notices custodians that take what they cannot hand on', () => {
    const made = run({}, broken => {
      for (const person of broken.world.contacts.keys()) broken.program(person).custody.contactOf = () => 0;
    });
    assert.ok((made.checks.findings.get('useless') ?? 0) > 0);
  });

  it('notices programs that forget what they have taken in', () => {
    const made = run({}, broken => hourly(broken, person => broken.program(person).seen.clear()));
    assert.ok((made.checks.findings.get('twice') ?? 0) > 0);
  });

  it('notices programs that do not pull, and programs that place too little', () => {
    const silent = run({}, broken => {
      for (const person of broken.world.contacts.keys()) broken.program(person).pulls.begin = () => undefined;
    });
    assert.ok(countPaths(silent).lost.length > 0);
    const lazy = run({}, broken => {
      for (const person of broken.world.contacts.keys()) broken.program(person).custody.ask = () => undefined;
    });
    assert.ok(countPaths(lazy).underplaced.length > 0);
  });

  it('notices a quota that is passed', () => {
    const made = run({}, broken =>
      hourly(broken, person => {
        const id = parseEnvelopeId(Buffer.alloc(32, person));
        const row = {
          envelopeId: id,
          name: 'x',
          seq: 0,
          tag: '',
          box: '',
          depositor: null,
          dueMs: Infinity,
          untilMs: 0,
        };
        broken.program(person).custody.rows.set('x', { ...row, bytes: LIMITS.mailboxBytes + 1 });
      }),
    );
    assert.ok((made.checks.findings.get('quota') ?? 0) > 0);
  });
});
