import { HOUR_MS } from '../base/clock.ts';
import { judgeDeadline } from '../base/deadline.ts';
import { LIMITS } from '../base/limits.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import { uint32 } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

/**
 * Ids of envelopes already taken in. The key is a keyed hash and the value an hour: there is nothing to seal,
 * and a forged row could only make one envelope look seen.
 */
export class SeenRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  #sweptTo: Buffer | undefined;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'seen');
  }

  has(envelopeId: Uint8Array, from: RowReader = this.#port): boolean {
    return from.has(this.#key(envelopeId));
  }

  add(tx: Tx, envelopeId: Uint8Array, expiresAtMs: number): void {
    tx.put(this.#key(envelopeId), hourOf(expiresAtMs));
  }

  /** It is to be taken once more. */
  remove(tx: Tx, envelopeId: Uint8Array): void {
    tx.remove(this.#key(envelopeId));
  }

  /**
   * Looks at the next `limit` ids, going round, and removes those past their hour; an hour that a wrong clock gave, or
   * that one would end, is set again.
   * @returns how many were removed, and whether this call reached the end of a round
   */
  sweep(tx: Tx, nowMs: number, limit: number): { removed: number; done: boolean } {
    const first = this.#table.key();
    let [looked, removed] = [0, 0];
    let last: Buffer | undefined;
    for (const { key, value } of tx.range(this.#sweptTo ?? first, afterPrefix(first), { limit })) {
      looked += 1;
      last = key;
      const endMs = value.length === 4 ? value.readUInt32BE() * HOUR_MS : nowMs;
      const verdict = judgeDeadline(endMs, LIMITS.envelopeLifetimeMs, nowMs);
      if (verdict === 'over') {
        tx.remove(key);
        removed += 1;
      } else if (verdict === 'anew') tx.put(key, hourOf(nowMs + LIMITS.envelopeLifetimeMs));
    }
    const done = looked < limit;
    this.#sweptTo = done || !last ? undefined : Buffer.concat([last, Buffer.of(0)]);
    return { removed, done };
  }

  #key(envelopeId: Uint8Array): Buffer {
    return this.#table.key(this.#sealer.nameHash('seen', envelopeId));
  }
}

function hourOf(ms: number): Buffer {
  return uint32(Math.ceil(ms / HOUR_MS));
}
