import assert from 'node:assert/strict';
import { openChaCha, openXChaCha, sealChaCha, sealXChaCha } from '../../core/crypto/aead.ts';
import { ed25519Verify } from '../../core/crypto/ed25519.ts';
import { hmac } from '../../core/crypto/hmac.ts';
import { kemDecapsulate, kemEncapsulate, kemPublicOf } from '../../core/crypto/ml-kem.ts';
import { noiseHkdf, SESSION_NOISE } from '../../core/crypto/noise/protocol.ts';
import { x25519 } from '../../core/crypto/x25519.ts';
import { fromHex, vectorTest } from './crypto-vectors.ts';

type Result = 'valid' | 'invalid' | 'acceptable';

interface Wycheproof<Group> {
  testGroups: Group[];
}

interface Case {
  tcId: number;
  result: Result;
}

/** Runs every case and makes sure that enough of them were there and none was passed over. */
function eachCase<C extends Case, G extends { tests: C[] }>(
  file: Wycheproof<G>,
  atLeast: number,
  check: (testCase: C, group: G) => void,
): void {
  let count = 0;
  for (const group of file.testGroups) {
    for (const testCase of group.tests) {
      check(testCase, group);
      count += 1;
    }
  }
  assert.ok(count >= atLeast, `only ${count} cases`);
}

