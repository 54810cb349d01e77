import type { HlcTime } from '../base/hlc.ts';
import type { ContactId, ConversationId, EnvelopeId, IdentityKey, MessageId, TransportKey } from '../base/ids.ts';

/** What the repositories keep. Byte lengths in comments; times in milliseconds since 1970-01-01 UTC. */

export interface ProfileRecord {
  readonly nick: string;
  readonly createdAtMs: number;
  /** Exported secret identity; the caller wipes its copies. */
  readonly identity: Uint8Array;
  /** 32 */
  readonly transportSeed: Uint8Array;
  /** 32 */
  readonly mailboxKey: Uint8Array;
  /** 32 */
  readonly presenceKey: Uint8Array;
  readonly cardSerial: number;
  readonly nextPrekeyId: number;
  readonly listenPorts: readonly number[];
  /** The own current card. */
  readonly card: Uint8Array;
}

export interface ContactRecord {
  readonly id: ContactId;
  readonly identity: IdentityKey;
  readonly conversation: ConversationId;
  readonly card: Uint8Array;
  readonly cardSerial: number;
  /** The own choice, or ''. */
  readonly nick: string;
  readonly claimedNick: string;
  readonly phase: 'requested' | 'accepted';
  readonly trust: 'unverified' | 'verified' | 'changed';
  readonly addedAtMs: number;
  readonly lastSeenAtMs: number | null;
  readonly addresses: readonly string[];
  readonly transportKey: TransportKey;
  /** 32 */
  readonly mailboxKey: Uint8Array;
  /** The own handshake waiting for its answer: its id (16), and when it was made. Its secret has a row of its own. */
  readonly initiation: { readonly id: Uint8Array; readonly atMs: number } | null;
  /** Id (16) of the contact's initiation that lost the crossing: not to be answered when it arrives late. */
  readonly superseded: Uint8Array | null;
  /** When, by the contact's clock, its last answered initiation was made. */
  readonly lastInitiationMs: number;
}

export interface RequestRecord {
  readonly id: ContactId;
  readonly identity: IdentityKey;
  readonly card: Uint8Array;
  /** The frame of the handshake that asked. */
  readonly initiation: Uint8Array;
  readonly receivedAtMs: number;
  readonly nick: string;
}

export interface InviteRecord {
  /** 16 */
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface PrekeyRecord {
  /** 32-bit */
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface ConversationRecord {
  readonly id: ConversationId;
  readonly contact: ContactId;
  /** 32 random bytes: without them the messages' key cannot be derived. */
  readonly salt: Uint8Array;
  readonly createdAtMs: number;
  readonly readUpTo: { readonly hlc: HlcTime; readonly id: MessageId } | null;
  readonly unread: number;
  /** Unread texts that arrived below `readUpTo`. */
  readonly lateUnread: readonly MessageId[];
}

export interface StoredMessage {
  readonly id: MessageId;
  readonly sender: ContactId;
  readonly hlc: HlcTime;
  readonly outgoing: boolean;
  readonly parents: readonly MessageId[];
  readonly text: string;
  readonly receivedAtMs: number;
  readonly content?: Uint8Array;
}

export interface DeliveryState {
  readonly state: 'queued' | 'delivered' | 'read' | 'expired';
  readonly atMs: number;
  /** The receipt that proves it, by its key in `receipts`; null for `queued` and `expired`. */
  readonly receipt: MessageId | null;
}

export interface SessionRecord {
  /** 16 */
  readonly sessionId: Uint8Array;
  readonly contact: ContactId;
  readonly role: 'initiator' | 'responder';
  readonly createdAtMs: number;
  readonly state: Uint8Array;
  /** 32 */
  readonly verificationKey: Uint8Array;
  /** 32 each: the cards the session was made with. */
  readonly ownCardHash: Uint8Array;
  readonly peerCardHash: Uint8Array;
  readonly live: boolean;
}

export interface PendingRecord {
  readonly contact: ContactId;
  readonly seq: number;
  readonly content: Uint8Array;
}

export interface OutboxRecord {
  /** 32 */
  readonly envelopeId: EnvelopeId;
  readonly contact: ContactId;
  /** Order of sending; up to 2^48. */
  readonly seq: number;
  readonly envelope: Uint8Array;
  readonly expiresAtMs: number;
  readonly messageId: MessageId | null;
}
