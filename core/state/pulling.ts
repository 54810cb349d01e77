import type { ContactId } from '../base/ids.ts';
import { currentTags, dayOf } from '../crypto/mailbox-seal.ts';
import type { Swarm } from '../network/swarm.ts';
import { SYNC_PROTOCOL } from '../wire/sync.ts';
import type { Context } from './context.ts';
import type { Intake } from './intake.ts';
import { PullChannel, type PullWork } from './pull-channel.ts';

/** Asks every custodian, on each connection and each new day, for what it holds for this profile. */
export class Pulling {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #intake: Intake;
  readonly #pulls = new Map<ContactId, PullChannel>();
  #stopped = false;

  constructor(context: Context, swarm: Swarm, intake: Intake) {
    this.#context = context;
    this.#swarm = swarm;
    this.#intake = intake;
  }

  stop(): void {
    this.#stopped = true;
    for (const pull of this.#pulls.values()) pull.close();
  }

  /** A connected contact has said hello: pulls from it, unless it is being done. */
  begin(contact: ContactId): void {
    const { store } = this.#context;
    const record = store.contacts.get(contact);
    if (this.#stopped || this.#pulls.has(contact) || record?.phase !== 'accepted') return;
    // Even one that holds nothing new now may hold what it took earlier.
    const pull = new PullChannel(this.#context, this.#from(contact));
    this.#pulls.set(contact, pull);
    pull.run(this.#swarm, record.transportKey, SYNC_PROTOCOL).finally(() => this.#pulls.delete(contact));
  }

  /** Once a minute: tags change with the day, and a pull that failed is begun again. */
  sweep(): void {
    for (const pull of this.#pulls.values()) pull.next();
    for (const peer of this.#swarm.connectedPeers()) {
      const contact = this.#context.store.contacts.byTransport(peer);
      if (contact?.phase === 'accepted') this.begin(contact.id);
    }
  }

  #from(contact: ContactId): PullWork {
    const { store, bus, clock, account } = this.#context;
    let askedDay = -1;
    return {
      next: () => {
        const day = dayOf(clock());
        if (day === askedDay) return undefined;
        askedDay = day;
        return currentTags(account.mailbox, clock());
      },
      missing: ids => store.reading(() => ids.map(id => !store.seen.has(id))),
      // Not tried with the holder's sessions first: who holds an envelope has most likely not made it.
      take: (envelope, id) => this.#intake.receive(envelope, id, undefined, contact),
      started: queued => bus.emit({ type: 'offline-sync-started', contact, direction: 'in', queued }),
      finished: received => bus.emit({ type: 'offline-sync-finished', contact, direction: 'in', sent: 0, received }),
    };
  }
}
