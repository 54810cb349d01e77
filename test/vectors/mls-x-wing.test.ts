import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRandom } from '../../core/base/world.io.ts';
import { XWingKem } from '../../core/crypto/mls/kem.ts';
import { fromHex } from './crypto-vectors.ts';

interface XWingVectors {
  readonly vectors: readonly Record<'keyMaterial' | 'privateKey' | 'publicKeySha256' | 'sent' | 'shared', string>[];
}

test('X-Wing: keys and secrets are those of another implementation', () => {
  const file = readFileSync(join(import.meta.dirname, 'mls-x-wing.json'), 'utf8');
  const { vectors } = JSON.parse(file) as XWingVectors;
  const kem = new XWingKem();
  assert.equal(vectors.length, 3);
  for (const vector of vectors) {
    const pair = kem.derive(fromHex(vector.keyMaterial));
    assert.equal(pair.private.toString('hex'), vector.privateKey);
    assert.equal(createHash('sha256').update(pair.public).digest('hex'), vector.publicKeySha256);
    assert.equal(kem.decapsulate(pair.private, fromHex(vector.sent)).toString('hex'), vector.shared);
    const { sent, shared } = kem.encapsulate(pair.public, systemRandom);
    assert.deepEqual(kem.decapsulate(pair.private, sent), shared);
  }
});
