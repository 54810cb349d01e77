import { concat, hex } from '../base/bytes.ts';
import { type ContactId, contactIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type Cbor, decodeCbor, encodeCbor, Shape } from '../wire/cbor.ts';
import { ACT_BYTES, ACT_ID_BYTES, DIGEST_BYTES, encodeActHead, MESSAGE_KINDS } from './act-codec.ts';
import { SIGNATURE_BYTES } from './act-seal.ts';
import type { Act, ActId, Chain, Proof, SignedAct } from './chains.ts';
import { epochIdBytes, readEpochId } from './epoch-codec.ts';
import type { EpochId } from './group-crypto.ts';
import type { Hole } from './holes.ts';

/**
 * A member's chain at rest, its acts by place. The act before is written only where it is not the one in the place
 * before, and the epoch only where it changes; of what was signed, only what does not follow from the rest.
 */
const shape = new Shape('group-chain.decode');

/** What one member said is written with every message of the others. */
const encoded = new WeakMap<Chain, Buffer>();

/** @param acts those of it that are written along: all, or none where they have rows of their own */
export function encodeChain(member: ContactId, chain: Chain, acts: 'all' | 'none' = 'all'): Buffer {
  const known = acts === 'none' ? encoded.get(chain) : undefined;
  if (known) return known;
  const rows = acts === 'none' ? [] : actRows([...chain.acts.values()]);
  const holes = chain.holes.map(({ from, to }) => [from, to]);
  const proof = chain.proof?.map(({ epoch, bytes: signed }) => [epochIdBytes(epoch), signed]) ?? null;
  const shown = chain.shownIn === null ? null : epochIdBytes(chain.shownIn);
  const bytes = encodeCbor([idBytes(member), rows, chain.first, holes, chain.forkedAt, proof, shown]);
  if (acts === 'none') encoded.set(chain, bytes);
  return bytes;
}

/** Some acts of one member, for a row of their own. */
export function encodeActs(member: ContactId, acts: readonly Act[]): Buffer {
  return encodeCbor([idBytes(member), actRows(acts)]);
}

/** @throws DecodeError not the documented form */
export function decodeActs(bytes: Uint8Array): readonly Act[] {
  const [member, rows] = shape.tuple(decodeCbor(bytes, bytes.length, 'group-chain.decode'), 2);
  return readActs(rows, contactIdFromBytes(shape.bytes(member, ID_BYTES)));
}

function actRows(acts: readonly Act[]): Cbor[] {
  const inOrder = [...acts].sort((a, b) => a.seq - b.seq);
  return inOrder.map(({ seq, id, previous, epoch, signed }, at): Cbor => {
    const before = inOrder[at - 1];
    const follows = before?.seq === seq - 1 && before.id === previous;
    const link = follows ? true : previous === null ? null : Buffer.from(previous, 'hex');
    const where = epoch === before?.epoch ? null : epochIdBytes(epoch);
    return [seq, Buffer.from(id, 'hex'), link, where, signed ? signedFields(signed, epoch) : null];
  });
}

function readActs(rows: unknown, sender: ContactId): Act[] {
  const acts: Act[] = [];
  for (const row of shape.list(rows, Number.MAX_SAFE_INTEGER, item => item)) {
    acts.push(readAct(row, sender, acts.at(-1) ?? null));
  }
  return acts;
}

/**
 * @param apart acts that were in rows of their own, by member
 * @throws DecodeError not the documented form
 */
export function decodeChain(
  bytes: Uint8Array,
  apart: ReadonlyMap<ContactId, readonly Act[]> = new Map(),
): readonly [ContactId, Chain] {
  const fields = shape.tuple(decodeCbor(bytes, bytes.length, 'group-chain.decode'), 7);
  const sender = contactIdFromBytes(shape.bytes(fields[0], ID_BYTES));
  const all = [...(apart.get(sender) ?? []), ...readActs(fields[1], sender)];
  const acts = new Map(all.sort((a, b) => a.seq - b.seq).map(act => [act.seq, act]));
  const latest = all.at(-1);
  const first = shape.uint(fields[2]);
  const holes = shape.list(fields[3], LIMITS.groupHoles, readHole);
  const forkedAt = fields[4] === null ? null : shape.uint(fields[4]);
  const proof = fields[5] === null ? null : readProof(fields[5]);
  const shownIn = fields[6] === null ? null : readEpochId(fields[6]);
  return [sender, { acts, first, latest: latest ?? shape.fail(), holes, forkedAt, proof, shownIn }];
}

function readProof(value: unknown): Proof {
  const [first, second] = shape.tuple(value, 2).map(item => {
    const [epoch, bytes] = shape.tuple(item, 2);
    return { epoch: readEpochId(epoch), bytes: Buffer.from(shape.bytesUpTo(bytes, ACT_BYTES)) };
  });
  return first && second ? [first, second] : shape.fail();
}

/** The signature, and the digest that what is signed ends with; `kind` stands before the digest's head of two bytes. */
function signedFields({ epoch, bytes }: SignedAct, stands: EpochId): Cbor {
  const digestAt = bytes.length - DIGEST_BYTES;
  const kept = concat(bytes.subarray(0, SIGNATURE_BYTES), bytes.subarray(digestAt));
  return [epoch === stands ? null : epochIdBytes(epoch), bytes[digestAt - 3] ?? 0, kept];
}

function readSignedFields(value: unknown, act: Act): SignedAct {
  const [sealedIn, kind, kept] = shape.tuple(value, 3);
  const bytes = shape.bytes(kept, SIGNATURE_BYTES + DIGEST_BYTES);
  const said = MESSAGE_KINDS[shape.uint(kind, MESSAGE_KINDS.length - 1)] ?? shape.fail();
  const head = encodeActHead({ ...act, kind: said, digest: bytes.subarray(SIGNATURE_BYTES) });
  const signed = concat(bytes.subarray(0, SIGNATURE_BYTES), head);
  const epoch = sealedIn === null ? act.epoch : readEpochId(sealedIn);
  return (sealedIn === null) === (epoch === act.epoch) ? { epoch, bytes: signed } : shape.fail();
}

function readHole(value: unknown): Hole {
  const [from, to] = shape.tuple(value, 2);
  return { from: shape.uint(from), to: shape.uint(to) };
}

function readAct(row: unknown, sender: ContactId, before: Act | null): Act {
  const [place, id, link, epoch, signed] = shape.tuple(row, 5);
  const seq = shape.uint(place);
  if (before && seq <= before.seq) shape.fail();
  const previous = readLink(link, before);
  const act = { id: readActId(id), sender, seq, previous, epoch: epochOf(epoch, before) };
  return signed === null ? act : { ...act, signed: readSignedFields(signed, act) };
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
