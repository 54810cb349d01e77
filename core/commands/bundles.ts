import type { BundleDraft, BundleReport } from '../state/bundles.ts';
import type { CoreHost } from './host.ts';
import { findContact } from './who.ts';

/** What the streaming part of the API asks of the core. `transfer` names a bundle in `bundle-progress`. */
export interface BundleStreams {
  /**
   * A bundle for the contacts named, for all when none is.
   * @throws UsageError `locked`, `not-found`, `ambiguous`
   */
  write(who: readonly string[], transfer: string): Promise<BundleDraft>;
  /** @throws UsageError `locked`; StorageError, TransientError */
  read(pieces: AsyncIterable<Uint8Array>, transfer: string): Promise<BundleReport>;
}

export function createBundleStreams(host: CoreHost): BundleStreams {
  return {
    write: async (who, transfer) => {
      const messenger = host.messenger();
      const chosen = who.length > 0 ? who.map(name => findContact(messenger, name)) : allContacts(host);
      return messenger.bundles.write([...new Set(chosen.map(({ id }) => id))], transfer);
    },
    read: async (pieces, transfer) => host.messenger().bundles.read(pieces, transfer),
  };
}

function allContacts(host: CoreHost) {
  return host.messenger().context.store.contacts.list();
}
