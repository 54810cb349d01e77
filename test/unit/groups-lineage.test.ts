import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ContactId } from '../../core/base/ids.ts';
import { type Act, type ActId, type Chain, type Chains, withAct } from '../../core/groups/chains.ts';
import type { EpochId } from '../../core/groups/group-crypto.ts';
import { GroupTurn } from '../../core/groups/group-turn.ts';
import { doubtOf, headAfter, headOf, type Lineage } from '../../core/groups/lineage.ts';
import { EMPTY_TREE, type Epoch, rolledBack, type Tree, withEpoch } from '../../core/groups/tree.ts';
import { Circle, type Member, random } from '../support/group-circle.ts';
import { freshSeed, seededNumbers } from '../support/mutate.ts';

const MEMBERS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as ContactId[];
const [A, B, C, D, E] = MEMBERS as [ContactId, ContactId, ContactId, ContactId, ContactId];
const ROOT = 'root' as EpochId;
const seed = freshSeed();

function epoch(id: string, parent: string | null, committer: ContactId | null, change: Partial<Epoch> = {}): Epoch {
  return {
    id: id as EpochId,
    parent: parent as EpochId | null,
    number: 0,
    committer,
    members: MEMBERS,
    data: { name: '', admins: [A, B], honoured: new Map() },
    ranking: MEMBERS,
    returned: null,
    judgements: [],
    asks: [],
    ...change,
  };
}

function act(sender: ContactId, seq: number, at: string, variant = ''): Act {
  const name = (place: number): ActId => `${sender}${place}` as ActId;
  const previous = seq === 0 ? null : name(seq - 1);
  return { id: `${name(seq)}${variant}` as ActId, sender, seq, previous, epoch: at as EpochId };
}

function lineage(epochs: readonly Epoch[], acts: readonly Act[]): Lineage {
  const tree = epochs.reduce<Tree>(withEpoch, EMPTY_TREE);
  const chains = acts.reduce<Chains>((known, made) => withAct(known, made).chains, new Map());
  return { tree, chains, stale: new Set() };
}

const headIn = (epochs: readonly Epoch[], acts: readonly Act[]): string => headOf(lineage(epochs, acts), [ROOT]);

