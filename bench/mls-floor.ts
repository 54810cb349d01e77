import { asBuffer } from '../core/base/bytes.ts';
import { systemRandom } from '../core/base/world.io.ts';
import { openChaCha, sealChaCha } from '../core/crypto/aead.ts';
import { ED25519_SECRET_BYTES, ed25519FromSeed, ed25519Sign, ed25519Verify } from '../core/crypto/ed25519.ts';
import { type SuiteKind, suiteOf } from '../core/crypto/mls/suite.ts';
import { medianMs } from './row.ts';

export interface Floors {
  readonly encrypt: number;
  readonly decrypt: number;
}

const SENDER_DATA_BYTES = 12;
const TO_SIGN_BYTES = 600;

/** An application message's cryptography alone: one signature, two AEADs, and five keys derived. */
export async function measureFloors(suite: SuiteKind, text: Uint8Array, times: number): Promise<Floors> {
  const { hash } = suiteOf(suite);
  const [key, nonce, data] = [systemRandom(32), systemRandom(12), systemRandom(40)];
  const secret = Buffer.alloc(ED25519_SECRET_BYTES);
  const publicKey = ed25519FromSeed(key, secret);
  const toSign = systemRandom(TO_SIGN_BYTES);
  const plaintexts = [asBuffer(text), systemRandom(SENDER_DATA_BYTES)];
  const sealed = plaintexts.map(each => sealChaCha(each, data, nonce, key));
  const signature = ed25519Sign(secret, toSign);
  const derive = (): void => {
    for (let count = 0; count < 5; count += 1) hash.mac(key, data);
  };
  const encrypt = await medianMs(times, () => {
    derive();
    for (const each of plaintexts) sealChaCha(each, data, nonce, key);
    ed25519Sign(secret, toSign);
  });
  const decrypt = await medianMs(times, () => {
    derive();
    for (const each of sealed) openChaCha(each, data, nonce, key);
    ed25519Verify(publicKey, toSign, signature);
  });
  return { encrypt, decrypt };
}
