import assert from 'node:assert/strict';
import { decodeAuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { computePskSecret } from 'ts-mls/presharedkey.js';
import { createConfirmedHash, createInterimHash } from 'ts-mls/transcriptHash.js';
import { concat, utf8 } from '../../core/base/bytes.ts';
import { DecodeError } from '../../core/base/errors.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { ED25519_SECRET_BYTES, ed25519FromSeed } from '../../core/crypto/ed25519.ts';
import { exportSecret } from '../../core/crypto/mls/group-state.ts';
import { joinerSecretOf, memberEpoch, memberSecretOf } from '../../core/crypto/mls/key-schedule.ts';
import { makeSecretTree, type SecretTree, takeKeyAt } from '../../core/crypto/mls/secret-tree.ts';
import { NO_RANDOM } from '../../core/crypto/mls/step.ts';
import { type Suite, suiteOf } from '../../core/crypto/mls/suite.ts';
import { directPath, leftOf, parentOf, rightOf, rootOf, siblingOf, widthOf } from '../../core/crypto/mls/tree-math.ts';
import { lengthHead, Reader, varBytes } from '../../core/crypto/mls/wire.ts';
import { fromHex } from './crypto-vectors.ts';
import { mlsVectors } from './mls-cases.ts';

/** Suites of RFC 9420 by number: what they share with ours. The rest of a suite is not in Molva. */
const FULL = 3;
const WITH_SHA256 = [1, 2, 3];
const WITH_SHA512 = [4, 5, 6];

interface Vector {
  cipher_suite: number;
}

interface Case<T> {
  readonly suite: Suite;
  readonly vector: T;
}

/** Every vector whose hash, and so whose key derivation, is that of one of our suites. */
function hashedLikeOurs<T extends Vector>(vectors: readonly T[]): Case<T>[] {
  return vectors.flatMap((vector): Case<T>[] => {
    if (WITH_SHA256.includes(vector.cipher_suite)) return [{ suite: suiteOf('classical'), vector }];
    return WITH_SHA512.includes(vector.cipher_suite) ? [{ suite: suiteOf('hybrid'), vector }] : [];
  });
}

const vectorsOf = mlsVectors('primitives');

const LARGEST = 1024 * 1024;

const equalHex = (actual: Uint8Array, expected: string): void =>
  assert.equal(Buffer.from(actual).toString('hex'), expected);

interface Basics extends Vector {
  derive_secret: { label: string; out: string; secret: string };
  derive_tree_secret: { generation: number; label: string; length: number; out: string; secret: string };
  encrypt_with_label: Record<'ciphertext' | 'context' | 'kem_output' | 'label' | 'plaintext' | 'priv' | 'pub', string>;
  expand_with_label: { context: string; label: string; length: number; out: string; secret: string };
  ref_hash: { label: string; out: string; value: string };
  sign_with_label: Record<'content' | 'label' | 'priv' | 'pub' | 'signature', string>;
}

vectorsOf.each<Basics>('crypto-basics', 'labelled hashes and derivations', vectors => {
  const cases = hashedLikeOurs(vectors);
  for (const { suite, vector } of cases) {
    const { derive_secret: secret, derive_tree_secret: tree, expand_with_label: expand, ref_hash: ref } = vector;
    equalHex(suite.derive(fromHex(secret.secret), secret.label), secret.out);
    equalHex(suite.deriveAt(fromHex(tree.secret), tree.label, tree.generation, tree.length), tree.out);
    equalHex(suite.expand(fromHex(expand.secret), expand.label, fromHex(expand.context), expand.length), expand.out);
    equalHex(suite.hash.digest(concat(varBytes(utf8(ref.label)), varBytes(fromHex(ref.value)))), ref.out);
  }
  return cases.length;
});

vectorsOf.each<Basics>('crypto-basics', 'signatures and HPKE', vectors => {
  const suite = suiteOf('classical');
  const vector = vectors.find(each => each.cipher_suite === FULL);
  assert.ok(vector);
  const { encrypt_with_label: sealed, sign_with_label: signed } = vector;
  const secret = Buffer.alloc(ED25519_SECRET_BYTES);
  equalHex(ed25519FromSeed(fromHex(signed.priv), secret), signed.pub);
  const content = fromHex(signed.content);
  assert.ok(suite.verify(fromHex(signed.pub), signed.label, content, fromHex(signed.signature)));
  assert.ok(!suite.verify(fromHex(signed.pub), signed.label, concat(content, utf8('x')), fromHex(signed.signature)));
  equalHex(suite.sign(secret, signed.label, content), signed.signature);
  const info = suite.encryptionInfo(sealed.label, fromHex(sealed.context));
  const opened = suite.hpke.open(fromHex(sealed.priv), fromHex(sealed.kem_output), info, fromHex(sealed.ciphertext));
  equalHex(opened, sealed.plaintext);
  const again = suite.hpke.seal(fromHex(sealed.pub), info, opened, systemRandom);
  equalHex(suite.hpke.open(fromHex(sealed.priv), again.sent, info, again.ciphertext), sealed.plaintext);
  return 1;
});

type ScheduleEpoch = Record<
  | 'commit_secret'
  | 'confirmation_key'
  | 'encryption_secret'
  | 'epoch_authenticator'
  | 'exporter_secret'
  | 'external_pub'
  | 'external_secret'
  | 'group_context'
  | 'init_secret'
  | 'joiner_secret'
  | 'membership_key'
  | 'psk_secret'
  | 'resumption_psk'
  | 'sender_data_secret'
  | 'welcome_secret',
  string
> & { exporter: { context: string; label: string; length: number; secret: string } };

type Schedule = Vector & { epochs: ScheduleEpoch[]; initial_init_secret: string };

vectorsOf.each<Schedule>('key-schedule', 'key schedule', vectors => {
  const cases = hashedLikeOurs(vectors);
  for (const { suite, vector } of cases) {
    let initSecret: Uint8Array = fromHex(vector.initial_init_secret);
    assert.ok(vector.epochs.length > 1);
    for (const epoch of vector.epochs) initSecret = checkEpoch(suite, initSecret, epoch, vector.cipher_suite === FULL);
  }
  return cases.length;
});

/** @param whole whether the suite is ours: the external key is of its KEM. @returns the epoch's init secret */
function checkEpoch(suite: Suite, initSecret: Uint8Array, epoch: ScheduleEpoch, whole: boolean): Uint8Array {
  const context = fromHex(epoch.group_context);
  const joiner = joinerSecretOf(suite, initSecret, fromHex(epoch.commit_secret), context);
  equalHex(joiner, epoch.joiner_secret);
  const member = memberSecretOf(suite, joiner, fromHex(epoch.psk_secret));
  equalHex(suite.derive(member, 'welcome'), epoch.welcome_secret);
  const { keys, encryptionSecret } = memberEpoch(suite, member, context);
  equalHex(encryptionSecret, epoch.encryption_secret);
  equalHex(keys.initSecret, epoch.init_secret);
  equalHex(keys.senderDataSecret, epoch.sender_data_secret);
  equalHex(keys.exporterSecret, epoch.exporter_secret);
  equalHex(keys.externalSecret, epoch.external_secret);
  equalHex(keys.confirmationKey, epoch.confirmation_key);
  equalHex(keys.membershipKey, epoch.membership_key);
  equalHex(keys.resumptionPsk, epoch.resumption_psk);
  equalHex(keys.epochAuthenticator, epoch.epoch_authenticator);
  const { label, context: exportContext, length, secret } = epoch.exporter;
  equalHex(exportSecret({ suite: suite.kind, keys }, label, fromHex(exportContext), length), secret);
  if (whole) equalHex(suite.hpke.kem.derive(keys.externalSecret).public, epoch.external_pub);
  return keys.initSecret;
}

interface PskVector extends Vector {
  psks: { psk_id: string; psk: string; psk_nonce: string }[];
  psk_secret: string;
}

vectorsOf.each<PskVector>('psk_secret', 'pre-shared keys', async vectors => {
  const cases = hashedLikeOurs(vectors);
  for (const { suite, vector } of cases) {
    const psks = vector.psks.map(({ psk_id, psk, psk_nonce }) => {
      const id = { psktype: 'external' as const, pskId: fromHex(psk_id), pskNonce: fromHex(psk_nonce) };
      return [id, fromHex(psk)] as [typeof id, Buffer];
    });
    equalHex(await computePskSecret(psks, suite.provider(NO_RANDOM)), vector.psk_secret);
  }
  return cases.length;
});

interface SecretTreeVector extends Vector {
  encryption_secret: string;
  sender_data: Record<'sender_data_secret' | 'ciphertext' | 'key' | 'nonce', string>;
  leaves: Record<string, string | number>[][];
}

/** Suites whose message keys are as long as ours; of suites 1 and 2 they are of AES-128. */
const LONG_KEYS = [FULL, ...WITH_SHA512];

vectorsOf.each<SecretTreeVector>('secret-tree', 'secret tree', vectors => {
  const cases = hashedLikeOurs(vectors).filter(({ vector }) => LONG_KEYS.includes(vector.cipher_suite));
  for (const { suite, vector } of cases) {
    let tree = makeSecretTree(vector.leaves.length, fromHex(vector.encryption_secret));
    for (const [leaf, generations] of vector.leaves.entries()) {
      assert.ok(generations.length > 1);
      for (const expected of generations) tree = checkGeneration(suite, tree, leaf, expected);
    }
    const { sender_data: data } = vector;
    const sample = fromHex(data.ciphertext).subarray(0, suite.hash.bytes);
    equalHex(suite.expand(fromHex(data.sender_data_secret), 'key', sample, 32), data.key);
    equalHex(suite.expand(fromHex(data.sender_data_secret), 'nonce', sample, 12), data.nonce);
  }
  return cases.length;
});

function checkGeneration(suite: Suite, before: SecretTree, leaf: number, expected: Record<string, string | number>) {
  let tree = before;
  for (const kind of ['application', 'handshake'] as const) {
    const taken = takeKeyAt(suite, tree, leaf, kind, expected.generation as number);
    equalHex(taken.key, expected[`${kind}_key`] as string);
    equalHex(taken.nonce, expected[`${kind}_nonce`] as string);
    tree = taken.tree;
  }
  return tree;
}

interface TranscriptVector extends Vector {
  authenticated_content: string;
  confirmation_key: string;
  confirmed_transcript_hash_after: string;
  interim_transcript_hash_before: string;
  interim_transcript_hash_after: string;
}

vectorsOf.each<TranscriptVector>('transcript-hashes', 'transcript hashes', async vectors => {
  const cases = hashedLikeOurs(vectors);
  for (const { suite, vector } of cases) {
    const { hash } = suite.provider(NO_RANDOM);
    const message = decodeAuthenticatedContent(fromHex(vector.authenticated_content), 0)?.[0];
    assert.ok(message?.content.contentType === 'commit' && message.auth.contentType === 'commit');
    const { wireformat, content, auth } = message;
    const input = { wireformat, content, signature: auth.signature };
    const confirmed = await createConfirmedHash(fromHex(vector.interim_transcript_hash_before), input, hash);
    equalHex(confirmed, vector.confirmed_transcript_hash_after);
    equalHex(
      suite.hash.mac(fromHex(vector.confirmation_key), confirmed),
      Buffer.from(auth.confirmationTag).toString('hex'),
    );
    equalHex(await createInterimHash(confirmed, auth.confirmationTag, hash), vector.interim_transcript_hash_after);
  }
  return cases.length;
});

interface TreeMathVector {
  n_leaves: number;
  n_nodes: number;
  root: number;
  left: (number | null)[];
  right: (number | null)[];
  parent: (number | null)[];
  sibling: (number | null)[];
}

vectorsOf.each<TreeMathVector>('tree-math', 'positions in a tree', vectors => {
  for (const vector of vectors) {
    assert.equal(widthOf(vector.n_leaves), vector.n_nodes);
    assert.equal(rootOf(vector.n_nodes), vector.root);
    for (let node = 0; node < vector.n_nodes; node += 1) {
      if (node % 2 === 1) {
        assert.equal(leftOf(node), vector.left[node]);
        assert.equal(rightOf(node), vector.right[node]);
      }
      if (node === vector.root) continue;
      assert.equal(parentOf(node), vector.parent[node]);
      assert.equal(siblingOf(node), vector.sibling[node]);
      assert.equal(directPath(node, vector.n_nodes).at(-1), vector.root);
    }
  }
  return vectors.length;
});

vectorsOf.each<{ vlbytes_header: string; length: number }>('deserialization', 'lengths', vectors => {
  for (const { vlbytes_header: header, length } of vectors) {
    equalHex(lengthHead(length), header);
    // The largest would take a gigabyte: what is not there is noticed by its head alone.
    const there = length <= LARGEST;
    const reader = new Reader(concat(fromHex(header), Buffer.alloc(there ? length : 0)));
    if (!there) assert.throws(() => reader.varBytes(), DecodeError);
    else assert.equal(reader.varBytes().length, length);
    reader.end();
  }
  return vectors.length;
});

vectorsOf.complete();
