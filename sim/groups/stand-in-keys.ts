import { compareBytes, hex, utf8 } from '../../core/base/bytes.ts';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { blake2b, keyedBlake2b } from '../../core/base/hash.ts';
import { type ContactId, contactIdFromBytes, idBytes } from '../../core/base/ids.ts';
import type { EpochId, EpochView } from '../../core/groups/group-crypto.ts';
import { type Cbor, encodeCbor } from '../../core/wire/cbor.ts';

const SIGNATURE_BYTES = 64;

/** Knows every secret of the stand-in for MLS by its public name: what public-key operations would do. */
export class Registry {
  readonly #secrets = new Map<string, Buffer>();

  publish(secret: Buffer): Buffer {
    const name = blake2b(16, utf8('public'), secret);
    this.#secrets.set(hex(name), secret);
    return name;
  }

  lock(publicName: Uint8Array, nonce: Uint8Array, secret: Uint8Array): Buffer {
    return masked(this.#secret(publicName), nonce, secret);
  }

  /** Made and checked so often that a real hash would be most of the work; nobody here tries to forge one. */
  sign(secret: Buffer, bytes: Uint8Array): Buffer {
    let [a, b] = [0x811c9dc5, 0x1b873593];
    for (const part of [secret, bytes]) {
      for (let at = 0; at < part.length; at += 1) {
        a = Math.imul(a ^ (part[at] as number), 0x01000193);
        b = Math.imul(b + (a >>> 13) + (part[at] as number), 0x85ebca6b);
      }
    }
    const signature = Buffer.alloc(SIGNATURE_BYTES);
    signature.writeInt32LE(a ^ (b >>> 15), 0);
    signature.writeInt32LE(b ^ Math.imul(a, 0xc2b2ae35), 4);
    return signature;
  }

  verify(publicName: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
    return compareBytes(this.sign(this.#secret(publicName), bytes), signature) === 0;
  }

  #secret(publicName: Uint8Array): Buffer {
    const secret = this.#secrets.get(hex(publicName));
    if (!secret) throw new AuthError('not-authentic', 'stand-in', 'No such key.');
    return secret;
  }
}

export interface Leaf {
  readonly identity: Buffer;
  readonly key: Buffer;
}

export function changedLeaves(
  leaves: ReadonlyMap<ContactId, Leaf>,
  packages: readonly Leaf[],
  removed: readonly ContactId[],
): Map<ContactId, Leaf> {
  const changed = new Map(leaves);
  for (const member of removed) if (!changed.delete(member)) throw new DecodeError('stand-in', 'Not a member.');
  for (const leaf of packages) {
    const member = contactIdFromBytes(leaf.identity);
    if (changed.has(member)) throw new DecodeError('stand-in', 'A member already.');
    changed.set(member, leaf);
  }
  return changed;
}

export function encodeInfo(view: EpochView, leaves: ReadonlyMap<ContactId, Leaf>): Buffer {
  const list: Cbor = [...leaves.values()].map(({ identity, key }) => [identity, key]);
  const maker = view.maker === null ? null : idBytes(view.maker);
  return encodeCbor([view.groupId, Buffer.from(view.epoch, 'hex'), view.number, view.data, list, maker]);
}

export function nextEpoch(epoch: EpochId, content: Uint8Array): EpochId {
  return hex(blake2b(32, utf8('epoch'), Buffer.from(epoch, 'hex'), content)) as EpochId;
}

export function mixed(secret: Uint8Array, before: Uint8Array | null, content: Uint8Array): Buffer {
  return keyedBlake2b(32, secret, utf8('secret'), before ?? Buffer.alloc(32), blake2b(32, content));
}

export function masked(secret: Uint8Array, nonce: Uint8Array, value: Uint8Array): Buffer {
  const mask = keyedBlake2b(32, secret, utf8('lock'), nonce);
  return Buffer.from(mask.map((byte, i) => byte ^ (value[i] as number)));
}

export function unlock(locks: Buffer, leafSecret: Buffer, nonce: Uint8Array): Buffer {
  const own = blake2b(16, utf8('public'), leafSecret);
  for (let at = 0; at < locks.length; at += 48) {
    if (compareBytes(locks.subarray(at, at + 16), own) === 0)
      return masked(leafSecret, nonce, locks.subarray(at + 16, at + 48));
  }
  throw new AuthError('not-authentic', 'stand-in.unlock', 'Not for this member.');
}
