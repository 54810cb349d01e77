/** Every domain-separation label, versioned. A label is never given a second meaning. */
export const LABEL = {
  contactId: 'molva/contact-id/v1',
  conversationId: 'molva/conversation-id/v1',
  messageId: 'molva/message-id/v1',
  cardSignature: 'molva/card-signature/v1',
  receiptSignature: 'molva/receipt-signature/v1',
  inviteChecksum: 'molva/invite-checksum/v1',
  rendezvousLookup: 'molva/rendezvous-lookup/v1',
  rendezvousSeal: 'molva/rendezvous-seal/v1',
  rendezvousProof: 'molva/rendezvous-proof/v1',
  mailboxTag: 'molva/mailbox-tag/v1',
  mailboxSeal: 'molva/mailbox-seal/v1',
} as const;
