import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ConversationId,
  contactIdOf,
  conversationIdOf,
  type MessageId,
  messageIdFromBytes,
  parseIdentityKey,
} from '../../core/base/ids.ts';
import { Secret } from '../../core/base/secret.ts';
import type { ConversationRecord, StoredMessage } from '../../core/storage/records.ts';
import { openMemoryStore, openStore } from '../../core/storage/store.io.ts';
import type { Store } from '../../core/storage/store.ts';

export const ALICE = parseIdentityKey(Buffer.alloc(32, 0xa1));
export const BOB = parseIdentityKey(Buffer.alloc(32, 0xb0));
export const CONVERSATION = conversationIdOf(ALICE, BOB);
export const ALICE_ID = contactIdOf(ALICE);
export const BOB_ID = contactIdOf(BOB);

export const dataKey = (): Secret => Secret.take(Buffer.alloc(32, 7));

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'molva-storage-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A fixed id for a number. */
export function messageId(n: number): MessageId {
  return messageIdFromBytes(createHash('sha256').update(`message ${n}`).digest().subarray(0, 16));
}

export function storedMessage(n: number, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    id: messageId(n),
    sender: ALICE_ID,
    hlc: { ms: 1_700_000_000_000 + n, counter: 0 },
    outgoing: false,
    parents: n > 0 ? [messageId(n - 1)] : [],
    text: `text number ${n}`,
    receivedAtMs: 1_700_000_000_000 + n,
    late: false,
    ...more,
  };
}

export function conversation(id: ConversationId = CONVERSATION): ConversationRecord {
  return {
    id,
    contact: ALICE_ID,
    group: null,
    salt: Buffer.alloc(32, 3),
    createdAtMs: 1,
    readUpTo: null,
    unread: 0,
    lateUnread: [],
  };
}

/** Every implementation of the store, for the suites that must hold on each. */
export const STORES: readonly { name: string; open: () => Promise<{ store: Store; end: () => Promise<void> }> }[] = [
  {
    name: 'LMDB',
    open: async () => {
      const folder = temporaryFolder();
      const store = await openStore(folder.path, dataKey(), { create: true });
      return {
        store,
        end: async () => {
          await store.close();
          folder.remove();
        },
      };
    },
  },
  {
    name: 'memory',
    open: async () => {
      const store = await openMemoryStore(dataKey());
      return { store, end: () => store.close() };
    },
  },
];
