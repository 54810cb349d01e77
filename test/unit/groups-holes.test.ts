import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ContactId } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { decodeChain, encodeChain } from '../../core/groups/chain-codec.ts';
import { type Act, type ActId, type Chain, type Chains, withAct } from '../../core/groups/chains.ts';
import type { EpochId } from '../../core/groups/group-crypto.ts';
import { missingIn } from '../../core/groups/holes.ts';

const sender = 'aaaaaaaaaaaaaaaaaaaaaaaaaa' as ContactId;
const epoch = 'e'.repeat(64) as EpochId;

function actAt(seq: number): Act {
  const id = (place: number) => place.toString(16).padStart(64, '0') as ActId;
  return { id: id(seq + 1), sender, seq, previous: seq === 0 ? null : id(seq), epoch };
}

function chainOf(places: readonly number[]): Chain {
  const chains = places.reduce<Chains>((before, seq) => withAct(before, actAt(seq)).chains, new Map());
  return chains.get(sender) as Chain;
}

describe('holes in what a member said', () => {
  it('are what lies between the places known, in whatever order these came', () => {
    const places = fc.uniqueArray(fc.nat({ max: 80 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(places, known => {
        const { holes } = chainOf(known);
        const [low, high] = [Math.min(...known), Math.max(...known)];
        const missing = Array.from({ length: high - low }, (_, at) => low + at).filter(seq => !known.includes(seq));
        const told = holes.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, at) => from + at));
        assert.deepEqual(told, missing);
        assert.equal(missingIn(holes), missing.length);
      }),
    );
  });

  it('stay few however far a member jumps and however often, and the newest are told of', () => {
    const places = Array.from({ length: 2_000 }, (_, at) => (at + 1) * 1_000_000);
    const chain = chainOf(places);
    assert.equal(chain.holes.length, LIMITS.groupHoles);
    assert.deepEqual(chain.holes.at(-1), { from: 1_999_000_001, to: 1_999_999_999 });
    const bytes = encodeChain(sender, chain);
    assert.deepEqual(decodeChain(bytes)[1].holes, chain.holes);
  });

  it('acts past the limit go, oldest first; the latest stays, and an old one that comes again changes nothing', () => {
    let chains: Chains = new Map();
    for (let seq = 0; seq <= LIMITS.groupActs; seq += 1) chains = withAct(chains, actAt(seq)).chains;
    const chain = chains.get(sender) as Chain;
    assert.equal(chain.acts.size, LIMITS.groupActs / 2);
    assert.equal(chain.latest.seq, LIMITS.groupActs);
    assert.equal(chain.first, LIMITS.groupActs / 2 + 1);
    assert.equal(withAct(chains, actAt(3)).chains, chains);
    assert.equal(withAct(chains, actAt(LIMITS.groupActs + 1)).news.forkedAt, null);
  });
});
