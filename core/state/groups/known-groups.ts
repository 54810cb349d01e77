import { type ContactId, type GroupId, parseTransportKey } from '../../base/ids.ts';
import { addressesFromCard } from '../../network/card-addresses.ts';
import type { Store } from '../../storage/store.ts';
import { decodeCard } from '../../wire/card.ts';
import type { Groups } from './groups.ts';
import type { KnownMember } from './places.ts';
import type { SpreadGroups } from './spread.ts';

/** The groups of a profile as those who spread their envelopes see them. */
export function knownGroups<State>(groups: Groups<State>, store: Store): SpreadGroups {
  return {
    ids: () => groups.joined(),
    membersOf: group => groups.get(group).members.flatMap(({ id }) => memberOf(store, group, id)),
    secretsOf: group => groups.secretsOf(group),
    // A group whose turn fails is begun again by its own upkeep.
    catchUp: group => void groups.catchUp(group).catch(() => undefined),
    caughtUp: group => void groups.caughtUp(group).catch(() => undefined),
    onPublish: listener => groups.onPublish(listener),
  };
}

/** None of a member whose card has not come. */
function memberOf(store: Store, group: GroupId, id: ContactId): KnownMember[] {
  const contact = store.contacts.get(id);
  if (contact) return [{ id, transportKey: contact.transportKey, addresses: contact.addresses }];
  const record = store.groupMembers.get(group, id);
  if (!record) return [];
  const { transportKey, addresses } = decodeCard(record.card);
  return [{ id, transportKey: parseTransportKey(transportKey), addresses: addressesFromCard(addresses) }];
}
