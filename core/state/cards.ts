import { equalBytes } from '../base/bytes.ts';
import { AuthError } from '../base/errors.ts';
import { parseTransportKey } from '../base/ids.ts';
import { addressesFromCard } from '../network/card-addresses.ts';
import type { ContactRecord } from '../storage/records.ts';
import { type ContactCard, decodeCard } from '../wire/card.ts';
import type { Turn } from './turn.ts';

/**
 * Takes a newer card of the contact. One that names a transport key of somebody else, or our own, is left: whoever
 * holds that key must go on being known by it. Another long-term key under the same identity changes the safety number:
 * a contact that was verified becomes `changed` until it is verified again.
 * @throws AuthError the card is another person's
 */
export function applyCard(turn: Turn, card: ContactCard, bytes: Uint8Array): void {
  if (!equalBytes(card.identityKey, turn.contact.identity)) {
    throw new AuthError('not-authentic', 'card.apply', 'The card belongs to somebody else.');
  }
  if (card.serial <= turn.contact.cardSerial || claimsAnother(turn, card)) return;
  const { addresses, ...fields } = contactFieldsOf(card, bytes, turn.contact);
  turn.changeContact(turn.context.offline ? fields : { ...fields, addresses });
  turn.event({ type: 'contact-changed', id: turn.contact.id });
}

function claimsAnother(turn: Turn, card: ContactCard): boolean {
  const { store, account } = turn.context;
  const owner = store.contacts.byTransport(card.transportKey);
  if (owner) return owner.id !== turn.contact.id;
  return equalBytes(card.transportKey, decodeCard(account.card).transportKey);
}

/** The part of a contact's row that its card decides. */
export function contactFieldsOf(card: ContactCard, bytes: Uint8Array, known?: ContactRecord) {
  const former = known && decodeCard(known.card);
  const rekeyed =
    former && !(equalBytes(former.agreementKey, card.agreementKey) && equalBytes(former.kemKey, card.kemKey));
  return {
    card: bytes,
    cardSerial: card.serial,
    claimedNick: card.nick,
    transportKey: parseTransportKey(card.transportKey),
    mailboxKey: card.mailboxKey,
    addresses: addressesFromCard(card.addresses),
    trust: rekeyed && known?.trust === 'verified' ? ('changed' as const) : (known?.trust ?? ('unverified' as const)),
  };
}
