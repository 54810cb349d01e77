import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, Ed25519PublicKey, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import sodium from 'sodium-native';
import { asBuffer } from '../base/bytes.ts';
import { InternalError } from '../base/errors.ts';
import { parseTransportKey, type TransportKey } from '../base/ids.ts';
import { Secret } from '../base/secret.ts';

/**
 * A libp2p key that signs from guarded memory. libp2p's own keeps the seed in ordinary memory and turns it into a
 * string at every signature.
 */
export interface TransportSigner {
  readonly key: Ed25519PrivateKey;
  wipe(): void;
}

/** @param seed 32 bytes (RFC 8032); copied, not taken */
export function createTransportSigner(seed: Secret): TransportSigner {
  const raw = Buffer.alloc(sodium.crypto_sign_PUBLICKEYBYTES);
  const secret = Secret.make(sodium.crypto_sign_SECRETKEYBYTES, memory =>
    seed.use(bytes => sodium.crypto_sign_seed_keypair(raw, memory as never, bytes)),
  );
  const publicKey = publicKeyFromRaw(raw) as Ed25519PublicKey;
  const key: Ed25519PrivateKey = {
    type: 'Ed25519',
    publicKey,
    get raw(): Uint8Array {
      throw new InternalError('transport-key.raw', 'The transport key does not leave guarded memory.');
    },
    equals: other => other === key,
    sign: data => {
      const signature = Buffer.alloc(sodium.crypto_sign_BYTES);
      secret.use(memory => sodium.crypto_sign_detached(signature, asBuffer(data.subarray()), memory as never));
      return signature;
    },
  };
  return { key, wipe: () => secret.wipe() };
}

export function peerIdOf(key: TransportKey): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(key));
}

/** @returns undefined for a peer whose key is not Ed25519: no Molva node has one */
export function transportKeyOf(peer: PeerId): TransportKey | undefined {
  return peer.type === 'Ed25519' ? parseTransportKey(peer.publicKey.raw) : undefined;
}
