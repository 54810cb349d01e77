import { equalBytes } from '../base/bytes.ts';
import { UsageError } from '../base/errors.ts';
import { HLC_ZERO } from '../base/hlc.ts';
import { type ContactId, contactIdOf, conversationIdOf } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { deriveMailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import type { ContactRecord, ConversationRecord } from '../storage/records.ts';
import { type ContactCard, decodeCard } from '../wire/card.ts';
import { applyCard, contactFieldsOf } from './cards.ts';
import type { Context } from './context.ts';
import type { Conversation } from './conversation.ts';
import { sendReceipts } from './receipts.ts';
import { Turn } from './turn.ts';

const SALT_BYTES = 32;

/** What a contact's first row takes from how it was met. */
type FirstFields = Pick<ContactRecord, 'phase' | 'nick' | 'addresses'>;

/**
 * Makes the contact and takes its first step in one transaction: a contact without its handshake would wait for
 * ever. One who is known already keeps its conversation, and takes a newer card and the step.
 * @throws UsageError too many contacts, or the card names a transport key that is another's
 */
export async function takeFirstStep(
  context: Context,
  conversationOf: (contact: ContactId) => Conversation,
  card: ContactCard,
  cardBytes: Uint8Array,
  first: FirstFields,
  step: (turn: Turn) => void,
): Promise<void> {
  const { store } = context;
  const id = contactIdOf(card.identityKey);
  if (store.contacts.get(id)) {
    const change = (turn: Turn): void => {
      applyCard(turn, card, cardBytes);
      step(turn);
    };
    return conversationOf(id).ask({ kind: 'change', change });
  }
  const { contact, conversation } = freshRows(context, card, cardBytes, first);
  const mailbox = deriveMailboxKeys(contact.mailboxKey);
  // Nobody else can be at a conversation that is not there yet.
  const turn = new Turn(context, contact, conversation, mailbox, { waiting: 0, time: HLC_ZERO });
  try {
    turn.put(tx => {
      store.conversations.put(tx, conversation);
      store.contacts.put(tx, contact);
    });
    step(turn);
    if (turn.toAcknowledge.length > 0) sendReceipts(turn, 'delivered', turn.toAcknowledge);
    await turn.commit();
  } finally {
    turn.close();
    wipeMailboxKeys(mailbox);
  }
}

function freshRows(context: Context, card: ContactCard, cardBytes: Uint8Array, first: FirstFields) {
  const { store, account, clock, random } = context;
  const id = contactIdOf(card.identityKey);
  if (store.contacts.list().length >= LIMITS.contacts) {
    throw new UsageError('limit-reached', 'contacts.add', 'There are too many contacts.');
  }
  const own = decodeCard(account.card).transportKey;
  if (equalBytes(card.transportKey, own) || store.contacts.byTransport(card.transportKey)) {
    throw new UsageError('refused', 'contacts.add', 'This person claims the address of somebody else.');
  }
  const addedAtMs = clock();
  const conversation: ConversationRecord = {
    id: conversationIdOf(account.public.identity, card.identityKey),
    contact: id,
    group: null,
    salt: random(SALT_BYTES),
    createdAtMs: addedAtMs,
    readUpTo: null,
    unread: 0,
    lateUnread: [],
  };
  const contact: ContactRecord = {
    id,
    identity: card.identityKey,
    conversation: conversation.id,
    addedAtMs,
    lastSeenAtMs: null,
    initiation: null,
    superseded: null,
    lastInitiationMs: 0,
    ...contactFieldsOf(card, cardBytes),
    ...first,
  };
  return { contact, conversation };
}
