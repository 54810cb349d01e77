import { hex } from '../base/bytes.ts';
import type { ContactId } from '../base/ids.ts';
import type { CustodyEntry, CustodyUsage } from './records.ts';

const NOTHING: CustodyUsage = { envelopes: 0, bytes: 0 };

/** Running sums of what is held: as many as there are people and unknown tags in custody. */
export class CustodyTotals {
  #all = NOTHING;
  readonly #depositors = new Map<ContactId | null, CustodyUsage>();
  readonly #recipients = new Map<string, CustodyUsage>();

  get all(): CustodyUsage {
    return this.#all;
  }

  ofDepositor(depositor: ContactId | null): CustodyUsage {
    return this.#depositors.get(depositor) ?? NOTHING;
  }

  ofRecipient(recipient: ContactId | null, tag: Uint8Array): CustodyUsage {
    return this.#recipients.get(recipientName(recipient, tag)) ?? NOTHING;
  }

  /** @param sign 1 for an envelope that came, -1 for one that went */
  add(entry: CustodyEntry, sign: 1 | -1): void {
    this.#all = sum(this.#all, entry, sign);
    change(this.#depositors, entry.depositor, entry, sign);
    change(this.#recipients, recipientName(entry.recipient, entry.tag), entry, sign);
  }
}

function recipientName(recipient: ContactId | null, tag: Uint8Array): string {
  return recipient ?? `tag ${hex(tag)}`;
}

function sum(usage: CustodyUsage, entry: CustodyEntry, sign: number): CustodyUsage {
  return { envelopes: usage.envelopes + sign, bytes: usage.bytes + sign * entry.bytes };
}

function change<K>(usages: Map<K, CustodyUsage>, name: K, entry: CustodyEntry, sign: number): void {
  const usage = sum(usages.get(name) ?? NOTHING, entry, sign);
  if (usage.envelopes > 0) usages.set(name, usage);
  else usages.delete(name);
}
