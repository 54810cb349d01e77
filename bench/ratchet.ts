import assert from 'node:assert/strict';
import { systemRandom } from '../core/base/world.io.ts';
import { Ratchet, type RatchetSeed } from '../core/crypto/ratchet/ratchet.ts';
import { generateX25519 } from '../core/crypto/x25519.ts';
import { median, type Row } from './row.ts';

type Way = 0 | 1;

interface SignalPair {
  pass(way: Way, text: Uint8Array): Promise<Uint8Array>;
}

/** A variable, so that types are checked where the peer is not installed. */
const PEER_MODULE: string = './libsignal-peer.mjs';
const PEER = '@signalapp/libsignal-client 0.103.0';
const TEXT_BYTES = 256;
const ROUNDS = 7;
const MESSAGES = { molva: 20_000, signal: 1_000 };
const PING_PONGS = { molva: 2_000, signal: 500 };

/** Times encrypt and decrypt of 256-byte messages in memory, against libsignal in the same process, turn about. */
export async function run(): Promise<Row[]> {
  const molva = makePair();
  const { makeSignalPair } = (await import(PEER_MODULE)) as { makeSignalPair(): Promise<SignalPair> };
  const signal = await makeSignalPair();
  const oneWay: [number[], number[]] = [[], []];
  const pingPong: [number[], number[]] = [[], []];
  const note = `encrypt + decrypt of ${TEXT_BYTES} B, median of ${ROUNDS} rounds; the peer also runs its post-quantum ratchet and crosses to Rust`;
  for (let round = 0; round < ROUNDS; round += 1) {
    oneWay[0].push(timeMolva(molva, MESSAGES.molva, () => 0));
    oneWay[1].push(await timeSignal(signal, MESSAGES.signal, () => 0));
    pingPong[0].push(timeMolva(molva, PING_PONGS.molva, alternate));
    pingPong[1].push(await timeSignal(signal, PING_PONGS.signal, alternate));
  }
  return [row('Double Ratchet, one way', oneWay, 20, note), row('Double Ratchet, ping-pong', pingPong, 2, note)];
}

function alternate(index: number): Way {
  return (index % 2) as Way;
}

function makePair(): readonly [Ratchet, Ratchet] {
  const seed: RatchetSeed = {
    rootKey: systemRandom(32),
    responderHeaderKey: systemRandom(32),
    initiatorHeaderKey: systemRandom(32),
    associatedData: systemRandom(32),
  };
  const initiator = generateX25519(systemRandom);
  const responder = generateX25519(systemRandom);
  return [
    Ratchet.initInitiator(seed, initiator, responder.public, systemRandom),
    Ratchet.initResponder(seed, responder, initiator.public),
  ];
}

/** @returns messages a second */
function timeMolva(ends: readonly [Ratchet, Ratchet], count: number, way: (index: number) => Way): number {
  const text = Buffer.alloc(TEXT_BYTES, 7);
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) {
    const sender = way(index);
    const message = ends[sender].encrypt(text, systemRandom);
    const opened = ends[sender === 0 ? 1 : 0].decrypt(message, systemRandom);
    assert.equal(opened?.length, TEXT_BYTES);
  }
  return perSecond(count, startedAt);
}

async function timeSignal(pair: SignalPair, count: number, way: (index: number) => Way): Promise<number> {
  const text = new Uint8Array(TEXT_BYTES).fill(7);
  const startedAt = process.hrtime.bigint();
  for (let index = 0; index < count; index += 1) {
    const opened = await pair.pass(way(index), text);
    assert.equal(opened.length, TEXT_BYTES);
  }
  return perSecond(count, startedAt);
}

function perSecond(count: number, startedAt: bigint): number {
  return (count * 1e9) / Number(process.hrtime.bigint() - startedAt);
}

function row(name: string, samples: readonly [number[], number[]], goal: number, note: string): Row {
  const [value, peerValue] = samples.map(median) as [number, number];
  return {
    name,
    unit: 'messages/s',
    value,
    peer: PEER,
    peerValue,
    ratio: value / peerValue,
    goal,
    goalOf: 'ratio',
    better: 'more',
    note,
  };
}

if (import.meta.main) {
  for (const each of await run()) process.stdout.write(`${JSON.stringify(each)}\n`);
}
