import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../core/base/limits.ts';
import { decodeState, encodeEpoch, encodeRatchets } from '../core/crypto/mls/state-codec.ts';
import { SUITES, type SuiteKind } from '../core/crypto/mls/suite.ts';
import { decodeTreeChange, encodeTreeChange } from '../core/crypto/mls/tree-store.ts';
import { makeFilledGroup, type Pair } from './mls-groups.ts';
import { MESSAGES, measureMolva, measureRest, ROUNDS, type Steps, TEXT } from './mls-molva.ts';
import { medianMs, type Row } from './row.ts';

/** Variables, so that types are checked where the peers are not installed. */
const STOCK_MODULE: string = './mls-stock-peer.mjs';
const WIRE_MODULE: string = './mls-wire-peer.mjs';
const STOCK = 'ts-mls 1.6.4, its own provider';
const WIRE = 'OpenMLS in WebAssembly (@wireapp/core-crypto 10.3.0)';
/** `MOLVA_BENCH_MEMBERS=1000` measures others; the time to build a group grows with the square of its size. */
const SIZES = (process.env.MOLVA_BENCH_MEMBERS ?? '10,50,100,250').split(',').map(Number);
/** The goals are set at a hundred members. */
const GOAL_SIZE = 100;
const GOAL_STEPS: readonly string[] = ['commit', 'process', 'encrypt', 'decrypt'];
const STATES = 20;

interface Terms {
  readonly ROUNDS: number;
  readonly MESSAGES: number;
  readonly TEXT: Uint8Array;
  readonly medianMs: typeof medianMs;
}
const TERMS: Terms = { ROUNDS, MESSAGES, TEXT, medianMs };
/** A step of stock ts-mls takes long. */
const FEW: Terms = { ...TERMS, ROUNDS: 5, MESSAGES: 40 };

interface Peers {
  readonly measureStock: (suite: string, pair: Pair, terms: Terms) => Promise<Steps>;
  readonly measureWire: (members: number, terms: Terms) => Promise<Steps>;
}

export async function* run(): AsyncGenerator<Row> {
  const peers = { ...((await import(STOCK_MODULE)) as object), ...((await import(WIRE_MODULE)) as object) } as Peers;
  for (const members of SIZES) {
    for (const suite of Object.keys(SUITES) as SuiteKind[]) {
      const pair = await makeFilledGroup(suite, members);
      // First, as it begins with the group that Molva's own measurement goes on with.
      const stock = await peers.measureStock(SUITES[suite], copyOf(pair), FEW);
      yield* restRows(suite, members, copyOf(pair));
      const molva = await measureMolva(suite, pair);
      yield* stepRows(suite, members, molva, STOCK, stock, 12);
      if (suite === 'classical') {
        yield* stepRows(suite, members, molva, WIRE, await peers.measureWire(members, TERMS), 1);
      }
    }
  }
}

function* stepRows(suite: SuiteKind, members: number, ours: Steps, peer: string, theirs: Steps, goal: number) {
  for (const step of Object.keys(ours) as (keyof Steps)[]) {
    yield {
      name: `MLS ${step}, ${members} members, ${suite}`,
      unit: 'ms',
      value: ours[step],
      peer,
      peerValue: theirs[step],
      ratio: theirs[step] / ours[step],
      goal: members === GOAL_SIZE && GOAL_STEPS.includes(step) ? goal : 1,
      goalOf: 'ratio' as const,
      better: 'less' as const,
      note: '',
    };
  }
}

async function* restRows(suite: SuiteKind, members: number, pair: Pair): AsyncGenerator<Row> {
  const rest = await measureRest(suite, copyOf(pair));
  const row = (what: string, unit: string, value: number, goal: number, note = ''): Row => {
    const name = `MLS ${what}, ${members} members, ${suite}`;
    return { name, unit, value, peer: '', peerValue: null, ratio: null, goal, goalOf: 'value', better: 'less', note };
  };
  yield row('a commit', 'bytes', rest.commit, LIMITS.sealedBytes);
  yield row('a welcome with its tree', 'bytes', rest.welcome, LIMITS.sealedBytes);
  yield row('written a commit', 'bytes', rest.state + rest.change, LIMITS.sealedBytes);
  yield row('written whole', 'bytes', rest.state + rest.tree, 1024 * 1024);
  yield row('writing after a commit', 'ms', rest.write, 1);
  yield row('reading a whole state', 'ms', rest.read, 10);
  yield row(
    'memory of a state',
    'bytes',
    await memoryOf(pair),
    1024 * 1024,
    `of ${STATES} read states, each by itself`,
  );
}

/** States whose secrets are their own: a step wipes what it used of the state it was given. */
function copyOf({ alice, bob }: Pair): Pair {
  return { alice: copyState(alice), bob: copyState(bob) };
}

function copyState(state: Pair['alice']): Pair['alice'] {
  const tree = decodeTreeChange(state.suite, encodeTreeChange(state));
  return decodeState(encodeEpoch(state), encodeRatchets(state), tree);
}

async function memoryOf({ alice }: Pair): Promise<number> {
  const before = await usedBytes();
  const states = Array.from({ length: STATES }, () => copyState(alice));
  const after = await usedBytes();
  return states.length === 0 ? Number.NaN : (after - before) / states.length;
}

/** What is in use once collecting gives nothing back any more. */
async function usedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let least = Number.POSITIVE_INFINITY; ; ) {
    collect();
    // What native code holds is let go in the turn after.
    await new Promise(resolve => setImmediate(resolve));
    const { heapUsed, external } = process.memoryUsage();
    if (heapUsed + external >= least) return least;
    least = heapUsed + external;
  }
}

if (import.meta.main) {
  for await (const each of run()) process.stdout.write(`${JSON.stringify(each)}\n`);
  // OpenMLS in WebAssembly keeps timers of its own.
  process.exit(0);
}
