import { type ContactId, idBytes } from '../base/ids.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { Instance, SeenInstance } from './records.ts';
import { decodeRow, encodeRow, flagOf, orNull, shape } from './row-codec.ts';
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

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'instances');
    this.#ownKey = this.#table.key(Buffer.from('own'));
    this.#markKey = this.#table.key(Buffer.from('mark'));
  }

  /** The start under way, or the last one. */
  own(from: RowReader = this.#port): Instance | undefined {
    const plain = this.#table.get(from, this.#ownKey);
    return plain && this.#table.decode(plain, decodeOwn);
  }

  putOwn(tx: Tx, { starts, incarnation }: Instance): void {
    this.#table.put(tx, this.#ownKey, encodeRow([starts, incarnation]));
  }

  seen(contact: ContactId, from: RowReader = this.#port): SeenInstance | undefined {
    const plain = this.#table.get(from, this.#key(contact));
    return plain && this.#table.decode(plain, decodeSeen);
  }

  putSeen(tx: Tx, contact: ContactId, { starts, incarnation, holds }: SeenInstance): void {
    this.#table.put(tx, this.#key(contact), encodeRow([starts, incarnation, holds]));
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
  const [starts, incarnation, holds] = decodeRow(plain, 3);
  return { ...instanceOf(starts, incarnation), holds: flagOf(holds) };
}
