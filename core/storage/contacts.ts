import { equalBytes } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import {
  type ContactId,
  contactIdOf,
  type IdentityKey,
  idBytes,
  parseIdentityKey,
  parseTransportKey,
} from '../base/ids.ts';
import { contactIdFromBytes, conversationIdFromBytes } from './id-text.ts';
import type { RowPort, RowReader, Tx } from './port.ts';
import type { ContactRecord } from './records.ts';
import { bytesOf, decodeRow, encodeRow, listOf, orNull, shape, textOf, wordOf } from './row-codec.ts';
import type { Sealer } from './sealing.ts';
import { Table } from './table.ts';

const PHASES = ['requested', 'accepted'] as const;
const TRUST = ['unverified', 'verified', 'changed'] as const;

/** Contacts by id, with an index from the transport key that a connection shows. */
export class ContactRows {
  readonly #port: RowPort;
  readonly #sealer: Sealer;
  readonly #table: Table;
  readonly #transports: Table;
  readonly #initiations: Table;

  constructor(port: RowPort, sealer: Sealer) {
    this.#port = port;
    this.#sealer = sealer;
    this.#table = new Table(sealer, 'contacts');
    this.#transports = new Table(sealer, 'transports');
    this.#initiations = new Table(sealer, 'initiations');
  }

  get(id: ContactId, from: RowReader = this.#port): ContactRecord | undefined {
    const plain = this.#table.get(from, this.#key(id));
    return plain && this.#table.decode(plain, decodeContact);
  }

  byIdentity(identity: IdentityKey, from: RowReader = this.#port): ContactRecord | undefined {
    return this.get(contactIdOf(identity), from);
  }

  byTransport(transportKey: Uint8Array, from: RowReader = this.#port): ContactRecord | undefined {
    const id = this.#transports.get(from, this.#transportKey(transportKey));
    return id && this.get(contactIdFromBytes(id), from);
  }

  list(from: RowReader = this.#port): ContactRecord[] {
    return Array.from(this.#table.scan(from), ({ plain }) => this.#table.decode(plain, decodeContact));
  }

  /** @throws UsageError `refused` the transport key is another contact's */
  put(tx: Tx, contact: ContactRecord): void {
    const before = this.get(contact.id, tx);
    if (!before || !equalBytes(before.transportKey, contact.transportKey)) {
      const owner = this.byTransport(contact.transportKey, tx);
      if (owner && owner.id !== contact.id) {
        throw new UsageError('refused', 'contacts.put', 'This person claims the address of somebody else.');
      }
      if (before) tx.remove(this.#transportKey(before.transportKey));
      this.#transports.put(tx, this.#transportKey(contact.transportKey), idBytes(contact.id));
    }
    this.#table.put(tx, this.#key(contact.id), encodeContact(contact));
  }

  remove(tx: Tx, id: ContactId): void {
    const before = this.get(id, tx);
    if (!before) return;
    tx.remove(this.#transportKey(before.transportKey));
    tx.remove(this.#initiationKey(id));
    tx.remove(this.#proofKey(id));
    tx.remove(this.#key(id));
  }

  /** What the answer to the own handshake needs, as it was put. The caller wipes it. */
  initiationSecret(id: ContactId, from: RowReader = this.#port): Buffer | undefined {
    return this.#initiations.get(from, this.#initiationKey(id));
  }

  /** Takes the place of the former; null when the answer has come. `secret` stays the caller's. */
  putInitiationSecret(tx: Tx, id: ContactId, secret: Uint8Array | null): void {
    if (secret) this.#initiations.put(tx, this.#initiationKey(id), secret);
    else tx.remove(this.#initiationKey(id));
  }

  /** The proof that an invite was held, while the contact has not answered. */
  proof(id: ContactId, from: RowReader = this.#port): Buffer | undefined {
    return this.#initiations.get(from, this.#proofKey(id));
  }

  /** Null when the contact has answered. */
  putProof(tx: Tx, id: ContactId, proof: Uint8Array | null): void {
    if (proof) this.#initiations.put(tx, this.#proofKey(id), proof);
    else tx.remove(this.#proofKey(id));
  }

  #proofKey(id: ContactId): Buffer {
    return this.#initiations.key(this.#sealer.nameHash('proof', idBytes(id)));
  }

  #initiationKey(id: ContactId): Buffer {
    return this.#initiations.key(this.#sealer.nameHash('contact', idBytes(id)));
  }

  #key(id: ContactId): Buffer {
    return this.#table.key(this.#sealer.nameHash('contact', idBytes(id)));
  }

  #transportKey(transportKey: Uint8Array): Buffer {
    return this.#transports.key(this.#sealer.nameHash('transport', transportKey));
  }
}

function encodeContact(c: ContactRecord): Buffer {
  return encodeRow([
    idBytes(c.id),
    c.identity,
    idBytes(c.conversation),
    c.card,
    c.cardSerial,
    c.nick,
    c.claimedNick,
    PHASES.indexOf(c.phase),
    TRUST.indexOf(c.trust),
    c.addedAtMs,
    c.lastSeenAtMs,
    c.addresses,
    c.transportKey,
    c.mailboxKey,
    c.initiation && [c.initiation.id, c.initiation.atMs],
    c.superseded,
    c.lastInitiationMs,
  ]);
}

function decodeContact(plain: Buffer): ContactRecord {
  const f = decodeRow(plain, 17);
  return {
    id: contactIdFromBytes(shape.bytes(f[0], 16)),
    identity: parseIdentityKey(shape.bytes(f[1], 32)),
    conversation: conversationIdFromBytes(shape.bytes(f[2], 16)),
    card: bytesOf(f[3]),
    cardSerial: shape.uint(f[4]),
    nick: textOf(f[5]),
    claimedNick: textOf(f[6]),
    phase: wordOf(PHASES, f[7]),
    trust: wordOf(TRUST, f[8]),
    addedAtMs: shape.uint(f[9]),
    lastSeenAtMs: orNull(f[10], ms => shape.uint(ms)),
    addresses: listOf(f[11], textOf),
    transportKey: parseTransportKey(shape.bytes(f[12], 32)),
    mailboxKey: shape.bytes(f[13], 32),
    initiation: orNull(f[14], value => {
      const [id, atMs] = shape.tuple(value, 2);
      return { id: shape.bytes(id, 16), atMs: shape.uint(atMs) };
    }),
    superseded: orNull(f[15], id => shape.bytes(id, 16)),
    lastInitiationMs: shape.uint(f[16]),
  };
}
