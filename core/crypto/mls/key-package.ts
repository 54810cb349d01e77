import { encodeKeyPackage, encodeKeyPackageTBS, type KeyPackage, type PrivateKeyPackage } from 'ts-mls/keyPackage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { concat, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { AuthError, DecodeError } from '../../base/errors.ts';
import type { IdentityKey } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { overInputNow, refused } from './failure.ts';
import { leafToSign, makeSignatureKey } from './leaf.ts';
import { type IdentitySigner, identityOf, isBound, MOLVA_CAPABILITIES, makeCredential } from './leaf-authentication.ts';
import { readMessage } from './message.ts';
import { type Suite, type SuiteKind, suiteNamed, suiteOf } from './suite.ts';
import { labelBytes, Reader, sized, varBytes, written } from './wire.ts';

/** Marks a key package that may be used more than once (draft-ietf-mls-extensions, last_resort). */
const LAST_RESORT_EXTENSION = 10;
const SECRETS_VERSION = 1;
const NOTHING = new Uint8Array();

export interface KeyPackageTerms {
  readonly suite: SuiteKind;
  readonly validFromMs: number;
  /** At most LIMITS.mlsKeyPackageMs later. */
  readonly validUntilMs: number;
  /** Offered when every one-time package is gone; used by more than one group, so it is replaced soon. */
  readonly lastResort: boolean;
}

export interface MadeKeyPackage {
  /** To publish: an MLSMessage. */
  readonly bytes: Uint8Array;
  /** What a welcome names it by. */
  readonly reference: Uint8Array;
  /** For a sealed row; wiped by the caller. */
  readonly secrets: Buffer;
}

/** A key package of someone, checked. */
export interface ParsedKeyPackage {
  readonly suite: SuiteKind;
  readonly identity: IdentityKey;
  readonly reference: Uint8Array;
  readonly lastResort: boolean;
  readonly validFromMs: number;
  readonly validUntilMs: number;
  readonly keyPackage: KeyPackage;
}

/** Makes a key package (RFC 9420 §10) with a signature key and HPKE keys of its own. */
export function makeKeyPackage(signer: IdentitySigner, terms: KeyPackageTerms, random: RandomSource): MadeKeyPackage {
  const suite = suiteOf(terms.suite);
  const draw = () => suite.hpke.pairOf(random(suite.hash.bytes));
  const [init, leaf] = [draw(), draw()];
  const signature = makeSignatureKey(random);
  const unsigned = {
    leafNodeSource: 'key_package' as const,
    hpkePublicKey: leaf.public,
    signaturePublicKey: signature.public,
    credential: makeCredential(signer, signature.public),
    capabilities: MOLVA_CAPABILITIES,
    lifetime: { notBefore: seconds(terms.validFromMs), notAfter: seconds(terms.validUntilMs) },
    extensions: [],
    signature: NOTHING,
  };
  const leafNode = {
    ...unsigned,
    signature: suite.sign(signature.secret, 'LeafNodeTBS', leafToSign(unsigned, NOTHING, 0)),
  };
  const body = {
    version: 'mls10' as const,
    cipherSuite: suite.name,
    initKey: init.public,
    leafNode,
    extensions: terms.lastResort ? [{ extensionType: LAST_RESORT_EXTENSION, extensionData: NOTHING }] : [],
  };
  const keyPackage = { ...body, signature: suite.sign(signature.secret, 'KeyPackageTBS', encodeKeyPackageTBS(body)) };
  const kept = [init.private, leaf.private, signature.secret];
  const secrets = written([Uint8Array.of(SECRETS_VERSION), ...kept.flatMap(secret => sized(secret))]);
  wipe(...kept);
  const bytes = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage });
  return { bytes, reference: keyPackageReference(suite, keyPackage), secrets };
}

/**
 * Reads and checks a key package (RFC 9420 §10.1).
 * @throws DecodeError not one, or of a suite that Molva does not have; AuthError a signature does not hold, or it is
 *   not valid at `nowMs`
 */
