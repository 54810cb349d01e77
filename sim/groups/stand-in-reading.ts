import { concat, hex, utf8 } from '../../core/base/bytes.ts';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { keyedBlake2b } from '../../core/base/hash.ts';
import { type ContactId, contactIdFromBytes } from '../../core/base/ids.ts';
import type { EpochView } from '../../core/groups/group-crypto.ts';
import { decodeCbor, Shape } from '../../core/wire/cbor.ts';
import type { Leaf, Registry } from './stand-in-keys.ts';

/** What the stand-in reads of others' bytes, and derives from an epoch's secret. */

const MAX = 1 << 22;
const BLOCK = 64;
const shape = new Shape('stand-in');

export function readKeyPackage(registry: Registry, keyPackage: Uint8Array): Leaf {
  if (keyPackage.length !== 96) throw new DecodeError('stand-in.key-package');
  const bytes = Buffer.from(keyPackage);
  const [identity, key] = [bytes.subarray(0, 16), bytes.subarray(16, 32)];
  if (!registry.verify(identity, bytes.subarray(0, 32), bytes.subarray(32))) {
    throw new AuthError('not-authentic', 'stand-in.key-package', 'Signature.');
  }
  return { identity, key };
}

export function readInfo(info: Uint8Array): { view: EpochView; leaves: Map<ContactId, Leaf> } {
  const [groupId, epoch, number, data, list, maker] = shape.tuple(decodeCbor(info, MAX, 'stand-in'), 6);
  const leaves = new Map<ContactId, Leaf>();
  for (const item of list as [Buffer, Buffer][])
    leaves.set(contactIdFromBytes(item[0]), { identity: item[0], key: item[1] });
  const view = {
    groupId,
    epoch: hex(epoch as Buffer),
    maker: maker === null ? null : contactIdFromBytes(maker as Buffer),
    number,
    members: [...leaves.keys()],
    data,
  } as unknown as EpochView;
  return { view, leaves };
}

export function readGroupInfo(
  registry: Registry,
  groupInfo: Uint8Array,
): { view: EpochView; leaves: Map<ContactId, Leaf>; external: Buffer } {
  const [content, signature] = shape.tuple(decodeCbor(groupInfo, MAX, 'stand-in'), 2) as [Buffer, Buffer];
  const [info, external, signer] = shape.tuple(decodeCbor(content, MAX, 'stand-in'), 3) as [Buffer, Buffer, Buffer];
  const read = readInfo(info);
  if (!read.leaves.has(contactIdFromBytes(signer)) || !registry.verify(signer, content, signature)) {
    throw new AuthError('not-authentic', 'stand-in.group-info', 'Signature.');
  }
  return { ...read, external };
}

export function exportedFrom(secret: Buffer, label: string, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / BLOCK) }, (_, at) =>
    keyedBlake2b(BLOCK, secret, utf8(`exporter ${at} ${label}`)),
  );
  return concat(...blocks).subarray(0, length);
}
