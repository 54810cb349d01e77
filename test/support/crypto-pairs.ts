import type { RandomSource } from '../../core/base/clock.ts';
import { Ratchet, type RatchetSeed } from '../../core/crypto/ratchet/ratchet.ts';
import { generateX25519 } from '../../core/crypto/x25519.ts';

/** Both ends of a ratchet, ready to send. */
export function makePair(random: RandomSource): { initiator: Ratchet; responder: Ratchet } {
  const seed: RatchetSeed = {
    rootKey: random(32),
    responderHeaderKey: random(32),
    initiatorHeaderKey: random(32),
    associatedData: random(32),
  };
  const initiatorKey = generateX25519(random);
  const responderKey = generateX25519(random);
  return {
    initiator: Ratchet.initInitiator(seed, initiatorKey, responderKey.public, random),
    responder: Ratchet.initResponder(seed, responderKey, initiatorKey.public),
  };
}

/** What storage would hold: the state row, and the row of skipped keys carried over where it did not change. */
export class StoredRow {
  state: Buffer;
  skipped: Buffer | undefined;

  constructor(ratchet: Ratchet) {
    const stored = ratchet.serialize();
    this.state = stored.state;
    this.skipped = stored.skipped;
  }

  open(): Ratchet {
    return Ratchet.open(this.state, () => this.skipped);
  }

  save(ratchet: Ratchet): void {
    const stored = ratchet.serialize();
    this.state = stored.state;
    if (stored.skipped) this.skipped = stored.skipped;
  }
}
