/**
 * Public keys that come from others are looked at before anything is sealed to them: one that nothing can be sealed to would keep the whole
 * group from committing for as long as it stands in the tree.
 */

/**
 * The coordinates of small order on Curve25519 and its twist, least byte first: 0, 1, two of order 8, p - 1, and the first two again with p
 * added. With every secret they agree on zero (RFC 7748 §6.1), which HPKE refuses (RFC 9180 §7.1.4).
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
]);

/** @param publicKey 32 bytes, of which X25519 passes over the highest bit */
export function isSmallOrder(publicKey: Uint8Array): boolean {
  const coordinate = Buffer.from(publicKey);
  coordinate[31] = (coordinate[31] as number) & 0x7f;
  return SMALL_ORDER.has(coordinate.toString('hex'));
}

const ML_KEM_MODULUS = 3_329;
/** Of ML-KEM-768: three polynomials of 256 coefficients, two of them in three bytes. A seed of 32 bytes follows. */
const COEFFICIENT_BYTES = 3 * 384;

/** Whether every coefficient is below the modulus (FIPS 203 §7.2, the modulus check). @param publicKey 1,184 bytes */
export function isReduced(publicKey: Uint8Array): boolean {
  for (let at = 0; at < COEFFICIENT_BYTES; at += 3) {
    const [low, middle, high] = [publicKey[at] as number, publicKey[at + 1] as number, publicKey[at + 2] as number];
    const [first, second] = [low | ((middle & 0x0f) << 8), (middle >>> 4) | (high << 4)];
    if (first >= ML_KEM_MODULUS || second >= ML_KEM_MODULUS) return false;
  }
  return true;
}