function shuffled<T>(items: readonly T[], number: () => number): T[] {
  return items
    .map(item => [number(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

/** Epochs and acts as a careless and partly dishonest group would make them. */
function randomWorld(number: () => number): { epochs: Epoch[]; acts: Act[] } {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(number() * items.length)] as T;
  const epochs = [epoch(ROOT, null, null)];
  for (let count = 0; count < 14; count += 1) {
    const judgements =
      number() < 0.3
        ? [{ kind: pick(['remove', 'demote'] as const), author: pick([A, B, C]), member: pick(MEMBERS) }]
        : [];
    const ranking = shuffled(MEMBERS, number);
    const parent = pick(epochs);
    const gone = number() < 0.4 ? pick(MEMBERS) : null;
    const members = parent.members.filter(member => member !== gone);
    epochs.push(epoch(`e${number()}`, parent.id, pick([...MEMBERS, null]), { judgements, ranking, members }));
  }
  const acts: Act[] = [];
  for (const member of MEMBERS) {
    for (let seq = 0; seq < 4; seq += 1) acts.push(act(member, seq, pick(epochs).id));
    if (number() < 0.2) acts.push(act(member, Math.floor(number() * 4), pick(epochs).id, 'x'));
  }
  return { epochs, acts: acts.filter(() => number() < 0.9) };
}

/** Parents before children; else any order. */
function anyOrder(epochs: readonly Epoch[], number: () => number): Epoch[] {
  const [left, done] = [[...epochs], new Set<string | null>([null])];
  const order: Epoch[] = [];
  while (left.length > 0) {
    const ready = left.filter(({ parent }) => done.has(parent));
    const next = ready[Math.floor(number() * ready.length)] as Epoch;
    left.splice(left.indexOf(next), 1);
    done.add(next.id);
    order.push(next);
  }
  return order;
}

describe(`lineage, seed ${seed}`, () => {
  it('whoever was put out on a branch adds nothing to its weight, and to that of another what it says there', () => {
    const two = [epoch(ROOT, null, null), epoch('x', ROOT, A), epoch('y', ROOT, B)];
    const acts = [act(A, 0, 'x'), act(C, 0, 'x'), act(D, 0, 'x'), act(B, 0, 'y'), act(E, 0, 'y')];
    assert.equal(headIn(two, acts), 'x');
    const members = MEMBERS.filter(member => member !== C && member !== D);
    const without = epoch('x2', 'x', A, { members });
    assert.equal(headIn([...two, without], acts), 'y');
    // A commit that nobody follows puts nobody out.
    const other = [epoch('x3', 'x', C), act(C, 1, 'x3'), act(D, 1, 'x3')] as const;
    assert.equal(headIn([...two, without, other[0]], [...acts, other[1], other[2]]), 'x3');
  });

  it('the same epochs and acts, in any order and any number of times, give the same head', () => {
    let forked = 0;
    fc.assert(
      fc.property(fc.integer(), drawn => {
        const number = seededNumbers(drawn);
        const { epochs, acts } = randomWorld(number);
        const head = headIn(epochs, acts);
        const twice = [...acts, ...acts.slice(0, 5)];
        assert.equal(headIn(anyOrder(epochs, number), shuffled(twice, number)), head);
        forked += Number([...lineage(epochs, acts).chains.values()].some(({ forkedAt }) => forkedAt !== null));
      }),
      { seed, numRuns: 400 },
    );
    assert.ok(forked > 50, 'there were equivocations');
  });

  it('judging anew only below where an act has put the head in doubt leads to the same head', () => {
    const seen = { none: 0, part: 0, moved: 0 };
    fc.assert(
      fc.property(fc.integer(), drawn => {
        const number = seededNumbers(drawn);
        const { epochs, acts } = randomWorld(number);
        let known = lineage(epochs, []);
        let head = headOf(known, [ROOT]);
        for (const next of acts) {
          const before = known.chains.get(next.sender);
          const { chains, news } = withAct(known.chains, next);
          known = { ...known, chains };
          const { latest, forkedAt } = chains.get(next.sender) as Chain;
          if (latest === before?.latest && news.forkedAt === null) continue;
          const doubt = forkedAt === null ? doubtOf(known, head, before?.latest, latest) : 'root';
          const was = head;
          if (doubt !== null) head = headAfter(known, [ROOT], { head, doubt });
          assert.equal(head, headOf(known, [ROOT]));
          seen.none += Number(doubt === null);
          seen.part += Number(doubt !== null && doubt !== 'root' && doubt !== ROOT);
          seen.moved += Number(was !== head);
        }
      }),
      { seed, numRuns: 400 },
    );
    assert.ok(seen.none > 100 && seen.part > 100 && seen.moved > 100, JSON.stringify(seen));
  });

  it('a committer can choose its hash, and its rank not', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(MEMBERS, { minLength: 8 }), fc.integer(), (ranking, ground) => {
        const root = epoch(ROOT, null, null, { ranking });
        const [first, last] = [ranking[0] as ContactId, ranking[7] as ContactId];
        // Both commits have the weight of their committer alone.
        const epochs = [root, epoch(`m${ground}`, ROOT, first), epoch('0', ROOT, last)];
        assert.equal(headIn(epochs, [act(first, 0, `m${ground}`), act(last, 0, '0')]), `m${ground}`);
      }),
      { seed },
    );
  });

  it('two commits of one member have no rank, and the hash between them', () => {
    const epochs = [epoch(ROOT, null, null), epoch('x', ROOT, A), epoch('y', ROOT, A), epoch('z', ROOT, C)];
    const acts = [act(A, 0, 'x'), act(A, 0, 'y', 'x')];
    assert.equal(headIn(epochs, acts), 'z');
    assert.equal(headIn(epochs.slice(0, 3), acts), 'x');
  });

  it('a removal is not outrun by any number of commits of the removed member', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.boolean(), (length, ranksFirst) => {
        const root = epoch(ROOT, null, null, { ranking: ranksFirst ? [E, A] : [A, E] });
        const racing = Array.from({ length }, (_, i) => epoch(`0${i}`, i === 0 ? ROOT : `0${i - 1}`, E));
        const removal = epoch('z', ROOT, C, { judgements: [{ kind: 'remove', author: A, member: E }] });
        const acts = racing.map(({ id }, seq) => act(E, seq, id));
        assert.equal(headIn([root, ...racing, removal], acts), 'z');
        assert.equal(headIn([root, ...racing, epoch('z', ROOT, C)], acts), `0${length - 1}`, 'without it they win');
      }),
      { seed },
    );
  });

  it('one member back after days does not roll the others back, however much it did', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 7 }), fc.integer({ min: 1, max: 40 }), (others, length) => {
        const root = epoch(ROOT, null, null, { ranking: [E, ...MEMBERS.filter(member => member !== E)] });
        const lonely = Array.from({ length }, (_, i) => epoch(`0${i}`, i === 0 ? ROOT : `0${i - 1}`, E));
        const stand = MEMBERS.filter(member => member !== E).slice(0, others);
        const acts = [...lonely.map(({ id }, seq) => act(E, seq, id)), ...stand.map(member => act(member, 0, 'main'))];
        assert.equal(headIn([root, ...lonely, epoch('main', ROOT, A)], acts), 'main');
      }),
      { seed },
    );
  });

  it('who said two things counts nothing; puppets that a branch adds count nothing', () => {
    const forked = [act(C, 0, 'x'), act(C, 0, 'y', 'x'), act(D, 0, 'x'), act(D, 1, 'x'), act(D, 0, 'y', 'x')];
    const epochs = [epoch(ROOT, null, null), epoch('x', ROOT, C), epoch('y', ROOT, E)];
    assert.equal(headIn(epochs, [...forked, act(E, 0, 'y')]), 'y');
    const puppets = ['p', 'q', 'r'] as ContactId[];
    const crowded = epoch('x', ROOT, C, { members: [...MEMBERS, ...puppets] });
    const theirs = puppets.map(puppet => act(puppet, 0, 'x'));
    const two = [act(D, 0, 'y'), act(E, 0, 'y')];
    assert.equal(
      headIn([epoch(ROOT, null, null), crowded, epoch('y', ROOT, E)], [act(C, 0, 'x'), ...theirs, ...two]),
      'y',
    );
  });

  describe('between two roots', () => {
    const members = [A, B, C, D, E];
    const first = 'first' as EpochId;
    const epochs = [
      epoch(first, null, null, { members }),
      epoch('x', first, A, { members }),
      epoch('y', first, E, { members: [A, E] }),
      epoch('later', null, null, { members: [A, B, E] }),
    ];
    const acts = [act(A, 0, 'x'), act(C, 0, first), act(D, 0, first), act(B, 0, 'later'), act(E, 0, 'later')];
    const roots = [first, 'later' as EpochId];
    const moved = act(A, 1, 'y');

    it('who is a member on neither side any more has no say', () => {
      assert.equal(headOf(lineage(epochs, acts), roots), 'x');
      assert.equal(headOf(lineage(epochs, [...acts, moved]), roots), 'later');
    });

    it('who was removed on one side alone keeps its say', () => {
      const alone = epochs.map(each => (each.id === 'x' ? { ...each, members: [A] } : each));
      assert.equal(headOf(lineage(alone, acts), roots), 'later');
    });

    it('all is judged where the head may move below one of them', async () => {
      const circle = await Circle.of(2);
      const [{ crypto, state }] = circle.members as [Member, Member];
      const known = { ...state, lineage: lineage(epochs, acts), roots, head: 'x' as EpochId };
      const turn = new GroupTurn(crypto, known, { nowMs: circle.nowMs, random });
      turn.recordAct(moved);
      assert.equal(turn.draft.doubt, 'root');
      const alone = new GroupTurn(crypto, { ...known, roots: [first] }, { nowMs: circle.nowMs, random });
      alone.recordAct(moved);
      assert.equal(alone.draft.doubt, first, 'the only root is no doubt of its own');
    });
  });

  it('an admin who was removed cannot roll the group back by an older removal held back until then', () => {
    const held = (members: readonly ContactId[]) =>
      epoch('0', ROOT, A, { judgements: members.map(member => ({ kind: 'remove', author: A, member }) as const) });
    const main = epoch('main', ROOT, B, { judgements: [{ kind: 'remove', author: B, member: A }] });
    const acts = [act(A, 0, '0'), act(B, 0, 'main'), act(C, 0, 'main'), act(D, 0, 'main')];
    assert.equal(headIn([epoch(ROOT, null, null), held([B, C, D]), main], acts), 'main');
    // Nor can one who is still an admin silence more than half with it.
    const plain = epoch('main', ROOT, B);
    assert.equal(headIn([epoch(ROOT, null, null), held(MEMBERS.slice(1)), plain], acts), 'main');
    assert.equal(headIn([epoch(ROOT, null, null), held([B, C, D]), plain], acts), '0', 'fewer it can');
  });

  it('counts how far a head goes back', () => {
    const epochs = [epoch(ROOT, null, null), epoch('x', ROOT, A), epoch('y', 'x', A), epoch('z', ROOT, B)];
    const { tree } = lineage(epochs, []);
    const depth = (from: string, to: string) => rolledBack(tree, from as EpochId, to as EpochId);
    assert.deepEqual([depth('y', 'z'), depth('z', 'y'), depth('x', 'y'), depth('y', 'x')], [2, 1, 0, 1]);
  });
});

describe('chains', () => {
  const all = [0, 1, 2, 3].map(seq => act(A, seq, ROOT));

  it('shows holes until they are filled', () => {
    const first = withAct(new Map(), all[0] as Act);
    const third = withAct(first.chains, all[3] as Act);
    assert.deepEqual(third.news, { holes: [{ from: 1, to: 2 }], forkedAt: null });
    const filled = withAct(withAct(third.chains, all[1] as Act).chains, all[2] as Act).chains.get(A);
    assert.deepEqual([filled?.holes, filled?.latest.seq, filled?.forkedAt], [[], 3, null]);
  });

  it('finds two acts in one place also where one of them is only named by what follows', () => {
    const other = act(A, 1, ROOT, 'x');
    for (const known of [[all[1]], [all[2]], [all[1], all[2]]] as Act[][]) {
      const chains = [...known, other].reduce<Chains>((made, next) => withAct(made, next).chains, new Map());
      assert.equal(chains.get(A)?.forkedAt, 1);
    }
    const honest = all.reduce<Chains>((made, next) => withAct(made, next).chains, new Map());
    assert.equal(honest.get(A)?.forkedAt, null);
  });
});
