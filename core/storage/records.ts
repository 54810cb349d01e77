import type { HlcTime } from '../base/hlc.ts';
import type {
  ContactId,
  ConversationId,
  EnvelopeId,
  GroupId,
  IdentityKey,
  MessageId,
  TransportKey,
} from '../base/ids.ts';
import type { Parcel } from '../wire/group-parcel.ts';
import type { Stamp } from '../wire/stamp.ts';

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
  /** One of the two is null. */
  readonly contact: ContactId | null;
  readonly group: GroupId | null;
  /** 32 random bytes: without them the messages' key cannot be derived. */
  readonly salt: Uint8Array;
  readonly createdAtMs: number;
  readonly readUpTo: MessagePlace | null;
  readonly unread: number;
  /** Unread texts that arrived below `readUpTo`. */
  readonly lateUnread: readonly MessageId[];
}

/** Where a message stands: conversations are ordered by time, then by id, the same on every machine. */
export interface MessagePlace {
  readonly hlc: HlcTime;
  readonly id: MessageId;
}

/** A message as it comes; whether it is late is for the store to see. */
export interface NewMessage {
  /** It is late whatever stands around it. */
  readonly late?: boolean;
  readonly id: MessageId;
  readonly sender: ContactId;
  readonly hlc: HlcTime;
  readonly outgoing: boolean;
  readonly parents: readonly MessageId[];
  readonly text: string;
  readonly receivedAtMs: number;
  /** Of a row that nobody sent: what the core tells (wire/notice.ts). It is nobody's parent. */
  readonly content?: Uint8Array;
}

export interface StoredMessage extends NewMessage {
  /** It came when a message that stands after it was stored already. */
  readonly late: boolean;
}

/** A message that a stored one names as its parent, and that is not stored. */
export interface AwaitedMessage {
  readonly id: MessageId;
  /** The earliest message that names it. */
  readonly child: MessagePlace;
}

