import { type ContactId, idBytes } from '../base/ids.ts';
import { decodeStamp, encodeStamp, keepStamp, RUN_BYTES, type Stamp } from '../wire/stamp.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { FormerRuns, Instance, SeenInstance } from './records.ts';
import { bytesOf, decodeRow, encodeRow, flagOf, listOf, orNull, shape, textOf, uint32 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

export const INCARNATION_BYTES = 16;

/** What the file beside the database says of the last start. */
export interface StartMark {
  readonly instance: Instance;
  /** Written before the database takes the instance, and again without this mark once it has. */
  readonly begun: boolean;
  /** The incarnation the database held when the start began. */
  readonly before: Uint8Array | null;
  /** The start found a profile put back, and the database was about to be told. */
  readonly restored: boolean;
}

/** Which start of which copy of the profile this is, and what contacts last said of theirs. */
export class InstanceRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #ownKey: Buffer;
  readonly #markKey: Buffer;
  readonly #countKey: Buffer;
  readonly #formerKey: Buffer;
  readonly #placeKey: Buffer;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'instances');
    this.#ownKey = this.#table.key(Buffer.from('own'));
    this.#markKey = this.#table.key(Buffer.from('mark'));
    this.#countKey = this.#table.key(Buffer.from('count'));
    this.#formerKey = this.#table.key(Buffer.from('former'));
    this.#placeKey = this.#table.key(Buffer.from('place'));
  }

  /** The start under way, or the last one. */
  own(from: RowReader = this.#port): Instance | undefined {
    const plain = this.#table.get(from, this.#ownKey);
    return plain && this.#table.decode(plain, decodeOwn);
  }

  putOwn(tx: Tx, { starts, incarnation }: Instance): void {
    this.#table.put(tx, this.#ownKey, encodeRow([starts, incarnation]));
  }

  /** How far this run has come; written with every message that is sealed. */
  count(from: RowReader = this.#port): number {
    const plain = this.#table.get(from, this.#countKey);
    return plain ? this.#table.decode(plain, row => row.readUInt32BE(0)) : 0;
  }

  putCount(tx: Tx, count: number): void {
    this.#table.put(tx, this.#countKey, uint32(count));
  }

  former(from: RowReader = this.#port): FormerRuns {
    const plain = this.#table.get(from, this.#formerKey);
    return plain ? this.#table.decode(plain, decodeFormer) : { runs: [], floor: 0 };
  }

  putFormer(tx: Tx, { runs, floor }: FormerRuns): void {
    this.#table.put(tx, this.#formerKey, encodeRow([runs.map(({ run, count }) => [run, count]), floor]));
  }

  /** What the file system said of the file beside the database when the start had begun; null: nothing to go by. */
  place(from: RowReader = this.#port): string | null {
    const plain = this.#table.get(from, this.#placeKey);
    return plain ? this.#table.decode(plain, row => textOf(decodeRow(row, 1)[0])) : null;
  }

  putPlace(tx: Tx, place: string | null): void {
    if (place === null) tx.remove(this.#placeKey);
    else this.#table.put(tx, this.#placeKey, encodeRow([place]));
  }

  seen(contact: ContactId, from: RowReader = this.#port): SeenInstance | undefined {
    const plain = this.#table.get(from, this.#key(contact));
    return plain && this.#table.decode(plain, decodeSeen);
  }

  putSeen(tx: Tx, contact: ContactId, { holds, stamps }: SeenInstance): void {
    this.#table.put(tx, this.#key(contact), encodeRow([holds, stamps.map(encodeStamp)]));
  }

  /** Keeps how far the contact was seen to come, and, when given, whether it holds envelopes for others. */
  see(tx: Tx, contact: ContactId, stamp: Stamp, holds?: boolean): void {
    const before = this.seen(contact, tx) ?? { holds: false, stamps: [] };
    const stamps = keepStamp(before.stamps, stamp);
    const next = { holds: holds ?? before.holds, stamps: stamps ?? before.stamps };
    if (stamps || next.holds !== before.holds) this.putSeen(tx, contact, next);
  }

  removeSeen(tx: Tx, contact: ContactId): void {
    tx.remove(this.#key(contact));
  }

  /** The mark as the bytes of a file that only this profile can write or read. */
  sealMark({ instance, begun, before, restored }: StartMark): Buffer {
    const plain = encodeRow([instance.starts, instance.incarnation, begun, before, restored]);
    return this.#sealer.seal('instances', this.#markKey, plain);
  }

  /** Undefined for bytes that this profile did not write. */
  openMark(sealed: Buffer): StartMark | undefined {
    try {
      const [starts, incarnation, begun, before, restored] = decodeRow(
        this.#sealer.open('instances', this.#markKey, sealed),
        5,
      );
      return {
        instance: instanceOf(starts, incarnation),
        begun: flagOf(begun),
        before: orNull(before, value => shape.bytes(value, INCARNATION_BYTES)),
        restored: flagOf(restored),
      };
    } catch {
      return undefined;
    }
  }

  #key(contact: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('instance', idBytes(contact)));
  }
}

function decodeOwn(plain: Buffer): Instance {
  const [starts, incarnation] = decodeRow(plain, 2);
  return instanceOf(starts, incarnation);
}

function instanceOf(starts: unknown, incarnation: unknown): Instance {
  return { starts: shape.uint(starts), incarnation: shape.bytes(incarnation, INCARNATION_BYTES) };
}

function decodeSeen(plain: Buffer): SeenInstance {
  const [holds, stamps] = decodeRow(plain, 2);
  return { holds: flagOf(holds), stamps: listOf(stamps, value => decodeStamp(bytesOf(value))) };
}

function decodeFormer(plain: Buffer): FormerRuns {
  const [runs, floor] = decodeRow(plain, 2);
  return { runs: listOf(runs, runOf), floor: shape.uint(floor) };
}

function runOf(value: unknown): FormerRuns['runs'][number] {
  const [run, count] = shape.tuple(value, 2);
  return { run: shape.bytes(run, RUN_BYTES), count: shape.uint(count) };
}
