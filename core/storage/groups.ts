import { decodeHlc, encodeHlc, HLC_BYTES } from '../base/hlc.ts';
import { type ContactId, type GroupId, groupIdFromBytes, idBytes } from '../base/ids.ts';
import { contactIdFromBytes, conversationIdFromBytes } from './id-text.ts';
import { decodePlace, encodePlace } from './message-place.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { GroupMemberRecord, GroupPhase, GroupRecord, Heard, OuterSecret } from './records.ts';
import { bytesOf, decodeRow, encodeRow, flagOf, listOf, orNull, shape, wordOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

const PHASES: readonly GroupPhase[] = ['member', 'leaving', 'left', 'removed'];

/** Groups, those that were left included. */
export class GroupRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'groups');
  }

  get(id: GroupId, from: RowReader = this.#port): GroupRecord | undefined {
    const plain = this.#table.get(from, this.#key(id));
    return plain && this.#table.decode(plain, decodeGroup);
  }

  list(from: RowReader = this.#port): GroupRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeGroup));
  }

  put(tx: Tx, g: GroupRecord): void {
    const outer = g.outer.map(({ secret, epochs }) => [secret, [...epochs]]);
    const [ids, phase] = [
      [idBytes(g.id), idBytes(g.conversation)],
      [PHASES.indexOf(g.phase), g.putBack],
    ];
    const card = [g.cardSerial, g.cardAtMs];
    const heard = [...g.heard].map(([member, { since, has }]) => [
      idBytes(member),
      encodeHlc(since),
      has && [encodePlace(has.first), encodePlace(has.last)],
    ]);
    const times = [g.createdAtMs, g.endedAtMs];
    const people = [g.addedBy && idBytes(g.addedBy), g.removed.map(idBytes)];
    const row = [...ids, ...phase, ...times, g.adding.map(idBytes), ...card, outer, heard, g.state, ...people];
    this.#table.put(tx, this.#key(g.id), encodeRow(row));
  }

  remove(tx: Tx, id: GroupId): void {
    tx.remove(this.#key(id));
  }

  #key(id: GroupId): Buffer {
    return this.#table.key(this.#sealer.nameHash('group', idBytes(id)));
  }
}

/** What opens one epoch, in parts that change at different times (core/groups/group-crypto.ts). */
export class GroupEpochRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'groupEpochs');
  }

  /** By epoch (32 bytes, hex), and then by part. */
  of(group: GroupId, from: RowReader = this.#port): Map<string, Map<number, Buffer>> {
    const epochs = new Map<string, Map<number, Buffer>>();
    for (const { key, plain } of this.#table.scan(from, this.#table.key(this.#name(group)))) {
      const epoch = plain.toString('hex', 0, 32);
      const parts = epochs.get(epoch) ?? new Map<number, Buffer>();
      epochs.set(epoch, parts.set(key[key.length - 1] as number, plain.subarray(32)));
    }
    return epochs;
  }

  put(tx: Tx, group: GroupId, epoch: Uint8Array, part: number, bytes: Uint8Array): void {
    const plain = Buffer.concat([epoch, bytes]);
    this.#table.put(tx, Buffer.concat([this.#epochKey(group, epoch), Buffer.of(part)]), plain);
    plain.fill(0);
  }

  remove(tx: Tx, group: GroupId, epoch: Uint8Array): void {
    this.#table.removeAll(tx, this.#epochKey(group, epoch));
  }

  removeAllOf(tx: Tx, group: GroupId): void {
    this.#table.removeAll(tx, this.#table.key(this.#name(group)));
  }

  #name(group: GroupId): Buffer {
    return this.#sealer.nameHash('group', idBytes(group));
  }

  #epochKey(group: GroupId, epoch: Uint8Array): Buffer {
    return this.#table.key(this.#name(group), this.#sealer.nameHash('epoch', epoch));
  }
}

/** The newest card that each member has given. */
export class GroupMemberRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'groupMembers');
  }

  get(group: GroupId, member: ContactId, from: RowReader = this.#port): GroupMemberRecord | undefined {
    const plain = this.#table.get(from, this.#key(group, member));
    return plain && this.#table.decode(plain, row => decodeMember(row, group));
  }

  listOf(group: GroupId, from: RowReader = this.#port): GroupMemberRecord[] {
    const rows = this.#table.scan(from, this.#table.key(this.#name(group)));
    return Array.from(rows, ({ plain }) => this.#table.decode(plain, row => decodeMember(row, group)));
  }

  put(tx: Tx, { group, member, card, cardSerial }: GroupMemberRecord): void {
    this.#table.put(tx, this.#key(group, member), encodeRow([idBytes(member), cardSerial, card]));
  }

  removeAllOf(tx: Tx, group: GroupId): void {
    this.#table.removeAll(tx, this.#table.key(this.#name(group)));
  }

  #name(group: GroupId): Buffer {
    return this.#sealer.nameHash('group', idBytes(group));
  }

  #key(group: GroupId, member: ContactId): Buffer {
    return this.#table.key(this.#name(group), this.#sealer.nameHash('contact', idBytes(member)));
  }
}

function decodeGroup(plain: Buffer): GroupRecord {
  const f = decodeRow(plain, 14);
  return {
    id: groupIdFromBytes(shape.bytes(f[0], 16)),
    conversation: conversationIdFromBytes(shape.bytes(f[1], 16)),
    phase: wordOf(PHASES, f[2]),
    putBack: flagOf(f[3]),
    createdAtMs: shape.uint(f[4]),
    endedAtMs: orNull(f[5], value => shape.uint(value)),
    adding: listOf(f[6], id => contactIdFromBytes(shape.bytes(id, 16))),
    cardSerial: shape.uint(f[7]),
    cardAtMs: shape.uint(f[8]),
    outer: listOf(f[9], decodeOuter),
    heard: new Map(listOf(f[10], decodeHeard)),
    state: bytesOf(f[11]),
    addedBy: orNull(f[12], id => contactIdFromBytes(shape.bytes(id, 16))),
    removed: listOf(f[13], id => contactIdFromBytes(shape.bytes(id, 16))),
  };
}

function decodeHeard(value: unknown): [ContactId, Heard] {
  const [member, since, has] = shape.tuple(value, 3);
  const heard = { since: decodeHlc(shape.bytes(since, HLC_BYTES)), has: orNull(has, decodeHas) };
  return [contactIdFromBytes(shape.bytes(member, 16)), heard];
}

function decodeHas(value: unknown): NonNullable<Heard['has']> {
  const [first, last] = shape.tuple(value, 2);
  return { first: decodePlace(first), last: decodePlace(last) };
}

function decodeOuter(value: unknown): OuterSecret {
  const [secret, epochs] = shape.tuple(value, 2);
  return { secret: shape.bytes(secret, 32), epochs: listOf(epochs, epoch => shape.bytes(epoch, 32)) };
}

function decodeMember(plain: Buffer, group: GroupId): GroupMemberRecord {
  const [member, cardSerial, card] = decodeRow(plain, 3);
  return {
    group,
    member: contactIdFromBytes(shape.bytes(member, 16)),
    cardSerial: shape.uint(cardSerial),
    card: bytesOf(card),
  };
}
