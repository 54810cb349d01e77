import type { ContactId } from '../base/ids.ts';
import { missingCopies } from '../mailbox/placement.ts';
import type { DepositLines } from './deposit-lines.ts';
import { idOf } from './placed.ts';
import type { PlacingParts } from './placing-parts.ts';

/** Which custodians are connected and which count, and what is to be looked at when one comes or goes. */
export class CustodiansHere {
  readonly #parts: PlacingParts;
  readonly #lines: DepositLines;
  /** Connected contacts that have said hello, and whether they hold. */
  readonly #here = new Map<ContactId, boolean>();
  /** Those that last said they do not hold. */
  readonly #unwilling = new Set<ContactId>();
  /** Contacts that counted for what they hold, at the last sweep. */
  #seen = new Set<ContactId>();

  constructor(parts: PlacingParts, lines: DepositLines) {
    this.#parts = parts;
    this.#lines = lines;
  }

  start(): void {
    this.#seen = this.#parts.view().seen();
  }

  /** A contact has gone, or said hello. */
  changed(contact: ContactId): void {
    const { presence } = this.#parts;
    if (!presence.isConnected(contact)) {
      this.#here.delete(contact);
      this.#lines.disconnected(contact);
      this.#parts.lookAt(({ waiting, recipient }) => waiting && recipient === contact);
      return;
    }
    const custodian = presence.custodian(contact);
    const known = this.#here.get(contact);
    // Both sides greet, and each greeting is heard.
    if (!custodian?.connected || known === custodian.willing) return;
    this.#here.set(contact, custodian.willing);
    if (!custodian.willing) this.#unwilling.add(contact);
    else if (this.#unwilling.delete(contact)) this.#holdsAgain(contact);
    if (known === undefined) this.#check(contact);
    this.arrived(contact);
  }

  removed(contact: ContactId): void {
    this.#unwilling.delete(contact);
    this.#parts.refusals.forget(contact);
  }

  /** Those that count now and did not, or the other way. */
  sweep(): void {
    const seen = this.#parts.view().seen();
    const turned = [...new Set([...this.#seen, ...seen])].filter(id => this.#seen.has(id) !== seen.has(id));
    this.#seen = seen;
    for (const contact of turned) {
      const state = this.#parts.placed.stateWith(contact);
      this.#parts.lookAt(placed => state(placed) === 'held');
    }
  }

  /** A custodian can be asked, or counts again: what it may be asked for, and what it holds. */
  arrived(contact: ContactId): void {
    const { placed: all } = this.#parts;
    const view = this.#parts.view();
    const state = all.stateWith(contact);
    const willing = this.#here.get(contact) === true;
    const counted = this.#seen.has(contact);
    this.#parts.lookAt(placed => {
      const known = state(placed);
      if (known) return known === 'held' && !counted;
      if (!willing || placed.waiting || placed.recipient === contact) return false;
      const { sentAtMs, recipient } = placed;
      return missingCopies({ sentAtMs, holdings: all.holdings(placed) }, view.of(recipient)) > 0;
    });
  }

  /** What it refused while it held nothing says nothing of now. */
  #holdsAgain(custodian: ContactId): void {
    const { placed: all, refusals } = this.#parts;
    refusals.forget(custodian);
    const state = all.stateWith(custodian);
    for (const placed of all.filter(each => state(each) === 'refused')) all.forgetWith(placed, custodian);
    this.#parts.changed();
  }

  /** After a new connection: what this custodian promised, does it hold it still? */
  #check(custodian: ContactId): void {
    const { placed: all } = this.#parts;
    const state = all.stateWith(custodian);
    const held = all.filter(placed => state(placed) === 'held');
    if (held.length > 0) this.#lines.to(custodian)?.check(held.map(idOf));
  }
}
