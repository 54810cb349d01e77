import type { ContactId, EnvelopeId, MessageId } from '../base/ids.ts';
import type { Holding } from '../mailbox/placement.ts';
import type { OutboxRecord, PlacementRecord } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';

/** Small, so that of each of many contacts something is among the first. */
const PAGE = 64;

/** The outbox: each contact's in its order, a page of each in turn. */
export function* storedPlaces(store: Store): Iterable<OutboxRecord> {
  let unread = store.outbox.contactsWithWork().map(contact => storedPagesOf(store, contact));
  while (unread.length > 0) {
    const left: typeof unread = [];
    for (const pages of unread) {
      const page = pages.next();
      if (page.done) continue;
      yield* page.value;
      left.push(pages);
    }
    unread = left;
  }
}

export function* storedPagesOf(store: Store, contact: ContactId): Generator<OutboxRecord[]> {
  for (let after: number | undefined, length = PAGE; length === PAGE; ) {
    const records = store.reading(() => store.outbox.listOf(contact, PAGE, after));
    yield records;
    after = records.at(-1)?.seq;
    length = records.length;
  }
}

/** Who holds an envelope, by the receipts beside it. */
export function storedHoldings(store: Store, envelopeId: EnvelopeId): Holding[] {
  return store.placements.listOf(envelopeId).map(asHolding);
}

/** Who holds a text in any of its envelopes. */
export function storedHoldingsOf(store: Store, message: MessageId): Holding[] {
  return store.placements.listOfMessage(message).map(asHolding);
}

/** These custodians hold it no more. */
export async function removePlaces(store: Store, id: EnvelopeId, custodians: readonly ContactId[]): Promise<void> {
  await store.write(tx => {
    for (const custodian of custodians) store.placements.remove(tx, id, custodian);
  });
}

/** Nobody need hold these any more. */
export async function removePlacesOf(store: Store, ids: readonly EnvelopeId[]): Promise<void> {
  if (ids.length === 0) return;
  await store.write(tx => {
    for (const id of ids) store.placements.removeAllOf(tx, id);
  });
}

function asHolding({ custodian, untilMs }: PlacementRecord): Holding {
  return { custodian, state: 'held', timeMs: untilMs };
}
