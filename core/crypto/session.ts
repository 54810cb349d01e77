import { asBuffer, compareBytes, concat, equalBytes, utf8, wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import { AuthError, InternalError, UsageError } from '../base/errors.ts';
import { blake2b } from '../base/hash.ts';
import type { IdentityKey } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { type ContactCard, encodeCard } from '../wire/card.ts';
import {
  decodeInitiation,
  decodeInitiationPayload,
  decodeResponse,
  decodeResponsePayload,
  encodeInitiation,
  encodeInitiationPayload,
  encodeResponse,
  encodeResponsePayload,
  INITIATION_ID_BYTES,
  type InitiationPayload,
} from '../wire/handshake.ts';
import { cardHash, openCard } from './card.ts';
import type { IdentitySecrets, ResponderKeys } from './identity.ts';
import { kemEncapsulate } from './ml-kem.ts';
import {
  type AcceptedInitiation,
  consumeInitiation,
  consumeResponse,
  createInitiation,
  createResponse,
} from './noise/ik.ts';
import { SESSION_NOISE } from './noise/protocol.ts';
import type { HandshakeState } from './noise/symmetric-state.ts';
import { LAST_RESORT_PREKEY_ID } from './prekey.ts';
import { Ratchet, type RatchetSeed } from './ratchet/ratchet.ts';
import {
  decodePending,
  deriveSessionKeys,
  encodePending,
  type NewSession,
  wipePending,
  wipeSeed,
} from './session-keys.ts';
import { generateX25519, x25519PairOf } from './x25519.ts';

export type { NewSession } from './session-keys.ts';

export interface SessionInitiationInput {
  readonly self: IdentitySecrets;
  readonly selfCardBytes: Uint8Array;
  /** As `openCard` gave it. */
  readonly peerCard: ContactCard;
  /** At most `LIMITS.handshakePayloadBytes`. */
  readonly payload: Uint8Array;
  readonly nowMs: number;
  readonly random: RandomSource;
}

export interface SessionInitiation {
  /** The frame for the wire. */
  readonly initiation: Buffer;
  readonly initiationId: Buffer;
  /** Secret: kept sealed until the response, wiped by the caller. */
  readonly pending: Buffer;
}

/** @throws UsageError payload too large; AuthError or DecodeError the peer's card names unusable keys */
export function createSessionInitiation(input: SessionInitiationInput): SessionInitiation {
  const { self, peerCard, random } = input;
  checkPayload(input.payload);
  const keys = choosePrekey(peerCard, input.nowMs);
  const peerCardHash = cardHash(encodeCard(peerCard));
  const { ciphertext, shared: psk } = kemEncapsulate(keys.kem);
  const ephemeral = generateX25519(random);
  const ratchet = generateX25519(random);
  const payload = encodeInitiationPayload({
    ratchetKey: ratchet.public,
    createdAtMs: input.nowMs,
    responderCardHash: peerCardHash,
    card: input.selfCardBytes,
    application: input.payload,
  });
  let handshake: HandshakeState | undefined;
  try {
    const prologue = prologueOf(peerCard.identityKey, keys.id, ciphertext);
    const terms = { protocol: SESSION_NOISE, prologue, psk };
    const { message, state } = createInitiation({
      ...terms,
      self: self.agreement,
      ephemeral,
      responderKey: keys.x25519,
      payload,
    });
    handshake = state;
    const initiation = encodeInitiation({ prekeyId: keys.id, kemCiphertext: ciphertext, message });
    const initiationId = initiationIdOf(initiation);
    const ownCardHash = cardHash(input.selfCardBytes);
    const secrets = { handshake, ephemeralSecret: ephemeral.secret, ratchetSecret: ratchet.secret };
    return {
      initiation,
      initiationId,
      pending: encodePending({ initiationId, ownCardHash, peerCardHash, ...secrets }),
    };
  } finally {
    wipe(psk, ephemeral.secret, ratchet.secret, payload);
    if (handshake) wipe(handshake.chainingKey);
  }
}

export interface ConsumedInitiation {
  readonly peerCard: ContactCard;
  readonly peerCardBytes: Buffer;
  /** Wiped by `wipe`. */
  readonly payload: Buffer;
  readonly initiationId: Buffer;
  /** The initiator's clock. */
  readonly createdAtMs: number;
  /** Which of our cards the initiator says it used. */
  readonly ownCardHash: Buffer;
  /** @throws UsageError payload too large; AuthError a key of the initiator's is unusable */
  respond(input: { payload: Uint8Array; random: RandomSource }): { response: Buffer; session: NewSession };
  wipe(): void;
}

/**
 * Reads an initiation and who sent it. Nothing is changed and nothing random is drawn, so a request can be read
 * again when it is accepted, days later.
 * @throws DecodeError the frame's form; AuthError forged, not for us, a prekey we no longer have, or a card that is
 *   not the initiator's own
 */
export function consumeSessionInitiation(input: {
  readonly self: IdentitySecrets;
  readonly prekey: (id: number) => ResponderKeys | undefined;
  readonly frame: Uint8Array;
}): ConsumedInitiation {
  const { self, frame } = input;
  const { prekeyId, kemCiphertext, message } = decodeInitiation(frame);
  const keys = prekeyId === LAST_RESORT_PREKEY_ID ? self : input.prekey(prekeyId);
  if (!keys) throw new AuthError('not-authentic', 'session.prekey', 'The request was made with keys that are gone.');
  const psk = keys.decapsulate(kemCiphertext);
  let accepted: AcceptedInitiation;
  try {
    const prologue = prologueOf(self.public.identity, prekeyId, kemCiphertext);
    accepted = consumeInitiation({ protocol: SESSION_NOISE, prologue, psk, self: keys.agreement }, message);
  } finally {
    wipe(psk);
  }
  try {
    return readInitiation(frame, accepted);
  } catch (cause) {
    wipe(accepted.state.chainingKey, accepted.payload);
    throw cause;
  }
}

function readInitiation(frame: Uint8Array, accepted: AcceptedInitiation): ConsumedInitiation {
  const payload = decodeInitiationPayload(accepted.payload);
  const peerCard = openCard(payload.card);
  if (!equalBytes(peerCard.agreementKey, accepted.initiatorKey)) {
    throw new AuthError('not-authentic', 'session.card', 'The contact card is not the one of whoever sent it.');
  }
  const initiationId = initiationIdOf(frame);
  let wiped = false;
  return {
    peerCard,
    peerCardBytes: concat(payload.card),
    payload: asBuffer(payload.application),
    initiationId,
    createdAtMs: payload.createdAtMs,
    ownCardHash: concat(payload.responderCardHash),
    respond: answer => {
      // Keys of zeroes would make a session that anyone can read.
      if (wiped) throw new InternalError('session.respond', 'The request was already closed.');
      return respond(accepted, payload, initiationId, answer);
    },
    wipe: () => {
      wiped = true;
      wipe(accepted.state.chainingKey, accepted.payload, payload.application);
    },
  };
}

function respond(
  accepted: AcceptedInitiation,
  initiation: InitiationPayload,
  initiationId: Buffer,
  answer: { payload: Uint8Array; random: RandomSource },
): { response: Buffer; session: NewSession } {
  checkPayload(answer.payload);
  const ephemeral = generateX25519(answer.random);
  const ratchet = generateX25519(answer.random);
  const payload = encodeResponsePayload({ ratchetKey: ratchet.public, application: answer.payload });
  try {
    const { message, state } = createResponse({ protocol: SESSION_NOISE, accepted, ephemeral, payload });
    const session = finish(state, concat(initiation.responderCardHash), cardHash(initiation.card), seed =>
      Ratchet.initResponder(seed, ratchet, initiation.ratchetKey),
    );
    return { response: encodeResponse({ initiationId, message }), session };
  } finally {
    wipe(ephemeral.secret, ratchet.secret, payload);
  }
}

/**
 * Reads the response to a pending initiation. `pending` is untouched: a forged response costs nothing.
 * @returns the application payload (wiped by the caller) and the session
 * @throws DecodeError the frame's form; AuthError forged, or for another initiation
 */
export function consumeSessionResponse(input: {
  readonly pending: Uint8Array;
  readonly frame: Uint8Array;
  readonly self: IdentitySecrets;
  readonly random: RandomSource;
}): { payload: Buffer; session: NewSession } {
  const frame = decodeResponse(input.frame);
  const pending = decodePending(input.pending);
  try {
    if (!equalBytes(frame.initiationId, pending.initiationId)) {
      throw new AuthError('not-authentic', 'session.response', 'The response is for another request.');
    }
    const terms = { protocol: SESSION_NOISE, self: input.self.agreement, state: pending.handshake };
    const read = consumeResponse({ ...terms, ephemeralSecret: pending.ephemeralSecret }, frame.message);
    try {
      const { ratchetKey, application } = decodeResponsePayload(read.payload);
      const own = x25519PairOf(pending.ratchetSecret);
      const session = finish(read.state, pending.ownCardHash, pending.peerCardHash, seed =>
        Ratchet.initInitiator(seed, own, ratchetKey, input.random),
      );
      return { payload: asBuffer(application), session };
    } finally {
      wipe(read.payload, read.state.chainingKey);
    }
  } finally {
    wipePending(pending);
  }
}

/** Where both sides initiated at once: the side with the lower identity key keeps its initiation, the other answers. */
export function initiationWins(own: IdentityKey, peer: IdentityKey): boolean {
  return compareBytes(own, peer) < 0;
}

/** Names an initiation on both sides: 16 bytes of BLAKE2b over the frame. */
export function initiationIdOf(frame: Uint8Array): Buffer {
  return blake2b(INITIATION_ID_BYTES, utf8(LABEL.initiationId), frame);
}

function finish(
  handshake: HandshakeState,
  ownCardHash: Buffer,
  peerCardHash: Buffer,
  start: (seed: RatchetSeed) => Ratchet,
): NewSession {
  const { sessionId, verificationKey, seed } = deriveSessionKeys(handshake);
  try {
    return { sessionId, ratchet: start(seed), verificationKey, ownCardHash, peerCardHash };
  } finally {
    wipeSeed(seed);
    wipe(handshake.chainingKey);
  }
}

/** The freshest prekey still on offer, else the long-term keys: less forward secret, and always there. */
function choosePrekey(card: ContactCard, nowMs: number): { id: number; x25519: Uint8Array; kem: Uint8Array } {
  const offered = card.prekeys.filter(prekey => prekey.expiresAtMs > nowMs);
  const freshest = offered.sort((a, b) => b.expiresAtMs - a.expiresAtMs)[0];
  return freshest ?? { id: LAST_RESORT_PREKEY_ID, x25519: card.agreementKey, kem: card.kemKey };
}

/** Label, the responder's identity key, prekey id u32, KEM ciphertext: what is said in the open is bound. */
function prologueOf(responder: IdentityKey, prekeyId: number, kemCiphertext: Uint8Array): Buffer {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(prekeyId);
  return concat(utf8(LABEL.noisePrologue), responder, id, kemCiphertext);
}

function checkPayload(payload: Uint8Array): void {
  if (payload.length > LIMITS.handshakePayloadBytes) {
    throw new UsageError('too-large', 'session.payload', 'The message is too long to begin a conversation with.');
  }
}
