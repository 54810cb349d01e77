import { asBuffer, wipe } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { AuthError, DecodeError, InternalError, UsageError } from '../../base/errors.ts';
import { LIMITS } from '../../base/limits.ts';
import type { X25519Pair } from '../x25519.ts';
import { SkippedKeys } from './skipped-keys.ts';
import { RATCHET_STATE_BYTES, RATCHET_STATE_VERSION } from './state.ts';
import { RATCHET_OVERHEAD_BYTES, RatchetWorkspace, SEALED_HEADER_BYTES } from './workspace.ts';

export { RATCHET_STATE_BYTES } from './state.ts';
export { RATCHET_OVERHEAD_BYTES } from './workspace.ts';

/** What the handshake hands to the ratchet; 32 bytes each, wiped by the caller. */
export interface RatchetSeed {
  readonly rootKey: Uint8Array;
  /** Seals the headers of the responder's first chain. */
  readonly responderHeaderKey: Uint8Array;
  /** Seals the headers of the initiator's first chain. */
  readonly initiatorHeaderKey: Uint8Array;
  /** Bound into every message. */
  readonly associatedData: Uint8Array;
}

export interface StoredRatchet {
  /** 372 bytes; the caller seals and wipes it. */
  readonly state: Buffer;
  /** The skipped keys, only when they changed since `open`; empty means none are left. */
  readonly skipped: Buffer | undefined;
}

/** The row of skipped keys, or how to read it; only asked when a message needs it. */
export type SkippedSource = Uint8Array | (() => Uint8Array | undefined);

const MAX_COUNT = 0xffff_ffff;
const work = new RatchetWorkspace();

/**
 * The Double Ratchet with header encryption (Signal, "The Double Ratchet Algorithm", revision 1, §4), opened for a step and wiped after.
 * Both sides can send at once: the responder starts as that text's Alice, the initiator as its Bob who has just
 * read Alice's first header. A failed call leaves the ratchet exactly as it was.
 */
export class Ratchet {
  readonly #bytes: Buffer;
  readonly #source: SkippedSource | undefined;
  #skipped: SkippedKeys | undefined;
  #skippedChanged = false;

  private constructor(bytes: Buffer, source?: SkippedSource) {
    this.#bytes = bytes;
    this.#source = source;
  }

