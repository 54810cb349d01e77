import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sealXChaCha } from '../../core/crypto/aead.ts';
import { BundleReader, BundleWriter } from '../../core/crypto/bundle.ts';
import { BUNDLE_MAGIC, CHUNK_BYTES, headBytes, SLOT_BYTES, SLOTS_AT } from '../../core/wire/bundle.ts';
import { makePerson } from '../support/crypto-people.ts';

/**
 * A frozen bundle file, put together as docs/protocol/bundle.md says. ML-KEM draws its own randomness, so the slot is one that
 * was made once for this recipient; the chunks follow from the file key, 32 bytes of f1, that is in it.
 */
const GOLDEN = {
  ephemeral: 'ed33e24afae45a6d3c4bf0995148452861a47ec6a6cbd129a186ff65af9af86c',
  slot: [
    'MSJJc2JUGm+EufB7DuyQ4iRXzaqiuNrCyBFn1kBrLtCf+5PKM9tkmVg104ysk16i08qV/M2rZIGBHizZHl6wEV7o/XOCzhV1wdKSuHEIUceimo+O',
    'ldvTTWLGy8r6WSF2oqR4xPCxmckhnIlhpRnZ+gOCVXju/CpXxq36p7luifsl9fq0y8rbV+CZ/23PbOQottzaEuxyIYXZ5WEDLJEoBw0lzGRgWAtp',
    'Q6v3fufTkYgfuAp7Wta18/gpP82dW8WyWCQA02LZzq7bq6PwOZ203Sm/KTVG4scNgiyubSLHLoTACgCSg94dw/I3LbtyIoH6NstKyk+H0u+EUU3r',
    'eMld1SFH1rUZy0Hjs605c+4vutDEBmJUWSQGsOAP6DuymGpJMOqHEaI/kq4DC2fMwLIb7lsFCFKJRiuavj9JEfM6OrptJOm9gciIblUotr65rQ6V',
    'cgZqDA4HjRCBmn5rO2O+tJ5YfMS9XuTwoIQOlit2MMirazpTWcz869vT9l/zCNqrHZTF+6PuSQD/dYtmVjnZIh4C05rBTQ66mGzCOYjKuDc82Vqi',
    'SP59zntxZBBeoX7iFtnLCyfHGiBpSIVdSoE72GfksQ4WfYnS+TAwhv/a/pvozaJfd4QX1LS0xuujr05u1LF8a5TlZ47wbyzucB1YYRLFsrQEmcSH',
    'wI4/sWkg/MTEDqs60yWEfZcNoGw8OLdHVYNObjM3ih0VtdpXAmOVueRK4cnpwa4peFvGxgcGM55l7eeS1FlR9qpFbxlBXcKQ/AVx1Xp4cYW99udI',
    'jRXYT0Ycgvr8uvqjMXoPKQyZqy1IykSmlclpPLy+UFYqWvbq+VSyk9MiqWqvTS/8k29XKrzkGpkLrSjVcG2Sq3bg52vr+bOQhsVnfyiqNAJX47P6',
    'Kn1AbkDquzoTpNP6yDROcvBuCEsBn/JDd5zRaDgDrANA2MBeRugPC8xnUNneKFj819e5rIwK4zoJ0/qAvbJ/nRiSaZalB2jEhpCpcpXTdFQwp2rK',
    'UBmXETMqqRGHvwT1I3Sqy4gss8A/e9pKAgXyIWpQdNJ8NHFZS9js4h73rb6QWNr/F9Q9sTAy+aA8YVszVlWaykxYsn2JawCbz0/dqlBGiSY6xb8P',
    'AFcL25Op0CzWUqvSVVRoLATUirdwAZiMtk/jEdhewXdGkSLFdYMFXtAqszqedjkkZ+zY9c0JAfIRTK+4sRvB9JaED4s/bsi1Gda9zdaxJ4+06S11',
    'fYSg8HL5Jg3dgv6p+ND0WfR6UytC25oeK/luci/Eym1uzM2cuEWHd7wbqO7J+Hr3/KdAU3kovvWctwyk5M0Q6imkg/URhEUwAhRtcd7fA9Zu9DK0',
    '5KEqyndTKccz+X9NgLp948g8GiJB3u/4uH0XmeD+ekd/Ify7+6a2gwWgbfxj1vOy6R+GJq8m3QStXEEmvAvYeFZMuHJS3+PReG18j7XSUNwjCCd5',
    '7Mi56KvVRrH6sRv7LwcVfAT/iqOV+FGJv/+rBvK6YH5zXrqaAilhNuLCOvw=',
  ],
  /** First 24 and last 16 bytes of a chunk with one envelope, 07 08 09, and of a last chunk of padding. */
  first: ['4593eea2cdf288f375bb83a4fbd379492c9cac3902cef25f', '0b6a0cd6abaeb97a53262835840c3085'],
  last: ['d581c6823f6b83df7adcc751f62cd77b1ee986da03121a73', '070b5d022f668422b148521cb30a5008'],
};
const FILE_KEY = Buffer.alloc(32, 0xf1);
const alice = makePerson('alice');
const HEAD = Buffer.concat([
  Buffer.from(BUNDLE_MAGIC),
  Buffer.of(0, 8),
  Buffer.from(GOLDEN.ephemeral, 'hex'),
  Buffer.alloc(3 * SLOT_BYTES),
  Buffer.from(GOLDEN.slot.join(''), 'base64'),
  Buffer.alloc(4 * SLOT_BYTES),
]);

test('golden: the head of a bundle opens to its file key, and the chunks are what that key makes', () => {
  const writer = new BundleWriter([], length => Buffer.alloc(length, 0xf1));
  const chunks = Buffer.concat([writer.envelope(Buffer.of(7, 8, 9)), ...writer.end()]);
  assert.equal(chunks.length, 4 * CHUNK_BYTES);
  assert.deepEqual(ends(chunks.subarray(0, CHUNK_BYTES)), GOLDEN.first);
  assert.deepEqual([HEAD.length, SLOTS_AT], [headBytes(8), 49]);
  const reader = new BundleReader(alice.identity);
  assert.deepEqual(reader.push(Buffer.concat([HEAD, chunks])), [Buffer.of(7, 8, 9)]);
  assert.equal(reader.progress, 'complete');
});

test('golden: a chunk that is the last, and second', () => {
  const nonce = Buffer.alloc(24);
  nonce[22] = 1;
  nonce[23] = 1;
  const out = Buffer.alloc(CHUNK_BYTES);
  sealXChaCha(out, Buffer.alloc(CHUNK_BYTES - 16), null, nonce, FILE_KEY);
  assert.deepEqual(ends(out), GOLDEN.last);
  const reader = new BundleReader(alice.identity);
  const writer = new BundleWriter([], length => Buffer.alloc(length, 0xf1));
  const first = Buffer.concat([writer.envelope(Buffer.of(7, 8, 9)), ...writer.end()]).subarray(0, CHUNK_BYTES);
  reader.push(Buffer.concat([HEAD, first, out]));
  assert.equal(reader.progress, 'complete');
});

function ends(chunk: Buffer): string[] {
  return [chunk.subarray(0, 24).toString('hex'), chunk.subarray(-16).toString('hex')];
}
