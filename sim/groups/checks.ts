import type { ContactId } from '../../core/base/ids.ts';
import type { EpochId } from '../../core/groups/group-crypto.ts';
import { Happenings } from './happenings.ts';

interface SentText {
  readonly sender: ContactId;
  readonly epoch: EpochId;
  readonly members: readonly ContactId[];
  readonly readers: Set<ContactId>;
}

/** What the simulation knows of all branches, and holds what the members do against. */
export class GroupChecks {
  readonly findings: string[] = [];
  readonly rollbacks: number[] = [];
  readonly agreeMs: number[] = [];
  readonly named = new Set<ContactId>();
  readonly happenings = new Happenings();
  epochs = 0;
  reads = 0;
  unread = 0;
  readonly #parents = new Map<EpochId, EpochId | null>();
  readonly #texts = new Map<string, SentText>();
  /** Epochs from which on someone can read; all that descends from one. */
  readonly #entries = new Map<ContactId, EpochId[]>();

  /** @returns whether it is new */
  epoch(id: EpochId, parent: EpochId | null): boolean {
    if (this.#parents.has(id)) return false;
    this.#parents.set(id, parent);
    this.epochs += 1;
    return true;
  }

  enters(member: ContactId, epoch: EpochId): void {
    this.#entries.set(member, [...(this.#entries.get(member) ?? []), epoch]);
  }

  /** Someone's record is gone, and with it what it could have read. */
  loses(member: ContactId): void {
    this.#entries.delete(member);
  }

  sent(text: string, sender: ContactId, epoch: EpochId, members: readonly ContactId[]): void {
    this.happenings.count('sent');
    this.#texts.set(text, { sender, epoch, members, readers: new Set() });
  }

  read(text: string, reader: ContactId, sender: ContactId): void {
    if (text.startsWith('evil')) return;
    const known = this.#texts.get(text);
    this.reads += 1;
    if (known?.sender !== sender) {
      this.find(`${reader} read ${text}, which ${sender} did not send`);
      return;
    }
    if (!known.members.includes(reader)) this.find(`${reader} read ${text} and was no member then`);
    if (known.readers.has(reader)) this.find(`${reader} read ${text} twice`);
    known.readers.add(reader);
  }

  find(what: string): void {
    this.findings.push(what);
  }

  /** Every text must be with everyone who was a member in the epoch it was sealed in and had entered by then. */
  allRead(except: ReadonlySet<ContactId>): void {
    for (const [text, { sender, epoch, members, readers }] of this.#texts) {
      for (const member of members) {
        if (member === sender || readers.has(member) || except.has(member) || !this.#couldRead(member, epoch)) continue;
        this.unread += 1;
        this.find(`${member} has not read ${text} of ${sender} in ${epoch.slice(0, 8)}`);
      }
    }
  }

  get texts(): number {
    return this.#texts.size;
  }

  #couldRead(member: ContactId, epoch: EpochId): boolean {
    const entries = this.#entries.get(member) ?? [];
    for (let at: EpochId | null = epoch; at !== null; at = this.#parents.get(at) ?? null) {
      if (entries.includes(at)) return true;
    }
    return false;
  }
}