  /** The ratchet pair stays the caller's to wipe. @throws AuthError the initiator's key is of small order */
  static initResponder(seed: RatchetSeed, own: X25519Pair, initiatorKey: Uint8Array): Ratchet {
    return Ratchet.#start(seed, own, initiatorKey, () => {
      work.state.sendHeaderKey.set(seed.responderHeaderKey);
      work.state.nextReceiveHeaderKey.set(seed.initiatorHeaderKey);
      work.startSending();
    });
  }

  /** The ratchet pair stays the caller's to wipe. @throws AuthError the responder's key is of small order */
  static initInitiator(seed: RatchetSeed, own: X25519Pair, responderKey: Uint8Array, random: RandomSource): Ratchet {
    return Ratchet.#start(seed, own, responderKey, () => {
      work.state.nextSendHeaderKey.set(seed.initiatorHeaderKey);
      work.state.nextReceiveHeaderKey.set(seed.responderHeaderKey);
      work.turn(random);
    });
  }

  static #start(seed: RatchetSeed, own: X25519Pair, peerKey: Uint8Array, begin: () => void): Ratchet {
    try {
      const { state } = work;
      state.bytes.fill(0);
      state.bytes[0] = RATCHET_STATE_VERSION;
      state.associatedData.set(seed.associatedData);
      state.rootKey.set(seed.rootKey);
      state.ownSecret.set(own.secret);
      state.ownPublic.set(own.public);
      state.peerPublic.set(peerKey);
      begin();
      return new Ratchet(copyOf(state.bytes));
    } finally {
      work.wipe();
    }
  }

  /** Copies `state`; the caller wipes it. @throws DecodeError not a stored state of this version */
  static open(state: Uint8Array, skipped?: SkippedSource): Ratchet {
    if (state.length !== RATCHET_STATE_BYTES || state[0] !== RATCHET_STATE_VERSION)
      throw new DecodeError('ratchet.open');
    return new Ratchet(copyOf(state), skipped);
  }

  /** @returns plaintext + 96 bytes: sealed header 80 (nonce 24, header 40, tag 16), body, tag 16 */
  encrypt(plaintext: Uint8Array, random: RandomSource): Buffer {
    try {
      work.load(this.#bytes);
      const { state } = work;
      if (state.sendCount === MAX_COUNT) throw new UsageError('limit-reached', 'ratchet.encrypt', 'The chain is full.');
      work.writeHeader(random);
      work.advance(state.sendChain);
      const message = Buffer.allocUnsafe(plaintext.length + RATCHET_OVERHEAD_BYTES);
      work.sealedHeader.copy(message);
      work.sealBody(message.subarray(SEALED_HEADER_BYTES), plaintext);
      state.sendCount += 1;
      state.bytes.copy(this.#bytes);
      return message;
    } finally {
      work.wipe();
    }
  }

  /**
   * @returns the plaintext, wiped by the caller, or undefined: no header key of this session opens the message (not
   *   ours, its header damaged, or of an old chain whose keys were all used)
   * @throws AuthError ours, but damaged, repeated, or more than 1000 messages ahead of its chain
   */
  decrypt(message: Uint8Array, random: RandomSource): Buffer | undefined {
    if (message.length < RATCHET_OVERHEAD_BYTES) return undefined;
    try {
      work.load(this.#bytes);
      work.readHeader(message);
      const { state } = work;
      const body = message.subarray(SEALED_HEADER_BYTES);
      if (state.canReceive && work.openHeader(state.receiveHeaderKey)) {
        if (work.headerNumber < state.receiveCount) return this.#openSkipped(state.receiveHeaderKey, body);
        return this.#openNew(body);
      }
      if (work.openHeader(state.nextReceiveHeaderKey)) return this.#openTurn(body, random);
      return this.#openOld(body);
    } finally {
      work.wipe();
    }
  }

  serialize(): StoredRatchet {
    return {
      state: copyOf(this.#bytes),
      skipped: this.#skippedChanged ? this.#skipped?.serialize() : undefined,
    };
  }

  wipe(): void {
    wipe(this.#bytes);
    this.#skipped?.wipe();
  }

  /** A message of the present chain at or beyond the expected number. */
  #openNew(body: Uint8Array): Buffer {
    if (work.headerNumber === work.state.receiveCount) {
      const plaintext = this.#openNext(body);
      this.#commit(undefined);
      return plaintext;
    }
    return this.#keepOnlyOnSuccess(work.state.skippedCount, () => {
      this.#skipTo(work.headerNumber);
      return this.#openNext(body);
    });
  }

  /** The first message seen of the peer's next chain. */
  #openTurn(body: Uint8Array, random: RandomSource): Buffer {
    const { state } = work;
    const before = state.skippedCount;
    return this.#keepOnlyOnSuccess(before, () => {
      // Beyond the bound the rest of the old chain is given up, where the specification would refuse every
      // message from here on: a peer that lost a thousand messages can still be heard.
      if (state.canReceive) this.#skipTo(Math.min(work.headerPreviousCount, state.receiveCount + LIMITS.skippedKeys));
      work.takeHeaderRatchetKey();
      work.turn(random);
      this.#skipTo(work.headerNumber);
      return this.#openNext(body);
    });
  }

  /** A message of an earlier chain, by a header key kept with its skipped keys. */
  #openOld(body: Uint8Array): Buffer | undefined {
    if (work.state.skippedCount === 0) return undefined;
    const found = this.#skippedKeys().findHeaderKey(work.oldHeaderKey, key => work.openHeader(key));
    return found ? this.#openSkipped(work.oldHeaderKey, body) : undefined;
  }

  #openSkipped(headerKey: Buffer, body: Uint8Array): Buffer {
    const keys = work.state.skippedCount === 0 ? undefined : this.#skippedKeys();
    const index = keys?.find(headerKey, work.headerNumber) ?? -1;
    if (!keys || index < 0) throw new AuthError('not-authentic', 'ratchet.repeated', 'The message was read before.');
    keys.copyMessageKey(index, work.messageKey);
    const plaintext = openBody(body);
    keys.remove(index);
    this.#commit(keys);
    return plaintext;
  }

  /** Opens the message that is next in the receiving chain. */
  #openNext(body: Uint8Array): Buffer {
    const { state } = work;
    work.advance(state.receiveChain);
    const plaintext = openBody(body);
    state.receiveCount += 1;
    return plaintext;
  }

  /** Keeps the keys of the receiving chain up to message `number`, exclusive. */
  #skipTo(number: number): void {
    const { state } = work;
    const count = number - state.receiveCount;
    if (count <= 0) return;
    if (count > LIMITS.skippedKeys) {
      throw new AuthError('not-authentic', 'ratchet.skip', 'The message is too far ahead of those before it.');
    }
    const keys = this.#skippedKeys();
    for (let next = state.receiveCount; next < number; next += 1) {
      work.advance(state.receiveChain);
      keys.append(state.receiveHeaderKey, next, work.messageKey);
    }
    state.receiveCount = number;
  }

  #keepOnlyOnSuccess(skippedBefore: number, open: () => Buffer): Buffer {
    try {
      const plaintext = open();
      const keys = this.#skipped;
      this.#commit(keys && keys.length > skippedBefore ? keys : undefined);
      return plaintext;
    } catch (cause) {
      this.#skipped?.truncate(skippedBefore);
      throw cause;
    }
  }

  #commit(changed: SkippedKeys | undefined): void {
    if (changed) {
      changed.dropOldest(LIMITS.skippedKeys);
      work.state.skippedCount = changed.length;
      this.#skippedChanged = true;
    }
    work.state.bytes.copy(this.#bytes);
  }

  #skippedKeys(): SkippedKeys {
    if (this.#skipped) return this.#skipped;
    const expected = work.state.skippedCount;
    const source = this.#source;
    const stored = expected === 0 ? undefined : typeof source === 'function' ? source() : source;
    const keys = SkippedKeys.open(stored ?? new Uint8Array(0));
    if (keys.length !== expected)
      throw new InternalError('ratchet.skipped', 'The skipped keys do not fit their session.');
    this.#skipped = keys;
    return keys;
  }
}

function openBody(body: Uint8Array): Buffer {
  const plaintext = Buffer.allocUnsafeSlow(body.length - (RATCHET_OVERHEAD_BYTES - SEALED_HEADER_BYTES));
  if (work.openBody(plaintext, asBuffer(body))) return plaintext;
  throw new AuthError('not-authentic', 'ratchet.body', 'The message is damaged.');
}

/** A copy outside Buffer's shared pool, so that wiping it wipes all there is. */
function copyOf(bytes: Uint8Array): Buffer {
  const out = Buffer.allocUnsafeSlow(bytes.length);
  out.set(bytes);
  return out;
}
