import { wipe } from '../base/bytes.ts';
import type { RandomSource } from '../base/clock.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { Ratchet } from '../crypto/ratchet/ratchet.ts';
import type { NewSession } from '../crypto/session.ts';
import type { SessionRecord } from '../storage/records.ts';
import type { Store, WriteTx } from '../storage/store.ts';

interface OpenSession {
  readonly record: SessionRecord;
  readonly ratchet: Ratchet;
  changed: boolean;
}

/**
 * The sessions with one contact, opened for one turn and wiped after it: the live one, and a few before it for
 * envelopes that are still under way.
 */
export class Sessions {
  readonly #store: Store;
  readonly #contact: ContactId;
  readonly #open = new Map<SessionRecord, OpenSession>();
  readonly #dropped: SessionRecord[] = [];
  #records: SessionRecord[];

  constructor(store: Store, contact: ContactId) {
    this.#store = store;
    this.#contact = contact;
    // Newest first: the live one is tried first.
    this.#records = [...store.sessions.listOf(contact)].sort((a, b) => b.createdAtMs - a.createdAtMs);
  }

  get records(): readonly SessionRecord[] {
    return this.#records;
  }

  get live(): SessionRecord | undefined {
    return this.#records.find(record => record.live);
  }

  /** The ratchet message for `plaintext`, or undefined when there is no live session. */
  encrypt(plaintext: Uint8Array, random: RandomSource): Buffer | undefined {
    const live = this.live;
    if (!live) return undefined;
    const session = this.#opened(live);
    session.changed = true;
    return session.ratchet.encrypt(plaintext, random);
  }

  /**
   * The plaintext, or undefined when no session with this contact made the message.
   * @throws AuthError a session knows the header, but the message is damaged or was read before
   */
  decrypt(message: Uint8Array, random: RandomSource): Buffer | undefined {
    for (const record of this.#records) {
      const session = this.#opened(record);
      const plaintext = session.ratchet.decrypt(message, random);
      if (plaintext) {
        session.changed = true;
        return plaintext;
      }
    }
    return undefined;
  }

  /** Makes a new session the live one; the oldest beyond the limit is dropped. */
  adopt(fresh: NewSession, role: 'initiator' | 'responder', nowMs: number): void {
    const newest = this.#records[0]?.createdAtMs ?? 0;
    const record: SessionRecord = {
      sessionId: fresh.sessionId,
      contact: this.#contact,
      role,
      createdAtMs: Math.max(nowMs, newest + 1),
      state: new Uint8Array(),
      verificationKey: fresh.verificationKey,
      live: true,
      ownCardHash: fresh.ownCardHash,
      peerCardHash: fresh.peerCardHash,
    };
    for (const former of this.#records.filter(item => item.live)) this.#replace(former, { ...former, live: false });
    this.#records.unshift(record);
    this.#open.set(record, { record, ratchet: fresh.ratchet, changed: true });
    this.#dropped.push(...this.#records.splice(LIMITS.sessionsPerContact));
  }

  get changed(): boolean {
    return [...this.#open.values()].some(session => session.changed);
  }

  save(tx: WriteTx): void {
    for (const { record, ratchet, changed } of this.#open.values()) {
      if (!changed || this.#dropped.includes(record)) continue;
      const { state, skipped } = ratchet.serialize();
      this.#store.sessions.put(tx, { ...record, state });
      if (skipped) this.#store.sessions.putSkipped(tx, record.sessionId, skipped);
      wipe(state);
    }
    for (const record of this.#dropped) this.#store.sessions.remove(tx, record.sessionId);
  }

  close(): void {
    for (const { ratchet } of this.#open.values()) ratchet.wipe();
    for (const record of [...this.#records, ...this.#dropped]) wipe(record.state, record.verificationKey);
    this.#open.clear();
  }

  #opened(record: SessionRecord): OpenSession {
    const known = this.#open.get(record);
    if (known) return known;
    const ratchet = Ratchet.open(record.state, () => this.#store.sessions.skipped(record.sessionId));
    const session: OpenSession = { record, ratchet, changed: false };
    this.#open.set(record, session);
    return session;
  }

  #replace(former: SessionRecord, next: SessionRecord): void {
    const { ratchet } = this.#opened(former);
    this.#open.delete(former);
    this.#open.set(next, { record: next, ratchet, changed: true });
    this.#records = this.#records.map(item => (item === former ? next : item));
  }
}
