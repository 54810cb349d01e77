import { wipe } from '../base/bytes.ts';
import type { ContactId } from '../base/ids.ts';
import type { Store } from '../storage/store.ts';

/** Removes a contact with its conversation, in one transaction; what it sends from now on is a stranger's. */
export function removeContact(store: Store, id: ContactId): Promise<void> {
  return store.write(tx => {
    const contact = store.contacts.get(id, tx);
    if (!contact) return;
    if (store.conversations.get(contact.conversation, tx)) {
      store.messages.removeAll(tx, contact.conversation, message => {
        const proof = store.messages.stateOf(message, tx)?.receipt;
        if (proof) store.receipts.removeAllOf(tx, proof);
      });
    }
    store.conversations.remove(tx, contact.conversation);
    for (const { sessionId, state, verificationKey } of store.sessions.listOf(id, tx)) {
      store.sessions.remove(tx, sessionId);
      wipe(state, verificationKey);
    }
    store.pending.removeAllOf(tx, id);
    store.outbox.removeAllOf(tx, id);
    store.verifications.remove(tx, id);
    store.placements.removeAllOfCustodian(tx, id);
    store.uptime.remove(tx, id);
    store.instances.removeSeen(tx, id);
    store.peerKeyPackages.remove(tx, id);
    for (const record of store.groupInbox.list(tx)) if (record.from === id) store.groupInbox.remove(tx, record);
    for (const { id: name, contact: to, secret } of store.keyPackages.list(tx)) {
      wipe(secret);
      if (to === id) store.keyPackages.remove(tx, name);
    }
    store.contacts.remove(tx, id);
  });
}
