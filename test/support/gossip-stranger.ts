import { RPC } from '@libp2p/gossipsub/message';
import type { Libp2p, Stream } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';

const GOSSIP = '/meshsub/1.2.0';

/** A libp2p node that speaks the bytes of gossipsub and keeps to no rule. */
export class Stranger {
  readonly #node: Libp2p;
  readonly #stream: Stream;
  readonly #heard: readonly Buffer[];

  private constructor(node: Libp2p, stream: Stream, heard: readonly Buffer[]) {
    this.#node = node;
    this.#stream = stream;
    this.#heard = heard;
  }

  /** @param address with the peer's id at its end */
  static async meet(address: string): Promise<Stranger> {
    const node = await createLibp2p({ transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()] });
    const heard: Buffer[] = [];
    await node.handle(GOSSIP, stream => {
      stream.addEventListener('message', ({ data }) => heard.push(Buffer.from(data.subarray())));
    });
    const stream = await node.dialProtocol(multiaddr(address), GOSSIP);
    return new Stranger(node, stream, heard);
  }

  async stop(): Promise<void> {
    await this.#node.stop();
  }

  get heard(): RPC[] {
    return decodeAll(Buffer.concat(this.#heard));
  }

  get connected(): boolean {
    return this.#node.getConnections().length > 0;
  }

  get unsent(): number {
    return this.#stream.writeBufferLength;
  }

  subscribe(topics: readonly string[], subscribe = true): void {
    this.send({ subscriptions: topics.map(topic => ({ topic, subscribe })), messages: [] });
  }

  message(topic: string, data: Uint8Array, more: Partial<RPC.Message> = {}): void {
    this.send({ subscriptions: [], messages: [{ topic, data, ...more }] });
  }

  send(rpc: RPC): void {
    const bytes = RPC.encode(rpc);
    this.raw(Buffer.concat([varint(bytes.length), bytes]));
  }

  raw(bytes: Uint8Array): void {
    this.#stream.send(bytes);
  }
}

export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  return Buffer.from([...bytes, left]);
}

function decodeAll(bytes: Buffer): RPC[] {
  const found: RPC[] = [];
  for (let at = 0; at < bytes.length; ) {
    let [length, shift] = [0, 0];
    do {
      length |= ((bytes[at] as number) & 127) << shift;
      shift += 7;
      at += 1;
    } while ((bytes[at - 1] as number) > 127);
    if (at + length > bytes.length) break;
    found.push(RPC.decode(bytes.subarray(at, at + length)));
    at += length;
  }
  return found;
}
