import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { DecodeError } from '../../core/base/errors.ts';
import { decodeActs, encodeActs } from '../../core/groups/chain-codec.ts';
import type { GroupState } from '../../core/groups/group-state.ts';
import { LayeredMap } from '../../core/groups/layered-map.ts';
import { decodeGroup, encodeGroup } from '../../core/groups/state-codec.ts';
import { Waiting } from '../../core/groups/waiting.ts';
import { standIns } from '../../sim/groups/cryptos.ts';
import { GroupRun } from '../../sim/groups/run-world.ts';
import { freshSeed, mutateBytes, seededNumbers } from '../support/mutate.ts';

const seed = freshSeed();

/** What groups hold after a time of trouble, and what they do not hold then. */
async function troubled(): Promise<GroupState<unknown>[]> {
  const run: GroupRun = new GroupRun({ seed, members: 8, operations: 40, days: 1 }, standIns());
  await run.execute();
  const states = run.people.flatMap(({ state }) => state ?? []);
  const [first, second] = states as [GroupState<unknown>, GroupState<unknown>];
  const waiting = Waiting.from(
    run.posts.slice(0, 3).map((post, at) => ({ post, sinceMs: at, origin: { ref: null, share: '' } })),
  );
  const queued = [Buffer.from('words'), { kind: 'rename', name: 'Name' } as const, { kind: 'leave' } as const];
  const { id, seq } = [...first.lineage.chains.values()][0]?.latest ?? assert.fail();
  return [
    ...states,
    { ...first, waiting, queued, catchingUp: true, doubt: 'root', resumeFrom: { seq, id }, renewedIn: first.head },
    { ...second, lineage: { ...second.lineage, stale: new Set([id]) }, asks: new Map() },
  ];
}

describe(`a group at rest, seed ${seed}`, () => {
  let states: GroupState<unknown>[];
  before(async () => {
    states = await troubled();
  });

  it('comes back as it was', () => {
    assert.ok(states.length > 6);
    for (const state of states) {
      const bytes = encodeGroup(state);
      const again = decodeGroup(bytes, state.states, state.waiting);
      assert.deepEqual(plain(again), plain(state));
      assert.deepEqual(encodeGroup(again), bytes);
    }
  });

  it('comes back with what members did in rows apart, in any number and order of rows', () => {
    for (const state of states) {
      const rows = [...state.lineage.chains].flatMap(([member, { acts }]) => {
        return [...acts.values()].map((_, at, all) => encodeActs(member, at % 3 === 0 ? all.slice(at, at + 3) : []));
      });
      const acts = rows.reverse().flatMap(decodeActs);
      const again = decodeGroup(encodeGroup(state, 'none'), state.states, state.waiting, acts);
      assert.deepEqual(plain(again), plain(state));
      assert.ok(encodeGroup(state, 'none').length < encodeGroup(state).length);
    }
  });

  it('what was damaged is refused, or is another group’s in the one form', () => {
    const samples = states.slice(-3).map(state => encodeGroup(state));
    const number = seededNumbers(seed);
    let refused = 0;
    for (let count = 0; count < 400; count += 1) {
      const bytes = mutateBytes(samples, number);
      try {
        assert.deepEqual(encodeGroup(decodeGroup(bytes, new Map())), bytes);
      } catch (cause) {
        if (!(cause instanceof DecodeError)) throw cause;
        refused += 1;
      }
    }
    assert.ok(refused > 100);
  });
});

/** Maps by what they hold, bytes by their values; who is admin is a set. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map || value instanceof LayeredMap || value instanceof Set) return [...value].map(plain).sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, part]) => {
    if (name === 'admins') return [name, [...part].sort()];
    return [name, name === 'states' ? null : plain(part)];
  });
  return Object.fromEntries(fields);
}

describe('a map in layers', () => {
  it('is a Map to whoever reads it, and every version stays as it was', () => {
    const number = seededNumbers(seed);
    const versions: [ReadonlyMap<number, number>, Map<number, number>][] = [[new Map(), new Map()]];
    for (let count = 0; count < 300; count += 1) {
      const [layered, whole] = versions[versions.length - 1] as (typeof versions)[0];
      const key = Math.floor(number() * 100);
      versions.push([LayeredMap.with(layered, key, count), new Map(whole).set(key, count)]);
    }
    for (const [layered, whole] of versions) {
      assert.deepEqual([...layered], [...whole]);
      assert.deepEqual([...layered.keys(), ...layered.values()], [...whole.keys(), ...whole.values()]);
      const each: unknown[] = [];
      layered.forEach((value, key) => void each.push([key, value]));
      assert.deepEqual(each, [...whole]);
      assert.equal(layered.size, whole.size);
      for (let key = 0; key < 100; key += 1)
        assert.deepEqual([layered.get(key), layered.has(key)], [whole.get(key), whole.has(key)]);
    }
  });
});
