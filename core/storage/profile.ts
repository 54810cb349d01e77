import type { RowPort, RowReader, Tx } from './port.ts';
import type { ProfileRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, listOf, shape, textOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** The one profile. */
export class ProfileRows {
  readonly #port: RowPort;
  readonly #table: Table;
  readonly #profileKey: Buffer;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#table = new Table(sealer, 'profile');
    this.#profileKey = this.#table.key(Buffer.from('profile'));
  }

  get(from: RowReader = this.#port): ProfileRecord | undefined {
    const plain = this.#table.get(from, this.#profileKey);
    return plain && this.#table.decode(plain, decodeProfile);
  }

  put(tx: Tx, profile: ProfileRecord): void {
    this.#table.put(tx, this.#profileKey, encodeProfile(profile));
  }
}

function encodeProfile(p: ProfileRecord): Buffer {
  const keys = [p.identity, p.transportSeed, p.mailboxKey, p.presenceKey];
  return encodeRow([p.nick, p.createdAtMs, ...keys, p.cardSerial, p.nextPrekeyId, p.listenPorts, p.card]);
}

function decodeProfile(plain: Buffer): ProfileRecord {
  const f = decodeRow(plain, 10);
  return {
    nick: textOf(f[0]),
    createdAtMs: shape.uint(f[1]),
    identity: bytesOf(f[2]),
    transportSeed: shape.bytes(f[3], 32),
    mailboxKey: shape.bytes(f[4], 32),
    presenceKey: shape.bytes(f[5], 32),
    cardSerial: shape.uint(f[6]),
    nextPrekeyId: shape.uint(f[7]),
    listenPorts: listOf(f[8], port => shape.uint(port)),
    card: bytesOf(f[9]),
  };
}
