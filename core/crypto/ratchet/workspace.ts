import sodium from 'sodium-native';
import { asBuffer, utf8, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { LABEL } from '../../base/labels.ts';
import { AEAD_TAG_BYTES, openXChaCha, sealXChaCha, XCHACHA_NONCE_BYTES } from '../aead.ts';
import { X25519_BYTES, x25519Into } from '../x25519.ts';
import { RatchetState } from './state.ts';

const KEY_BYTES = 32;
/** Ratchet key 32, previous chain's length u32, number u32. */
const HEADER_BYTES = X25519_BYTES + 4 + 4;
/** Nonce 24, header 40, tag 16. */
export const SEALED_HEADER_BYTES = XCHACHA_NONCE_BYTES + HEADER_BYTES + AEAD_TAG_BYTES;
/** What a message adds to its plaintext. */
export const RATCHET_OVERHEAD_BYTES = SEALED_HEADER_BYTES + AEAD_TAG_BYTES;

const CHAIN_LABEL = asBuffer(utf8(LABEL.ratchetChain));
const ROOT_LABEL = asBuffer(utf8(LABEL.ratchetRoot));
const HEADER_LABEL = asBuffer(utf8(LABEL.ratchetHeader));

/**
 * The one place where a ratchet step happens. A step loads a state, works on it here, and only a step that
 * succeeded copies it back; then everything is wiped. One workspace serves all ratchets, since a step never
 * waits: nothing is allocated for keys on the way of a message.
 */
export class RatchetWorkspace {
  readonly state = new RatchetState();
  /** The body's associated data: the session's 32 bytes, then the sealed header as it travels. */
  readonly associatedData = Buffer.alloc(KEY_BYTES + SEALED_HEADER_BYTES);
  readonly sealedHeader = this.associatedData.subarray(KEY_BYTES);
  readonly #nonce = this.sealedHeader.subarray(0, XCHACHA_NONCE_BYTES);
  readonly #headerBox = this.sealedHeader.subarray(XCHACHA_NONCE_BYTES);
  readonly #header = Buffer.alloc(HEADER_BYTES);
  readonly #headerRatchetKey = this.#header.subarray(0, X25519_BYTES);
  readonly #derived = Buffer.alloc(2 * KEY_BYTES);
  readonly #derivedFirst = this.#derived.subarray(0, KEY_BYTES);
  readonly messageKey = this.#derived.subarray(KEY_BYTES);
  readonly #shared = Buffer.alloc(X25519_BYTES);
  /** The header key that opened an old chain's message. */
  readonly oldHeaderKey = Buffer.alloc(KEY_BYTES);
  readonly #rootInput = Buffer.alloc(ROOT_LABEL.length + X25519_BYTES);
  readonly #headerInput = Buffer.alloc(HEADER_LABEL.length + X25519_BYTES);

  load(bytes: Buffer): void {
    bytes.copy(this.state.bytes);
    this.state.associatedData.copy(this.associatedData);
  }

  wipe(): void {
    wipe(this.state.bytes, this.#header, this.#derived, this.#shared, this.oldHeaderKey);
  }

  /** One step of a chain (Double Ratchet §5.2): a single 64-byte keyed BLAKE2b gives the next chain key and the message key. */
  advance(chain: Buffer): void {
    sodium.crypto_generichash(this.#derived, CHAIN_LABEL, chain);
    this.#derivedFirst.copy(chain);
  }

  writeHeader(random: RandomSource): void {
    const { state } = this;
    state.ownPublic.copy(this.#header);
    this.#header.writeUInt32BE(state.previousCount, X25519_BYTES);
    this.#header.writeUInt32BE(state.sendCount, X25519_BYTES + 4);
    this.#nonce.set(random(XCHACHA_NONCE_BYTES));
    sealXChaCha(this.#headerBox, this.#header, null, this.#nonce, state.sendHeaderKey);
  }

  /** Takes the sealed header from a message, for `openHeader`. */
  readHeader(message: Uint8Array): void {
    for (let index = 0; index < SEALED_HEADER_BYTES; index += 1) this.sealedHeader[index] = message[index] as number;
  }

  openHeader(headerKey: Buffer): boolean {
    return openXChaCha(this.#header, this.#headerBox, null, this.#nonce, headerKey);
  }

  get headerPreviousCount(): number {
    return this.#header.readUInt32BE(X25519_BYTES);
  }

  get headerNumber(): number {
    return this.#header.readUInt32BE(X25519_BYTES + 4);
  }

  /**
   * The body takes the header's random nonce. Every message key is fresh, so a constant would do; this way a profile
   * put back from an old copy, which repeats keys, does not repeat a key stream.
   */
  sealBody(out: Buffer, plaintext: Uint8Array): void {
    sealXChaCha(out, plaintext, this.associatedData, this.#nonce, this.messageKey);
  }

  openBody(out: Buffer, body: Uint8Array): boolean {
    return openXChaCha(out, body, this.associatedData, this.#nonce, this.messageKey);
  }

  /** The peer's new ratchet key, as the header just opened names it. */
  takeHeaderRatchetKey(): void {
    this.#headerRatchetKey.copy(this.state.peerPublic);
  }

  /**
   * The Diffie-Hellman ratchet (Double Ratchet §4.3) towards `state.peerPublic`.
   * @throws AuthError that key is of small order
   */
  turn(random: RandomSource): void {
    const { state } = this;
    state.previousCount = state.sendCount;
    state.receiveCount = 0;
    state.nextSendHeaderKey.copy(state.sendHeaderKey);
    state.nextReceiveHeaderKey.copy(state.receiveHeaderKey);
    this.#mixRoot(state.receiveChain, state.nextReceiveHeaderKey);
    state.markReceiving();
    const secret = random(X25519_BYTES);
    secret.copy(state.ownSecret);
    wipe(secret);
    sodium.crypto_scalarmult_base(state.ownPublic, state.ownSecret);
    this.startSending();
  }

  /** Opens a sending chain from the present own and peer keys. */
  startSending(): void {
    this.state.sendCount = 0;
    this.#mixRoot(this.state.sendChain, this.state.nextSendHeaderKey);
    this.state.markSending();
  }

  /** Mixes the shared secret of both ratchet keys into the root: new root, a chain, and the header key after it. */
  #mixRoot(chain: Buffer, nextHeaderKey: Buffer): void {
    const { rootKey, ownSecret, peerPublic } = this.state;
    x25519Into(this.#shared, ownSecret, peerPublic);
    ROOT_LABEL.copy(this.#rootInput);
    this.#shared.copy(this.#rootInput, ROOT_LABEL.length);
    HEADER_LABEL.copy(this.#headerInput);
    this.#shared.copy(this.#headerInput, HEADER_LABEL.length);
    sodium.crypto_generichash(nextHeaderKey, this.#headerInput, rootKey);
    sodium.crypto_generichash(this.#derived, this.#rootInput, rootKey);
    this.#derivedFirst.copy(rootKey);
    this.messageKey.copy(chain);
    wipe(this.#rootInput, this.#headerInput);
  }
}