export interface DeliveryState {
  /** `sent`: of a group's text, some member has it. */
  readonly state: 'queued' | 'delivered' | 'read' | 'expired' | 'sent';
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

/** What is kept about an envelope held for somebody; the envelope itself lies apart. */
export interface CustodyEntry {
  /** Order of arrival: rises with every deposit, whatever the clock does. */
  readonly seq: number;
  /** 32 */
  readonly envelopeId: EnvelopeId;
  /** 16: the mailbox tag it bears. */
  readonly tag: Uint8Array;
  /** Who brought it first; null for one that is not a contact. */
  readonly depositor: ContactId | null;
  /** Another contact has been promised the same. */
  readonly promisedToOthers: boolean;
  /** What it counts for: the length of the envelope. */
  readonly bytes: number;
  /** Both by the holding clock. */
  readonly storedAtMs: number;
  readonly expiresAtMs: number;
}

export interface CustodyDeposit extends Omit<CustodyEntry, 'seq'> {
  readonly envelope: Uint8Array;
}

/** The clock by which what is held grows old; it means nothing but its differences. */
export interface HoldingClockRecord {
  readonly forwardMs: number;
  /** The wall clock when it stood there. */
  readonly wallMs: number;
}

/** What some part of custody amounts to. */
export interface CustodyUsage {
  readonly envelopes: number;
  readonly bytes: number;
}

/** An own envelope that a custodian has promised to hold. */
export interface PlacementRecord {
  /** 32 */
  readonly envelopeId: EnvelopeId;
  /** The text inside; null for what is not a text. */
  readonly messageId: MessageId | null;
  /** For whom the envelope is. */
  readonly contact: ContactId;
  readonly custodian: ContactId;
  readonly changedAtMs: number;
  /** Until when, by the receipt. */
  readonly untilMs: number;
  /** The signed custody receipt. */
  readonly receipt: Uint8Array;
}

/** In which of the last hours a contact was seen. */
export interface UptimeRecord {
  /** The newest hour known, counted from 1970-01-01 UTC. */
  readonly lastHour: number;
  /** 21 bytes; bit i (lowest first) is the hour lastHour - i. */
  readonly bits: Uint8Array;
}

/** One start of a profile; a copy of the profile that is started as well is another. */
export interface Instance {
  /** Rises with every start. */
  readonly starts: number;
  /** 16 bytes, different in every start. */
  readonly incarnation: Uint8Array;
}

/** How far a run of the profile came: its name (8 bytes), and its count of what was sealed and said. */
export interface RunRecord {
  readonly run: Uint8Array;
  readonly count: number;
}

/** The own runs before this one, newest first, and the number of starts up to which none is remembered. */
export interface FormerRuns {
  readonly runs: readonly RunRecord[];
  readonly floor: number;
}

/** What a contact last said of itself. */
export interface SeenInstance {
  /** It holds envelopes for others. */
  readonly holds: boolean;
  /** How far it was seen to come, the latest first; at most LIMITS.stampsKept. */
  readonly stamps: readonly Stamp[];
}

/** One group on this machine. */
export interface GroupRecord {
  readonly id: GroupId;
  readonly conversation: ConversationId;
  readonly phase: GroupPhase;
  readonly createdAtMs: number;
  /** When it was left, or this member removed. */
  readonly endedAtMs: number | null;
  /** The rows were put back from a copy, and the state does not know it yet. */
  readonly putBack: boolean;
  /** Contacts whose adding was asked for here: a welcome for them is handed on. */
  readonly adding: readonly ContactId[];
  /** Serial of the own card that the group was given, and when. */
  readonly cardSerial: number;
  readonly cardAtMs: number;
  readonly outer: readonly OuterSecret[];
  /** Of each other member of the head which own texts it has. */
  readonly heard: ReadonlyMap<ContactId, Heard>;
  /** Who let this profile in first; null: it has made the group. */
  readonly addedBy: ContactId | null;
  /** Who was removed by an admin, on the branch that stands, and not added since: no link lets them in. */
  readonly removed: readonly ContactId[];
  /** core/groups/state-codec.ts; the states of its epochs have rows of their own. */
  readonly state: Uint8Array;
}

export interface Heard {
  /** What was said up to here was not said to this member. */
  readonly since: HlcTime;
  /** It has these two and all own texts between them; null: none is known. */
  readonly has: { readonly first: MessagePlace; readonly last: MessagePlace } | null;
}

/** `leaving`: asked for, and not committed by anybody yet. */
export type GroupPhase = 'member' | 'leaving' | 'left' | 'removed';

/** What opens the outer layer of a group, and the epochs that seal under it. */
export interface OuterSecret {
  /** 32 */
  readonly secret: Uint8Array;
  /** 32 each */
  readonly epochs: readonly Uint8Array[];
}

/** What is remembered of a group that was deleted here. */
export interface DeletedGroupRecord {
  readonly group: GroupId;
  readonly deletedAtMs: number;
  /** The last ask of each member that it had honoured: a welcome by none later is of a time before. */
  readonly honoured: ReadonlyMap<ContactId, number>;
}

export interface GroupMemberRecord {
  readonly group: GroupId;
  readonly member: ContactId;
  /** As it signed it. */
  readonly card: Uint8Array;
  readonly cardSerial: number;
}

/** A part of what came for a group, waiting for the others or for the group. */
export interface GroupInboxRecord {
  readonly group: GroupId;
  /** Whose session it came through; null: the group's outer layer. */
  readonly from: ContactId | null;
  /** How it came through the outer layer; null: it came through a session. */
  readonly layer: LayerOrigin | null;
  /** Order of arrival. */
  readonly seq: number;
  readonly expiresAtMs: number;
  readonly parcel: Parcel;
}

/** The envelope that a part came in, and what names the outer secret it was sealed under. */
export interface LayerOrigin {
  readonly envelopeId: EnvelopeId;
  readonly share: string;
}

/** The kinds of groups that a key package can be for (core/crypto/mls/suite.ts). */
export type KeyPackageSuite = 'classical' | 'hybrid';

/** An own key package that can be joined with. */
export interface KeyPackageRecord {
  /** 16: names it here. */
  readonly id: Uint8Array;
  /** For whom it is; null for the last resort. */
  readonly contact: ContactId | null;
  readonly suite: KeyPackageSuite;
  readonly keyPackage: Uint8Array;
  readonly secret: Uint8Array;
  readonly createdAtMs: number;
}

/** What a contact gave to be added with. */
export interface PeerKeyPackagesRecord {
  readonly contact: ContactId;
  /** At most one for each suite, those that were not used yet. */
  readonly oneTime: readonly Uint8Array[];
  readonly lastResort: readonly Uint8Array[];
}
