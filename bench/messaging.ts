import type { ApiEvent } from '../core/commands/schema.ts';
import { BenchCore, meet } from './cores.ts';
import { measureFloors } from './messaging-floors.ts';
import { perSecond, quantile, type Row } from './row.ts';
import type { SocketClient } from './socket-client.ts';

const TEXT = 'x'.repeat(100);
const WARM_UP = 5_000;
const MESSAGES = 20_000;
/** Sent and not yet received: keeps both cores busy and fits the calls one client may have open. */
const WINDOW = 1_000;
const LIGHT_MESSAGES = 500;
const LIGHT_EVERY_MS = 10;
/** From profiles of both processes (README.md says how to take them). */
const WHERE_RATE =
  'not reached: the processors are full; of the sender a fifth is sealing and indexing rows (six a message), a fifth ' +
  "garbage collection, a seventh the conversation's turn with its ratchet, a seventh writes to sockets";
const WHERE_DELAY =
  "not reached: up to the answer it is the sender's turn and commit, after it the receiver's; the commits are the " +
  'floor beside it, the rest has not been taken apart';

/** Texts from one core process to another on loopback, from `messages.send` to the other side's event. */
export async function run(): Promise<Row[]> {
  const floors = await measureFloors();
  const cores = [await BenchCore.create('Ada'), await BenchCore.create('Ben')] as const;
  try {
    const arrivals = new Arrivals();
    await Promise.all(cores.map(core => core.start()));
    await cores[0].connect();
    await cores[1].connect(event => arrivals.take(event));
    const [, ada] = await meet(cores[1], cores[0]).then(([a, b]) => [a, b] as const);
    await flood(cores[0].client, ada.id, arrivals, WARM_UP);
    const before = cores.map(core => core.cpuMs());
    const rate = await flood(cores[0].client, ada.id, arrivals, MESSAGES);
    const cpu = cores.map((core, index) => costOf(before[index], core.cpuMs()));
    const light = await trickle(cores[0].client, ada.id, arrivals);
    return rows(rate, cpu, light, floors);
  } finally {
    for (const core of cores) await core.remove();
  }
}

/** Counts the texts that one client is told of, and wakes who waits for them. */
class Arrivals {
  received = 0;
  readonly #atMs = new Map<string, (atMs: number) => void>();
  #wake: (() => void) | undefined;
  #wanted = 0;

  take(event: ApiEvent): void {
    if (event.event !== 'message-received') return;
    this.received += 1;
    this.#atMs.get(event.message.text)?.(performance.now());
    if (this.received < this.#wanted) return;
    this.#wake?.();
    this.#wake = undefined;
  }

  async until(count: number): Promise<void> {
    if (this.received >= count) return;
    this.#wanted = count;
    await new Promise<void>(resolve => {
      this.#wake = resolve;
    });
  }

  /** When the text arrives (performance.now). */
  async of(text: string): Promise<number> {
    const atMs = await new Promise<number>(resolve => this.#atMs.set(text, resolve));
    this.#atMs.delete(text);
    return atMs;
  }
}

/** @returns messages a second from the first call to the last event */
async function flood(from: SocketClient, who: string, arrivals: Arrivals, count: number): Promise<number> {
  const start = arrivals.received;
  const startedAtMs = performance.now();
  const answers: Promise<unknown>[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    if (sent >= WINDOW && sent % (WINDOW / 10) === 0) await arrivals.until(start + sent - WINDOW + WINDOW / 10);
    answers.push(from.call('messages.send', { who, text: TEXT }));
  }
  await arrivals.until(start + count);
  const rate = perSecond(count, startedAtMs);
  await Promise.all(answers);
  return rate;
}

interface Light {
  /** Milliseconds from each call to its answer, which comes when the text is durable. */
  readonly answers: readonly number[];
  /** Milliseconds from each call to the other side's event. */
  readonly events: readonly number[];
}

/** One text every LIGHT_EVERY_MS. */
async function trickle(from: SocketClient, who: string, arrivals: Arrivals): Promise<Light> {
  const answers: Promise<number>[] = [];
  const delays: Promise<number>[] = [];
  const startedAtMs = performance.now();
  for (let index = 0; index < LIGHT_MESSAGES; index += 1) {
    await new Promise(resolve => setTimeout(resolve, startedAtMs + index * LIGHT_EVERY_MS - performance.now()));
    const text = `${TEXT} ${index}`;
    const arrival = arrivals.of(text);
    const sentAtMs = performance.now();
    answers.push(from.call('messages.send', { who, text }).then(() => performance.now() - sentAtMs));
    delays.push(arrival.then(atMs => atMs - sentAtMs));
  }
  return { answers: await Promise.all(answers), events: await Promise.all(delays) };
}

function rows(
  rate: number,
  cpu: readonly string[],
  { answers, events }: Light,
  floors: Awaited<ReturnType<typeof measureFloors>>,
): Row[] {
  const p50 = quantile(events, 0.5);
  const p99 = quantile(events, 0.99);
  const light =
    `${LIGHT_MESSAGES} texts, one every ${LIGHT_EVERY_MS} ms; the floor: two LMDB commits and half a round trip; ` +
    `p50 to the sender's own answer ${quantile(answers, 0.5).toFixed(1)} ms`;
  return [
    {
      name: 'two cores, one way',
      unit: 'messages/s',
      value: rate,
      peer: 'bare libp2p stream, frames of equal size',
      peerValue: floors.framesPerSecond,
      ratio: rate / floors.framesPerSecond,
      goal: 5_000,
      goalOf: 'value',
      better: 'more',
      note:
        `durable on both sides; processor time a message: sender ${cpu[0]}, receiver ${cpu[1]}; LMDB alone, 256 rows a ` +
        `durable commit: ${Math.round(floors.rowsPerSecond)} rows/s${rate < 5_000 ? `; ${WHERE_RATE}` : ''}`,
    },
    latencyRow('two cores, send to event, p50', p50, floors.delayP50Ms, 3, light),
    latencyRow('two cores, send to event, p99', p99, floors.delayP99Ms, 15, light),
  ];
}

function costOf(beforeMs: number | undefined, afterMs: number | undefined): string {
  if (beforeMs === undefined || afterMs === undefined) return 'unknown';
  return `${Math.round(((afterMs - beforeMs) * 1_000) / MESSAGES)} µs`;
}

function latencyRow(name: string, value: number, floorMs: number, goal: number, note: string): Row {
  const peer = 'two durable commits + bare stream';
  return {
    name,
    unit: 'ms',
    value,
    peer,
    peerValue: floorMs,
    ratio: floorMs / value,
    goal,
    goalOf: 'value',
    better: 'less',
    note: value > goal ? `${note}; ${WHERE_DELAY}` : note,
  };
}

if (import.meta.main) {
  for (const row of await run()) process.stdout.write(`${JSON.stringify(row)}\n`);
}
