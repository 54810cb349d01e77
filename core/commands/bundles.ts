import type { BundleReport } from '../state/bundles.ts';
import type { CoreHost } from './host.ts';
import { findContact } from './who.ts';

/** What the streaming part of the API asks of the core. */
export interface BundleStreams {
  /**
   * The pieces of a bundle for the contacts named, for all when none is.
   * @throws UsageError `locked`, `not-found`, `ambiguous`, before the first piece
   */
  write(who: readonly string[]): AsyncIterable<Uint8Array>;
  /** @throws UsageError `locked`; StorageError, TransientError */
  read(pieces: AsyncIterable<Uint8Array>): Promise<BundleReport>;
}

export function createBundleStreams(host: CoreHost): BundleStreams {
  return {
    write: who => {
      const messenger = host.messenger();
      const chosen = who.length > 0 ? who.map(name => findContact(messenger, name)) : allContacts(host);
      return messenger.bundles.write([...new Set(chosen.map(({ id }) => id))]);
    },
    read: pieces => host.messenger().bundles.read(pieces),
  };
}

function allContacts(host: CoreHost) {
  return host.messenger().context.store.contacts.list();
}
