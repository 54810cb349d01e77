import { hex } from '../base/bytes.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { ACT_ID_BYTES } from './act-codec.ts';
import type { Act, ActId, Chain } from './chains.ts';
import { epochIdBytes, readEpochId } from './epoch-codec.ts';
import type { EpochId } from './group-crypto.ts';
import type { Hole } from './holes.ts';

/**
 * A member's chain at rest, its acts by place. The act before is written only where it is not the one in the place
 * before, and the epoch only where it changes.
 */
const shape = new Shape('group-chain.decode');

/** What one member said is written with every message of the others. */
const encoded = new WeakMap<Chain, Buffer>();

export function encodeChain(member: ContactId, chain: Chain): Buffer {
  const known = encoded.get(chain);
  if (known) return known;
  const acts = [...chain.acts.values()].sort((a, b) => a.seq - b.seq);
  const rows = acts.map(({ seq, id, previous, epoch }, at): Cbor => {
    const before = acts[at - 1];
    const follows = before?.seq === seq - 1 && before.id === previous;
    const link = follows ? true : previous === null ? null : Buffer.from(previous, 'hex');
    return [seq, Buffer.from(id, 'hex'), link, epoch === before?.epoch ? null : epochIdBytes(epoch)];
  });
  const holes = chain.holes.map(({ from, to }) => [from, to]);
  const bytes = encodeCbor([idBytes(member), rows, chain.first, holes, chain.forkedAt]);
  encoded.set(chain, bytes);
  return bytes;
}

/** @throws DecodeError not the documented form */
export function decodeChain(bytes: Uint8Array): readonly [ContactId, Chain] {
  const fields = shape.tuple(decodeCbor(bytes, bytes.length, 'group-chain.decode'), 5);
  const sender = contactIdFromBytes(shape.bytes(fields[0], ID_BYTES));
  const acts = new Map<number, Act>();
  let latest: Act | null = null;
  for (const row of shape.list(fields[1], Number.MAX_SAFE_INTEGER, item => item)) {
    latest = readAct(row, sender, latest);
    acts.set(latest.seq, latest);
  }
  const first = shape.uint(fields[2]);
  const holes = shape.list(fields[3], LIMITS.groupHoles, readHole);
  const forkedAt = fields[4] === null ? null : shape.uint(fields[4]);
  return [sender, { acts, first, latest: latest ?? shape.fail(), holes, forkedAt }];
}

function readHole(value: unknown): Hole {
  const [from, to] = shape.tuple(value, 2);
  return { from: shape.uint(from), to: shape.uint(to) };
}

function readAct(row: unknown, sender: ContactId, before: Act | null): Act {
  const [place, id, link, epoch] = shape.tuple(row, 4);
  const seq = shape.uint(place);
  if (before && seq <= before.seq) shape.fail();
  return { id: readActId(id), sender, seq, previous: readLink(link, before), epoch: epochOf(epoch, before) };
}

function readLink(link: unknown, before: Act | null): ActId | null {
  if (link === true) return before?.id ?? shape.fail();
  return link === null ? null : readActId(link);
}

function epochOf(value: unknown, before: Act | null): EpochId {
  return value === null ? (before?.epoch ?? shape.fail()) : readEpochId(value);
}

/** @throws DecodeError */
export function readActId(value: unknown): ActId {
  return hex(shape.bytes(value, ACT_ID_BYTES)) as ActId;
}