/** The value, or undefined where the function refuses its input. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

interface X25519Case extends Case {
  public: string;
  private: string;
  shared: string;
}

vectorTest<Wycheproof<{ tests: X25519Case[] }>>('wycheproof/x25519_test.json', 'X25519: Wycheproof', file => {
  eachCase<X25519Case, { tests: X25519Case[] }>(file, 500, testCase => {
    const shared = attempt(() => x25519(fromHex(testCase.private), fromHex(testCase.public)));
    // The all-zero secret is "acceptable" to the vectors and never to us.
    if (/^0*$/.test(testCase.shared)) assert.equal(shared, undefined, `case ${testCase.tcId}`);
    else assert.equal(shared?.toString('hex'), testCase.shared, `case ${testCase.tcId}`);
  });
});

interface Ed25519Case extends Case {
  msg: string;
  sig: string;
}
type Ed25519Group = { publicKey: { pk: string }; tests: Ed25519Case[] };

vectorTest<Wycheproof<Ed25519Group>>('wycheproof/ed25519_test.json', 'Ed25519: Wycheproof', file => {
  eachCase<Ed25519Case, Ed25519Group>(file, 150, (testCase, group) => {
    const verified = ed25519Verify(fromHex(group.publicKey.pk), fromHex(testCase.msg), fromHex(testCase.sig));
    assert.equal(verified, testCase.result === 'valid', `case ${testCase.tcId}`);
  });
});

interface AeadCase extends Case {
  key: string;
  iv: string;
  aad: string;
  msg: string;
  ct: string;
  tag: string;
}
type AeadGroup = { ivSize: number; tests: AeadCase[] };

function checkAead(
  file: Wycheproof<AeadGroup>,
  nonceBits: number,
  seal: (c: AeadCase) => Buffer,
  open: (c: AeadCase) => Buffer | undefined,
): void {
  eachCase<AeadCase, AeadGroup>(file, 300, (testCase, group) => {
    const opened = attempt(() => open(testCase));
    if (testCase.result !== 'valid') return assert.equal(opened, undefined, `case ${testCase.tcId}`);
    assert.equal(group.ivSize, nonceBits);
    assert.equal(opened?.toString('hex'), testCase.msg, `case ${testCase.tcId}`);
    assert.equal(seal(testCase).toString('hex'), testCase.ct + testCase.tag, `case ${testCase.tcId}`);
  });
}

vectorTest<Wycheproof<AeadGroup>>('wycheproof/chacha20_poly1305_test.json', 'ChaCha20-Poly1305: Wycheproof', file => {
  checkAead(
    file,
    96,
    c => sealChaCha(fromHex(c.msg), fromHex(c.aad), fromHex(c.iv), fromHex(c.key)),
    c => openChaCha(fromHex(c.ct + c.tag), fromHex(c.aad), fromHex(c.iv), fromHex(c.key)),
  );
});

vectorTest<Wycheproof<AeadGroup>>('wycheproof/xchacha20_poly1305_test.json', 'XChaCha20-Poly1305: Wycheproof', file => {
  checkAead(
    file,
    192,
    c => {
      const out = Buffer.alloc(c.msg.length / 2 + 16);
      sealXChaCha(out, fromHex(c.msg), fromHex(c.aad), fromHex(c.iv), fromHex(c.key));
      return out;
    },
    c => {
      const out = Buffer.alloc(c.ct.length / 2);
      return openXChaCha(out, fromHex(c.ct + c.tag), fromHex(c.aad), fromHex(c.iv), fromHex(c.key)) ? out : undefined;
    },
  );
});

interface MacCase extends Case {
  key: string;
  msg: string;
  tag: string;
}
type MacGroup = { tagSize: number; tests: MacCase[] };

vectorTest<Wycheproof<MacGroup>>('wycheproof/hmac_sha256_test.json', 'HMAC-SHA256: Wycheproof', file => {
  eachCase<MacCase, MacGroup>(file, 170, (testCase, group) => {
    const tag = hmac('sha256', fromHex(testCase.key), fromHex(testCase.msg)).subarray(0, group.tagSize / 8);
    assert.equal(tag.toString('hex') === testCase.tag, testCase.result === 'valid', `case ${testCase.tcId}`);
  });
});

interface HkdfCase extends Case {
  ikm: string;
  salt: string;
  info: string;
  size: number;
  okm: string;
}
type HkdfGroup = { tests: HkdfCase[] };

vectorTest<Wycheproof<HkdfGroup>>('wycheproof/hkdf_sha256_test.json', 'HKDF of Noise: Wycheproof, empty info', file => {
  let used = 0;
  eachCase<HkdfCase, HkdfGroup>(file, 80, testCase => {
    // Noise knows no info and at most three blocks of output.
    if (testCase.result !== 'valid' || testCase.info !== '' || testCase.size > 96) return;
    used += 1;
    const outputs = noiseHkdf(SESSION_NOISE, fromHex(testCase.salt), fromHex(testCase.ikm), 3);
    const okm = Buffer.concat(outputs).subarray(0, testCase.size);
    assert.equal(okm.toString('hex'), testCase.okm, `case ${testCase.tcId}`);
  });
  assert.ok(used >= 20, `only ${used} cases fit`);
});

interface KemCase extends Case {
  seed: string;
  ek: string;
  c: string;
  K: string;
}
type KemGroup = { tests: KemCase[] };

vectorTest<Wycheproof<KemGroup>>('wycheproof/mlkem_768_test.json', 'ML-KEM-768 from a seed: Wycheproof', file => {
  eachCase<KemCase, KemGroup>(file, 190, testCase => {
    const seed = fromHex(testCase.seed);
    const shared = attempt(() => kemDecapsulate(seed, fromHex(testCase.c)));
    if (testCase.result !== 'valid') return assert.equal(shared, undefined, `case ${testCase.tcId}`);
    assert.equal(shared?.toString('hex'), testCase.K, `case ${testCase.tcId}`);
    assert.equal(kemPublicOf(seed).toString('hex'), testCase.ek, `case ${testCase.tcId}`);
    const sent = kemEncapsulate(fromHex(testCase.ek));
    assert.deepEqual(kemDecapsulate(seed, sent.ciphertext), sent.shared);
  });
});

vectorTest<Wycheproof<KemGroup>>(
  'wycheproof/mlkem_768_encaps_test.json',
  'ML-KEM-768 public keys: Wycheproof',
  file => {
    // The ciphertexts cannot be compared (node:crypto takes no randomness); which keys are refused can.
    const seen = { valid: 0, invalid: 0 };
    eachCase<KemCase, KemGroup>(file, 260, testCase => {
      const sent = attempt(() => kemEncapsulate(fromHex(testCase.ek)));
      assert.equal(sent !== undefined, testCase.result === 'valid', `case ${testCase.tcId}`);
      seen[sent ? 'valid' : 'invalid'] += 1;
    });
    assert.ok(seen.invalid > 0);
  },
);
