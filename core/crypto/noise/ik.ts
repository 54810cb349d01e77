import { concat } from '../../base/bytes.ts';
import { DecodeError, InternalError } from '../../base/errors.ts';
import { AEAD_TAG_BYTES } from '../aead.ts';
import { type AgreementKey, X25519_BYTES, type X25519Pair, x25519 } from '../x25519.ts';
import type { NoiseProtocol } from './protocol.ts';
import { type HandshakeState, SymmetricState } from './symmetric-state.ts';

/** Message 1 without its payload: e 32, sealed s 32 + 16, payload tag 16. */
export const INITIATION_OVERHEAD_BYTES = X25519_BYTES + X25519_BYTES + AEAD_TAG_BYTES + AEAD_TAG_BYTES;
/** Message 2 without its payload: e 32, payload tag 16. */
export const RESPONSE_OVERHEAD_BYTES = X25519_BYTES + AEAD_TAG_BYTES;
/** Noise §3: no message is longer. */
export const NOISE_MESSAGE_BYTES = 65_535;

const SEALED_STATIC_END = 2 * X25519_BYTES + AEAD_TAG_BYTES;

/** What both sides agreed on beforehand. */
export interface NoiseTerms {
  readonly protocol: NoiseProtocol;
  readonly prologue: Uint8Array;
  /** 32 bytes; left out where the protocol takes none. */
  readonly psk?: Uint8Array | undefined;
}

export interface InitiationInput extends NoiseTerms {
  readonly self: AgreementKey;
  readonly ephemeral: X25519Pair;
  readonly responderKey: Uint8Array;
  readonly payload: Uint8Array;
}

/**
 * Writes handshake message 1 (Noise §7.5 IK: -> e, es, s, ss).
 * @returns the message, 96 + payload bytes, and the state to keep until the response
 * @throws AuthError the responder's key is of small order
 */
export function createInitiation(input: InitiationInput): { message: Buffer; state: HandshakeState } {
  const { ephemeral, responderKey } = input;
  const noise = SymmetricState.start(input.protocol, input.prologue);
  try {
    noise.mixHash(responderKey);
    mixEphemeral(noise, input.protocol, ephemeral.public);
    noise.mixSecret(x25519(ephemeral.secret, responderKey));
    const sealedStatic = noise.encryptAndHash(input.self.public);
    noise.mixSecret(input.self.agree(responderKey));
    mixPsk(noise, input, 1);
    const sealedPayload = noise.encryptAndHash(input.payload);
    return { message: concat(ephemeral.public, sealedStatic, sealedPayload), state: noise.save() };
  } finally {
    noise.wipe();
  }
}

export interface AcceptedInitiation {
  readonly state: HandshakeState;
  readonly initiatorKey: Buffer;
  readonly initiatorEphemeral: Buffer;
  /** Wiped by the caller. */
  readonly payload: Buffer;
}

/**
 * Reads handshake message 1 as responder. The inputs are untouched, so it can be read again later.
 * @param message 96 + payload bytes (e 32, s 48, payload tag 16)
 * @throws DecodeError wrong length; AuthError any tag failure or small-order key
 */
export function consumeInitiation(terms: NoiseTerms & { self: AgreementKey }, message: Uint8Array): AcceptedInitiation {
  checkLength(message, INITIATION_OVERHEAD_BYTES);
  const { self } = terms;
  const noise = SymmetricState.start(terms.protocol, terms.prologue);
  try {
    noise.mixHash(self.public);
    const initiatorEphemeral = concat(message.subarray(0, X25519_BYTES));
    mixEphemeral(noise, terms.protocol, initiatorEphemeral);
    noise.mixSecret(self.agree(initiatorEphemeral));
    const initiatorKey = noise.decryptAndHash(message.subarray(X25519_BYTES, SEALED_STATIC_END));
    noise.mixSecret(self.agree(initiatorKey));
    mixPsk(noise, terms, 1);
    const payload = noise.decryptAndHash(message.subarray(SEALED_STATIC_END));
    return { state: noise.save(), initiatorKey, initiatorEphemeral, payload };
  } finally {
    noise.wipe();
  }
}

export interface ResponseInput {
  readonly protocol: NoiseProtocol;
  readonly psk?: Uint8Array | undefined;
  readonly accepted: Pick<AcceptedInitiation, 'state' | 'initiatorKey' | 'initiatorEphemeral'>;
  readonly ephemeral: X25519Pair;
  readonly payload: Uint8Array;
}

/**
 * Writes handshake message 2 (<- e, ee, se).
 * @returns the message, 48 + payload bytes, and the finished handshake
 * @throws AuthError a key of the initiator's is of small order
 */
export function createResponse(input: ResponseInput): { message: Buffer; state: HandshakeState } {
  const { accepted, ephemeral } = input;
  const noise = SymmetricState.resume(input.protocol, accepted.state);
  try {
    mixEphemeral(noise, input.protocol, ephemeral.public);
    noise.mixSecret(x25519(ephemeral.secret, accepted.initiatorEphemeral));
    noise.mixSecret(x25519(ephemeral.secret, accepted.initiatorKey));
    mixPsk(noise, input, 2);
    const sealedPayload = noise.encryptAndHash(input.payload);
    return { message: concat(ephemeral.public, sealedPayload), state: noise.save() };
  } finally {
    noise.wipe();
  }
}

export interface ResponseContext {
  readonly protocol: NoiseProtocol;
  readonly psk?: Uint8Array | undefined;
  readonly self: AgreementKey;
  readonly state: HandshakeState;
  /** 32 bytes: the secret of message 1's ephemeral key. */
  readonly ephemeralSecret: Uint8Array;
}

/**
 * Reads handshake message 2 as initiator. The inputs are untouched: a forged response costs nothing.
 * @param message 48 + payload bytes (e 32, payload tag 16)
 * @throws DecodeError wrong length; AuthError any tag failure or small-order key
 */
export function consumeResponse(
  context: ResponseContext,
  message: Uint8Array,
): { payload: Buffer; state: HandshakeState } {
  checkLength(message, RESPONSE_OVERHEAD_BYTES);
  const noise = SymmetricState.resume(context.protocol, context.state);
  try {
    const responderEphemeral = message.subarray(0, X25519_BYTES);
    mixEphemeral(noise, context.protocol, responderEphemeral);
    noise.mixSecret(x25519(context.ephemeralSecret, responderEphemeral));
    noise.mixSecret(context.self.agree(responderEphemeral));
    mixPsk(noise, context, 2);
    const payload = noise.decryptAndHash(message.subarray(X25519_BYTES));
    return { payload, state: noise.save() };
  } finally {
    noise.wipe();
  }
}

/** With a psk in play, `e` is mixed into the key as well (§9.2). */
function mixEphemeral(noise: SymmetricState, protocol: NoiseProtocol, publicKey: Uint8Array): void {
  noise.mixHash(publicKey);
  if (protocol.pskMessage !== 0) noise.mixKey(publicKey);
}

function mixPsk(noise: SymmetricState, terms: Pick<NoiseTerms, 'protocol' | 'psk'>, message: 1 | 2): void {
  if (terms.protocol.pskMessage !== message) return;
  if (terms.psk?.length !== 32) throw new InternalError('noise.psk');
  noise.mixKeyAndHash(terms.psk);
}

function checkLength(message: Uint8Array, minimum: number): void {
  if (message.length < minimum || message.length > NOISE_MESSAGE_BYTES) throw new DecodeError('noise.message');
}