export function parseKeyPackage(bytes: Uint8Array, nowMs: number): ParsedKeyPackage {
  const parsed = readKeyPackage(bytes);
  const { keyPackage } = parsed;
  const suite = suiteOf(parsed.suite);
  const { leafNode } = keyPackage;
  const signs = (label: string, content: Uint8Array, signature: Uint8Array): boolean =>
    suite.verify(leafNode.signaturePublicKey, label, content, signature);
  if (!signs('KeyPackageTBS', encodeKeyPackageTBS(keyPackage), keyPackage.signature)) throw refused('mls.key-package');
  if (!signs('LeafNodeTBS', leafToSign(leafNode, NOTHING, 0), leafNode.signature)) throw refused('mls.key-package');
  if (!isBound(leafNode.credential, leafNode.signaturePublicKey)) throw refused('mls.key-package');
  if (!isAlive(parsed, nowMs)) {
    throw new AuthError('not-authentic', 'mls.key-package-lifetime', 'This invitation key is no longer valid.');
  }
  return parsed;
}

/** Reads without checking signatures or lifetimes: of one that is ours, or that stands in a commit that was checked. */
export function readKeyPackage(bytes: Uint8Array): ParsedKeyPackage {
  return overInputNow('mls.key-package', () => {
    const message = readMessage(bytes, 'mls.key-package');
    if (message.wireformat !== 'mls_key_package') throw new DecodeError('mls.key-package');
    return describeKeyPackage(message.keyPackage);
  });
}

/** @throws DecodeError keys of other lengths, or a suite or credential that Molva does not have */
export function describeKeyPackage(keyPackage: KeyPackage): ParsedKeyPackage {
  const suite = suiteNamed(keyPackage.cipherSuite);
  const { leafNode } = keyPackage;
  if (suite === undefined || keyPackage.version !== 'mls10') throw new DecodeError('mls.key-package');
  suite.hpke.checked(keyPackage.initKey);
  suite.hpke.checked(leafNode.hpkePublicKey);
  if (Buffer.compare(keyPackage.initKey, leafNode.hpkePublicKey) === 0) throw new DecodeError('mls.key-package');
  return {
    suite: suite.kind,
    identity: identityOf(leafNode.credential),
    reference: keyPackageReference(suite, keyPackage),
    lastResort: keyPackage.extensions.some(({ extensionType }) => extensionType === LAST_RESORT_EXTENSION),
    validFromMs: milliseconds(leafNode.lifetime.notBefore),
    validUntilMs: milliseconds(leafNode.lifetime.notAfter),
    keyPackage,
  };
}

export function isAlive(terms: Pick<ParsedKeyPackage, 'validFromMs' | 'validUntilMs'>, nowMs: number): boolean {
  const { validFromMs, validUntilMs } = terms;
  if (validUntilMs - validFromMs > LIMITS.mlsKeyPackageMs) return false;
  return validFromMs - LIMITS.clockSkewMs <= nowMs && nowMs <= validUntilMs + LIMITS.clockSkewMs;
}

/** RFC 9420 §5.2, KeyPackageRef. */
export function keyPackageReference(suite: Suite, keyPackage: KeyPackage): Buffer {
  return suite.hash.digest(concat(labelBytes('KeyPackage Reference'), varBytes(encodeKeyPackage(keyPackage))));
}

/** Copies, which the caller wipes. @throws DecodeError */
export function readKeyPackageSecrets(bytes: Uint8Array): PrivateKeyPackage {
  const reader = new Reader(bytes);
  if (reader.uint8() !== SECRETS_VERSION) throw new DecodeError('mls.key-package-secrets');
  const [initPrivateKey, hpkePrivateKey, signaturePrivateKey] = [1, 2, 3].map(() => Buffer.from(reader.varBytes()));
  reader.end();
  if (!initPrivateKey || !hpkePrivateKey || !signaturePrivateKey) throw new DecodeError('mls.key-package-secrets');
  return { initPrivateKey, hpkePrivateKey, signaturePrivateKey };
}

function seconds(ms: number): bigint {
  return BigInt(Math.floor(ms / 1_000));
}

/** Lifetimes past what a number holds are cut, and so are none that is ours. */
function milliseconds(value: bigint): number {
  return Number(value) * 1_000;
}
