import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pureJsCrypto } from '@libp2p/noise';
import fc from 'fast-check';
import sodium from 'sodium-native';
import { Secret } from '../../core/base/secret.ts';
import { noiseCrypto } from '../../core/network/noise-crypto.io.ts';
import { createTransportSigner } from '../../core/network/transport-key.ts';

const key = () => fc.uint8Array({ minLength: 32, maxLength: 32 });
const nonce = () => fc.uint8Array({ minLength: 12, maxLength: 12 });
/** Around the size where one library takes over from the other. */
const message = () => fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ minLength: 1150, maxLength: 1250 }));
const plain = (bytes: { subarray(): Uint8Array }) => Buffer.from(bytes.subarray()).toString('hex');

describe('Noise on native code', () => {
  it('agrees with the portable implementation', () => {
    fc.assert(
      fc.property(message(), nonce(), key(), fc.uint8Array({ maxLength: 40 }), (text, iv, secret, data) => {
        const sealed = noiseCrypto.chaCha20Poly1305Encrypt(text, iv, data, secret);
        assert.equal(plain(sealed), plain(pureJsCrypto.chaCha20Poly1305Encrypt(text, iv, data, secret)));
        const copy = Uint8Array.from(sealed.subarray());
        assert.equal(plain(noiseCrypto.chaCha20Poly1305Decrypt(copy, iv, data, secret)), plain(text));
        assert.equal(plain(noiseCrypto.hashSHA256(text)), plain(pureJsCrypto.hashSHA256(text)));
        const [ours, theirs] = [noiseCrypto, pureJsCrypto].map(crypto => crypto.getHKDF(secret, text).map(plain));
        assert.deepEqual(ours, theirs);
      }),
    );
  });

  it('agrees on keys and shared secrets', () => {
    fc.assert(
      fc.property(key(), key(), (a, b) => {
        const [ours, theirs] = [noiseCrypto, pureJsCrypto].map(crypto => crypto.generateX25519KeyPairFromSeed(a));
        assert.ok(ours && theirs);
        assert.equal(plain(ours.publicKey), plain(theirs.publicKey));
        const peer = noiseCrypto.generateX25519KeyPairFromSeed(b).publicKey;
        const shared = noiseCrypto.generateX25519SharedKey(ours.privateKey, peer);
        assert.equal(plain(shared), plain(pureJsCrypto.generateX25519SharedKey(theirs.privateKey, peer)));
      }),
      { numRuns: 30 },
    );
    const [one, two] = [noiseCrypto.generateX25519KeyPair(), noiseCrypto.generateX25519KeyPair()];
    assert.notEqual(plain(one.privateKey), plain(two.privateKey));
  });

  it('refuses whatever was changed or cut', () => {
    fc.assert(
      fc.property(
        message(),
        nonce(),
        key(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (text, iv, secret, at, flip) => {
          const sealed = Uint8Array.from(
            noiseCrypto.chaCha20Poly1305Encrypt(text, iv, new Uint8Array(), secret).subarray(),
          );
          const changed = Uint8Array.from(sealed);
          changed[at % changed.length] = (changed[at % changed.length] as number) ^ flip;
          for (const bad of [changed, sealed.subarray(0, sealed.length - 1), sealed.subarray(0, 15)]) {
            assert.throws(() => noiseCrypto.chaCha20Poly1305Decrypt(bad, iv, new Uint8Array(), secret));
          }
        },
      ),
    );
  });

  it('refuses a public key of low order, which would make the secret known', () => {
    const { privateKey } = noiseCrypto.generateX25519KeyPair();
    assert.throws(() => noiseCrypto.generateX25519SharedKey(privateKey, new Uint8Array(32)));
  });
});

describe('transport key', () => {
  // RFC 8032 §7.1, test 2.
  const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
  const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';

  it('signs as RFC 8032 says, without giving the key away', async () => {
    const signer = createTransportSigner(Secret.take(Buffer.from(seed)));
    assert.equal(plain(signer.key.publicKey.raw), publicKey);
    const signature = await signer.key.sign(Buffer.from('72', 'hex'));
    assert.match(plain(signature), /^92a009a9f0d4cab8720e820b5f642540/);
    assert.ok(
      sodium.crypto_sign_verify_detached(
        Buffer.from(signature),
        Buffer.from('72', 'hex'),
        Buffer.from(publicKey, 'hex'),
      ),
    );
    assert.throws(() => signer.key.raw, { code: 'internal' });
    signer.wipe();
    assert.throws(() => signer.key.sign(Buffer.from('72', 'hex')));
  });
});
