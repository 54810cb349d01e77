import type { CustodyUsage } from './records.ts';

const NOTHING: CustodyUsage = { envelopes: 0, bytes: 0 };

/** What counts about an envelope held. */
export interface Counted {
  readonly bytes: number;
  /** Names as short as they come: every row is counted when a profile is opened. */
  readonly depositor: string;
  readonly box: string;
}

/** Running sums of what is held: as many as there are depositors and boxes. */
export class CustodyTotals {
  #all = NOTHING;
  readonly #depositors = new Map<string, CustodyUsage>();
  readonly #boxes = new Map<string, CustodyUsage>();

  get all(): CustodyUsage {
    return this.#all;
  }

  ofDepositor(name: string): CustodyUsage {
    return this.#depositors.get(name) ?? NOTHING;
  }

  ofBox(name: string): CustodyUsage {
    return this.#boxes.get(name) ?? NOTHING;
  }

  /** @param sign 1 for an envelope that came, -1 for one that went */
  add({ bytes, depositor, box }: Counted, sign: 1 | -1): void {
    this.#all = sum(this.#all, bytes, sign);
    change(this.#depositors, depositor, bytes, sign);
    change(this.#boxes, box, bytes, sign);
  }
}

function sum(usage: CustodyUsage, bytes: number, sign: number): CustodyUsage {
  return { envelopes: usage.envelopes + sign, bytes: usage.bytes + sign * bytes };
}

function change(usages: Map<string, CustodyUsage>, name: string, bytes: number, sign: number): void {
  const usage = sum(usages.get(name) ?? NOTHING, bytes, sign);
  if (usage.envelopes > 0) usages.set(name, usage);
  else usages.delete(name);
}
