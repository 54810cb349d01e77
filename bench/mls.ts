import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../core/base/limits.ts';
import { decodeState, encodeEpoch, encodeRatchets } from '../core/crypto/mls/state-codec.ts';
import { SUITES, type SuiteKind } from '../core/crypto/mls/suite.ts';
import { decodeTreeChange, encodeTreeChange } from '../core/crypto/mls/tree-store.ts';
import { type Floors, measureFloors } from './mls-floor.ts';
import { blockOf, makeFilledGroup, type Pair } from './mls-groups.ts';
import { MESSAGES, measureMolva, measureRest, roundsOf, type Steps, TEXT } from './mls-molva.ts';
import { medianMs, type Row } from './row.ts';

/** Variables, so that types are checked where the peers are not installed. */
const STOCK_MODULE: string = './mls-stock-peer.mjs';
const WIRE_MODULE: string = './mls-wire-peer.mjs';
const STOCK = 'ts-mls 1.6.4, its own provider';
const WIRE = 'OpenMLS in WebAssembly (@wireapp/core-crypto 10.3.0)';
const FLOOR = 'its signature, AEAD and HMACs alone';
const SUITE_NAMES: Readonly<Record<SuiteKind, string>> = { classical: 'X25519', hybrid: 'X-Wing hybrid' };
const SIZES = (process.env.MOLVA_BENCH_MEMBERS ?? '10,50,100,250,1000').split(',').map(Number);
/** The goals are set at a hundred members. */
const GOAL_SIZE = 100;
const GOAL_STEPS: readonly string[] = ['commit', 'process', 'encrypt', 'decrypt'];
const STEP_NAMES: Readonly<Record<keyof Steps, string>> = {
  create: 'create',
  addOne: 'add one',
  commit: 'commit',
  process: 'process a commit',
  join: 'join by a welcome',
  encrypt: 'encrypt 256 bytes',
  decrypt: 'decrypt',
};
const STATES = 20;

interface Terms {
  readonly ROUNDS: number;
  readonly MESSAGES: number;
  readonly TEXT: Uint8Array;
  readonly medianMs: typeof medianMs;
}

interface Peers {
  readonly measureStock: (suite: string, pair: Pair, terms: Terms) => Promise<Steps>;
  readonly measureWire: (members: number, block: number, terms: Terms) => Promise<Steps>;
}

export async function* run(): AsyncGenerator<Row> {
  const peers = { ...((await import(STOCK_MODULE)) as object), ...((await import(WIRE_MODULE)) as object) } as Peers;
  for (const members of SIZES) {
    const terms: Terms = { ROUNDS: roundsOf(members), MESSAGES, TEXT, medianMs };
    for (const suite of Object.keys(SUITES) as SuiteKind[]) {
      const pair = await makeFilledGroup(suite, members);
      // First, as it begins with the group that Molva's own measurement goes on with.
      const stock = await peers.measureStock(SUITES[suite], copyOf(pair), terms);
      yield* restRows(suite, members, copyOf(pair));
      const molva = await measureMolva(suite, pair, terms.ROUNDS);
      yield* stepRows(suite, members, molva, STOCK, stock, 12);
      if (suite === 'classical') {
        const wire = await peers.measureWire(members, blockOf(members), terms);
        yield* stepRows(suite, members, molva, WIRE, wire, 1);
      }
      if (members === GOAL_SIZE) yield* floorRows(suite, molva, await measureFloors(suite, TEXT, MESSAGES));
    }
  }
}

function* stepRows(suite: SuiteKind, members: number, ours: Steps, peer: string, theirs: Steps, goal: number) {
  for (const step of Object.keys(ours) as (keyof Steps)[]) {
    const hasGoal = members === GOAL_SIZE && (GOAL_STEPS.includes(step) || goal === 1);
    const wanted = hasGoal ? goal : 1;
    yield { ...ratioRow(suite, members, step, ours[step], peer, theirs[step], wanted), listed: hasGoal };
  }
}

function* floorRows(suite: SuiteKind, ours: Steps, floors: Floors): Generator<Row> {
  for (const step of ['encrypt', 'decrypt'] as const) {
    const { table: _, ...row } = ratioRow(suite, GOAL_SIZE, step, ours[step], FLOOR, floors[step], 0.75);
    yield row;
  }
}

function ratioRow(
  suite: SuiteKind,
  members: number,
  step: keyof Steps,
  value: number,
  peer: string,
  peerValue: number,
  goal: number,
): Row {
  const { name, table } = named(suite, members, STEP_NAMES[step]);
  const ratio = peerValue / value;
  return { name, table, unit: 'ms', value, peer, peerValue, ratio, goal, goalOf: 'ratio', better: 'less', note: '' };
}

function named(suite: SuiteKind, members: number, line: string) {
  const title = `MLS, ${SUITE_NAMES[suite]}, by members`;
  return {
    name: `MLS ${line}, ${members} members, ${SUITE_NAMES[suite]}`,
    table: { title, line, column: `${members}` },
  };
}

async function* restRows(suite: SuiteKind, members: number, pair: Pair): AsyncGenerator<Row> {
  const rest = await measureRest(suite, copyOf(pair), roundsOf(members));
  const common = { peer: '', peerValue: null, ratio: null, goalOf: 'value', better: 'less', note: '' } as const;
  const row = (line: string, unit: string, value: number, goal: number): Row => {
    return { ...named(suite, members, `${line}, ${unit}`), unit, value, goal, ...common };
  };
  yield row('a commit', 'bytes', rest.commit, LIMITS.sealedBytes);
  // What is larger goes in parcels (docs/protocol/group.md §9).
  yield row('a welcome with its tree', 'bytes', rest.welcome, LIMITS.sealedBytes);
  yield row('stored a commit', 'bytes', rest.state + rest.change, LIMITS.sealedBytes);
  yield row('stored whole', 'bytes', rest.state + rest.tree, 1024 * 1024);
  yield row('writing after a commit', 'ms', rest.write, 1);
  yield row('reading a whole state', 'ms', rest.read, 10);
  yield row('memory of a state', 'bytes', await memoryOf(pair), 1024 * 1024);
}

/** States whose secrets are their own: a step wipes what it used of the state it was given. */
function copyOf({ alice, bob }: Pair): Pair {
  return { alice: copyState(alice), bob: copyState(bob) };
}

function copyState(state: Pair['alice']): Pair['alice'] {
  const tree = decodeTreeChange(state.suite, encodeTreeChange(state));
  return decodeState(encodeEpoch(state), encodeRatchets(state), tree);
}

/** Of read states, each by itself. */
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
