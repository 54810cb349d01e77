import { identityPublicOf } from '../crypto/card.ts';
import { safetyNumber } from '../crypto/verification.ts';
import type { Messenger } from '../state/messenger.ts';
import { type ContactCard, decodeCard } from '../wire/card.ts';

/** The number to compare with whoever has given this card. */
export function safetyNumberWith({ context }: Messenger, card: Uint8Array | ContactCard): string {
  return safetyNumber(context.account.public, identityPublicOf(card instanceof Uint8Array ? decodeCard(card) : card));
}
