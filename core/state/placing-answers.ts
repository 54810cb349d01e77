import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { openCustodyReceipt } from '../mailbox/custody.ts';
import { decodeCustodyReceipt, encodeCustodyReceipt } from '../wire/custody.ts';
import type { LineAnswers } from './deposit-lines.ts';
import type { DepositLine } from './deposits.ts';
import type { PlacingParts } from './placing-parts.ts';

/** What custodians answer, and what follows from it for the envelopes they were asked for. */
export class PlacingAnswers implements LineAnswers {
  readonly #parts: PlacingParts;

  constructor(parts: PlacingParts) {
    this.#parts = parts;
  }

  /** A receipt counts once it is stored. @throws DecodeError it is none */
  async held(line: DepositLine, bytes: Uint8Array): Promise<void> {
    const { context, placed: all, refusals } = this.#parts;
    const { store, clock } = context;
    const { custodian } = line;
    const { envelopeId } = decodeCustodyReceipt(bytes);
    line.settled(envelopeId);
    const identity = store.contacts.get(custodian)?.identity;
    const receipt = identity && openCustodyReceipt(bytes, identity, clock());
    if (!receipt) return this.answered(custodian, [envelopeId], 'refused');
    const placed = all.get(envelopeId);
    if (!placed) return this.#releaseEnded(line, envelopeId);
    const { messageId, recipient } = placed;
    const untilMs = receipt.heldUntilMs;
    const row = { envelopeId, messageId, contact: recipient, custodian, changedAtMs: clock(), untilMs };
    let kept = false;
    await store.write(tx => {
      // Either may have gone since; when one goes from now on, the row is removed after this.
      kept = all.has(placed) && store.contacts.get(custodian, tx) !== undefined;
      if (kept) store.placements.put(tx, { ...row, receipt: encodeCustodyReceipt(receipt) });
    });
    if (!all.has(placed)) return this.#releaseEnded(line, envelopeId);
    if (!kept || !store.contacts.get(custodian)) return;
    refusals.took(custodian, recipient, clock());
    this.#parts.changed();
    this.#parts.step(placed, { kind: 'held', custodian, untilMs });
    this.#parts.lookAtWaiting();
  }

  answered(custodian: ContactId, ids: readonly EnvelopeId[], kind: 'refused' | 'gone'): void {
    const { context, placed: all, refusals } = this.#parts;
    const state = all.stateWith(custodian);
    for (const id of ids) {
      const placed = all.get(id);
      if (!placed) continue;
      this.#parts.changed();
      const refused = kind === 'refused' && state(placed) === 'asked';
      const always = refused && refusals.refused(custodian, placed.recipient, context.clock());
      this.#parts.step(placed, { kind: always ? 'lost' : kind, custodian });
    }
    this.#parts.lookAtWaiting();
  }

  lost(custodian: ContactId): void {
    const { placed: all } = this.#parts;
    this.#parts.changed();
    const state = all.stateWith(custodian);
    const asked = all.filter(placed => state(placed) === 'asked');
    for (const placed of asked) this.#parts.step(placed, { kind: 'lost', custodian });
    this.#parts.lookAtWaiting();
  }

  /** What is in mind no more may wait in the outbox still. */
  #releaseEnded(line: DepositLine, id: EnvelopeId): void {
    if (!this.#parts.context.store.outbox.get(id)) line.release(id);
  }
}
