import type { ContactId, ConversationId, GroupId, MessageId } from '../base/ids.ts';
import type { EpochId } from '../groups/group-crypto.ts';
import type { Held } from '../mailbox/placement.ts';
import type { ContactRecord, StoredMessage } from '../storage/records.ts';

/** How far an own message has come; everything past `queued` rests on a signed receipt or the clock. */
export type OutgoingState = 'queued' | 'sent' | 'delivered' | 'read' | 'expired';

/** What a commit did; `keys`: nothing but new keys. */
export type CommitChange = 'add' | 'remove' | 'leave' | 'promote' | 'demote' | 'rename' | 'keys';

/** Everything the core tells. Emitted only after what it speaks of is durable. */
export type CoreEvent =
  | { readonly type: 'peer-connected' | 'peer-disconnected'; readonly contact: ContactId }
  | {
      readonly type: 'message-received' | 'message-sent';
      /** As it was stored: to read it back from the store for every listener costs more than all else. */
      readonly message: StoredMessage;
      /** With whom it is, or the group it stands in: one of the two is null. */
      readonly contact: ContactRecord | null;
      readonly group: GroupId | null;
    }
  | {
      readonly type: 'message-state';
      readonly id: MessageId;
      readonly conversation: ConversationId;
      readonly state: OutgoingState;
      readonly atMs: number;
    }
  | {
      /** A text that waits is held by more or fewer custodians than was told last, for another time, or seen lately or not. */
      readonly type: 'message-held';
      readonly id: MessageId;
      readonly conversation: ConversationId;
      readonly held: Held;
      readonly atMs: number;
    }
  | {
      readonly type: 'bundle-progress';
      /** Which of the bundles under way. */
      readonly transfer: string;
      readonly direction: 'export' | 'import';
      readonly bytes: number;
      readonly envelopes: number;
    }
  | { readonly type: 'profile-restored'; readonly atMs: number }
  | { readonly type: 'contact-request' | 'request-closed'; readonly id: ContactId }
  | { readonly type: 'contact-changed' | 'contact-removed'; readonly id: ContactId }
  | { readonly type: 'conversation-read'; readonly conversation: ConversationId }
  | { readonly type: 'verification-changed'; readonly contact: ContactId }
  /** Its name, its members, or whether one is in it. */
  | { readonly type: 'group-changed' | 'group-members'; readonly group: GroupId }
  /** With all that was kept of it. */
  | { readonly type: 'group-deleted'; readonly group: GroupId }
  | {
      readonly type: 'group-commit';
      readonly group: GroupId;
      readonly epoch: EpochId;
      readonly by: ContactId | null;
      readonly changes: readonly CommitChange[];
    }
  | { readonly type: 'group-fork-healed'; readonly group: GroupId; readonly rolledBack: number }
  | { readonly type: 'network-changed' }
  | {
      readonly type: 'offline-sync-started';
      readonly contact: ContactId;
      readonly direction: SyncDirection;
      readonly queued: number;
    }
  | {
      readonly type: 'offline-sync-finished';
      readonly contact: ContactId;
      readonly direction: SyncDirection;
      readonly sent: number;
      readonly received: number;
    };

/** `out`: the own outbox goes to the contact. `in`: what the contact held comes here. */
export type SyncDirection = 'out' | 'in';
