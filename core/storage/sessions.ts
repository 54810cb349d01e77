import { type ContactId, idBytes } from '../base/ids.ts';
import { contactIdFromBytes } from './id-text.ts';
import { afterPrefix, type RowPort, type RowReader, type Tx } from './port.ts';
import type { SessionRecord } from './records.ts';
import { shape } from './row-codec.ts';
import { NAME_HASH_BYTES, type Sealer } from './sealing.ts';
import { Table } from './table.ts';

/** id 16, contact 16, created 6, role 1, live 1, verification key 32, own and peer card hash 32; the state is the rest. */
const HEAD_BYTES = 136;

/** Sessions, written with every message, and apart from them their skipped keys, written seldom. */
export class SessionRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #skipped: Table;
  readonly #byContact: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'sessions');
    this.#skipped = new Table(sealer, 'skipped');
    this.#byContact = new Table(sealer, 'contactSessions');
  }

  get(sessionId: Uint8Array, from: RowReader = this.#port): SessionRecord | undefined {
    return this.#at(from, this.#name(sessionId));
  }

  listOf(contact: ContactId, from: RowReader = this.#port): SessionRecord[] {
    const prefix = this.#byContact.key(this.#contactName(contact));
    const found: SessionRecord[] = [];
    for (const key of from.keys(prefix, afterPrefix(prefix))) {
      const session = this.#at(from, key.subarray(key.length - NAME_HASH_BYTES));
      if (session) found.push(session);
    }
    return found;
  }

  all(from: RowReader = this.#port): SessionRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeSession));
  }

  /** Everybody there is a session with. */
  contacts(from: RowReader = this.#port): ContactId[] {
    return [...new Set(this.all(from).map(session => session.contact))];
  }

  put(tx: Tx, session: SessionRecord): void {
    const name = this.#name(session.sessionId);
    const key = this.#table.key(name);
    if (!tx.has(key)) {
      const index = this.#byContact.key(this.#contactName(session.contact), name);
      this.#byContact.put(tx, index, Buffer.of());
    }
    const plain = encodeSession(session);
    this.#table.put(tx, key, plain);
    plain.fill(0);
  }

  skipped(sessionId: Uint8Array, from: RowReader = this.#port): Buffer | undefined {
    return this.#skipped.get(from, this.#skipped.key(this.#name(sessionId)));
  }

  putSkipped(tx: Tx, sessionId: Uint8Array, keys: Uint8Array): void {
    this.#skipped.put(tx, this.#skipped.key(this.#name(sessionId)), keys);
  }

  remove(tx: Tx, sessionId: Uint8Array): void {
    const name = this.#name(sessionId);
    const session = this.#at(tx, name);
    if (!session) return;
    tx.remove(this.#table.key(name));
    tx.remove(this.#skipped.key(name));
    tx.remove(this.#byContact.key(this.#contactName(session.contact), name));
  }

  /** Every session with its skipped keys: none of their keys can be used again. */
  removeAll(tx: Tx): void {
    for (const table of [this.#table, this.#skipped, this.#byContact]) table.removeAll(tx, table.key());
  }

  #at(from: RowReader, name: Buffer): SessionRecord | undefined {
    const plain = this.#table.get(from, this.#table.key(name));
    return plain && this.#table.decode(plain, decodeSession);
  }

  #name(sessionId: Uint8Array): Buffer {
    return this.#sealer.nameHash('session', sessionId);
  }

  #contactName(contact: ContactId): Buffer {
    return this.#sealer.nameHash('contact-sessions', idBytes(contact));
  }
}

function encodeSession(s: SessionRecord): Buffer {
  const out = Buffer.allocUnsafeSlow(HEAD_BYTES + s.state.length);
  out.set(s.sessionId, 0);
  out.set(idBytes(s.contact), 16);
  out.writeUIntBE(s.createdAtMs, 32, 6);
  out[38] = s.role === 'initiator' ? 0 : 1;
  out[39] = s.live ? 1 : 0;
  out.set(s.verificationKey, 40);
  out.set(s.ownCardHash, 72);
  out.set(s.peerCardHash, 104);
  out.set(s.state, HEAD_BYTES);
  return out;
}

function decodeSession(plain: Buffer): SessionRecord {
  if (plain.length < HEAD_BYTES) shape.fail();
  return {
    sessionId: plain.subarray(0, 16),
    contact: contactIdFromBytes(plain.subarray(16, 32)),
    createdAtMs: plain.readUIntBE(32, 6),
    role: plain[38] === 0 ? 'initiator' : 'responder',
    live: plain[39] === 1,
    verificationKey: plain.subarray(40, 72),
    ownCardHash: plain.subarray(72, 104),
    peerCardHash: plain.subarray(104, HEAD_BYTES),
    state: plain.subarray(HEAD_BYTES),
  };
}
