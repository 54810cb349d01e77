import { CoreError } from '../../base/errors.ts';
import { type ContactId, contactIdOf } from '../../base/ids.ts';
import { openCard } from '../../crypto/card.ts';
import type { GroupDraft } from './draft.ts';

/** @throws DecodeError, AuthError not a card, or another's */
export function keepCard<State>(draft: GroupDraft<State>, member: ContactId | null, bytes: Uint8Array): void {
  const card = openCard(bytes);
  const owner = contactIdOf(card.identityKey);
  const { store } = draft.context;
  const group = draft.record.id;
  // Who says its own was a member where it said so. That may not be the head yet: in a backlog nothing is judged.
  if (member === null ? !draft.head.members.includes(owner) : owner !== member) return;
  draft.put(tx => {
    const known = store.groupMembers.get(group, owner, tx);
    if (known && known.cardSerial >= card.serial) return;
    store.groupMembers.put(tx, { group, member: owner, card: bytes, cardSerial: card.serial });
  });
  draft.event({ type: 'group-members', group });
}
export function keepCards<State>(draft: GroupDraft<State>, cards: readonly Uint8Array[]): void {
  for (const card of cards) {
    try {
      keepCard(draft, null, card);
    } catch (error) {
      if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
    }
  }
}
