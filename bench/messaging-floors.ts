import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import type { TransportKey } from '../core/base/ids.ts';
import { Secret } from '../core/base/secret.ts';
import { systemRandom } from '../core/base/world.io.ts';
import { createSwarm } from '../core/network/swarm.io.ts';
import type { FrameChannel, Swarm } from '../core/network/swarm.ts';
import { perSecond, quantile } from './row.ts';

export const FLOOR_PROTOCOL = '/molva-bench/echo/1';
/** A text of 100 bytes travels in an envelope padded to 1 KiB (256 bytes do not hold ratchet head and ids). */
const FRAME_BYTES = 1_051;
const FRAMES = 50_000;
const ROUND_TRIPS = 500;
const COMMITS = 200;
const ROWS_A_COMMIT = 256;
const ROW_BYTES = 256;

export interface Floors {
  readonly framesPerSecond: number;
  readonly rowsPerSecond: number;
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
}

/** What the machine can do at best: its disk through LMDB alone, its loopback through libp2p alone. */
export async function measureFloors(): Promise<Floors> {
  const disk = await measureDisk();
  const stream = await measureStream();
  return {
    framesPerSecond: stream.framesPerSecond,
    rowsPerSecond: disk.rowsPerSecond,
    delayP50Ms: 2 * quantile(disk.singleMs, 0.5) + quantile(stream.roundTripMs, 0.5) / 2,
    delayP99Ms: 2 * quantile(disk.singleMs, 0.99) + quantile(stream.roundTripMs, 0.99) / 2,
  };
}

async function measureDisk(): Promise<{ rowsPerSecond: number; singleMs: number[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'molva-floor-'));
  const database = open<Buffer, Buffer>({
    path: folder,
    encoding: 'binary',
    keyEncoding: 'binary',
    overlappingSync: false,
  });
  const commit = (rows: number) =>
    database.transaction(() => {
      for (let row = 0; row < rows; row += 1) database.put(systemRandom(16), systemRandom(ROW_BYTES));
    });
  try {
    const singleMs: number[] = [];
    for (let index = 0; index < ROUND_TRIPS; index += 1) {
      const startedAtMs = performance.now();
      await commit(1);
      singleMs.push(performance.now() - startedAtMs);
    }
    const startedAtMs = performance.now();
    for (let index = 0; index < COMMITS; index += 1) await commit(ROWS_A_COMMIT);
    return { rowsPerSecond: perSecond(COMMITS * ROWS_A_COMMIT, startedAtMs), singleMs };
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One-way frames and round trips to the echo in another process, over the swarm the product uses. */
async function measureStream(): Promise<{ framesPerSecond: number; roundTripMs: number[] }> {
  const echo = fork(join(import.meta.dirname, 'echo-peer.ts'), { execArgv: ['--no-warnings'] });
  const swarm = createSwarm({
    transportSeed: Secret.take(systemRandom(32)),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    lastPorts: [],
  });
  try {
    const target = await addressOf(echo);
    await swarm.start();
    await swarm.dial(target);
    const channel = await swarm.channel(target.transportKey, FLOOR_PROTOCOL);
    await sendAll(channel, FRAMES / 5);
    const startedAtMs = performance.now();
    await sendAll(channel, FRAMES);
    const framesPerSecond = perSecond(FRAMES, startedAtMs);
    return { framesPerSecond, roundTripMs: await roundTrips(channel) };
  } finally {
    await endStream(swarm, echo);
  }
}

async function endStream(swarm: Swarm, echo: ChildProcess): Promise<void> {
  await swarm.stop();
  echo.disconnect();
}

async function addressOf(echo: ChildProcess): Promise<{ transportKey: TransportKey; addresses: string[] }> {
  const message = await new Promise<{ key: string; addresses: string[] }>((resolve, reject) => {
    echo.once('message', value => resolve(value as { key: string; addresses: string[] }));
    echo.once('exit', () => reject(new Error('the echo ended')));
  });
  return { transportKey: Buffer.from(message.key, 'hex') as unknown as TransportKey, addresses: message.addresses };
}

/** Resolves when the echo has answered the last frame, which alone asks for an answer (its first byte is 1). */
async function sendAll(channel: FrameChannel, count: number): Promise<void> {
  const frame = Buffer.alloc(FRAME_BYTES);
  for (let index = 1; index < count; index += 1) await channel.send(frame);
  await roundTrip(channel);
}

async function roundTrips(channel: FrameChannel): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < ROUND_TRIPS; index += 1) {
    const startedAtMs = performance.now();
    await roundTrip(channel);
    times.push(performance.now() - startedAtMs);
  }
  return times;
}

async function roundTrip(channel: FrameChannel): Promise<void> {
  const frame = Buffer.alloc(FRAME_BYTES);
  frame[0] = 1;
  await channel.send(frame);
  await channel.frames[Symbol.asyncIterator]().next();
}
