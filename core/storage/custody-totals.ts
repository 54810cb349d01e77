import type { CustodyUsage } from './records.ts';

const NOTHING: CustodyUsage = { envelopes: 0, bytes: 0 };

/** What counts about an envelope held. */
export interface Counted {
  readonly bytes: number;
  /** Names as short as they come: every row is counted when a profile is opened. */
  readonly depositor: string;
  readonly tag: string;
}

/** Running sums of what is held: as many as there are depositors and tags. */
export class CustodyTotals {
  #all = NOTHING;
  readonly #depositors = new Map<string, CustodyUsage>();
  readonly #tags = new Map<string, CustodyUsage>();

  get all(): CustodyUsage {
    return this.#all;
  }

  ofDepositor(name: string): CustodyUsage {
    return this.#depositors.get(name) ?? NOTHING;
  }

  ofTags(names: readonly string[]): CustodyUsage {
    let envelopes = 0;
    let bytes = 0;
    for (const name of names) {
      const usage = this.#tags.get(name) ?? NOTHING;
      envelopes += usage.envelopes;
      bytes += usage.bytes;
    }
    return { envelopes, bytes };
  }

  /** Names of all tags under which something is held. */
  tags(): Iterable<string> {
    return this.#tags.keys();
  }

  /** @param sign 1 for an envelope that came, -1 for one that went */
  add({ bytes, depositor, tag }: Counted, sign: 1 | -1): void {
    this.#all = sum(this.#all, bytes, sign);
    change(this.#depositors, depositor, bytes, sign);
    change(this.#tags, tag, bytes, sign);
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
