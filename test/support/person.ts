import { type ContactId, parseTransportKey } from '../../core/base/ids.ts';
import { Secret } from '../../core/base/secret.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { publicKeyOfSeed } from '../../core/crypto/ed25519.ts';
import type { Swarm } from '../../core/network/swarm.ts';
import { type Account, createAccount, openAccount } from '../../core/state/account.ts';
import { Bus } from '../../core/state/bus.ts';
import type { CoreEvent } from '../../core/state/events.ts';
import { Messenger } from '../../core/state/messenger.ts';
import type { SentText } from '../../core/state/sending.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import type { StartsFile } from '../../core/storage/start-instance.ts';
import { openMemoryStore } from '../../core/storage/store.io.ts';
import type { Store } from '../../core/storage/store.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { VirtualTime } from './virtual-time.ts';

/** A profile in memory on a network in memory, that can go away and come back with what it had stored. */
export class Person {
  readonly nick: string;
  readonly events: CoreEvent[] = [];
  /** How far this person's clock is wrong. */
  clockErrorMs = 0;
  readonly #network: MemoryNetwork;
  readonly #time: VirtualTime;
  readonly #dataKey = systemRandom(32);
  rows = new MemoryRows();
  /** Holds envelopes for contacts. */
  holds = true;
  /** Gives contacts what they need to add it to groups. */
  addable = false;
  helper = false;
  startsMark: Buffer | undefined;
  readonly startsFile: StartsFile = {
    read: () => this.startsMark,
    write: bytes => {
      this.startsMark = Buffer.from(bytes);
    },
    place: () => null,
  };
  #messenger: Messenger | undefined;
  #store: Store | undefined;
  #account: Account | undefined;
  #swarm: Swarm | undefined;

  private constructor(nick: string, network: MemoryNetwork, time: VirtualTime) {
    this.nick = nick;
    this.#network = network;
    this.#time = time;
  }

  static async create(nick: string, network: MemoryNetwork, time: VirtualTime): Promise<Person> {
    const person = new Person(nick, network, time);
    const store = await person.#openStore();
    await createAccount(store, nick, time.clock, systemRandom);
    await person.start();
    return person;
  }

  get messenger(): Messenger {
    if (!this.#messenger) throw new Error(`${this.nick} is away`);
    return this.#messenger;
  }

  get id(): ContactId {
    return this.messenger.context.account.id;
  }

  get store(): Store {
    return this.messenger.context.store;
  }

  get swarm(): Swarm {
    return this.messenger.swarm;
  }

  async start(): Promise<void> {
    const store = this.#store ?? (await this.#openStore());
    const profile = store.profile.get();
    if (!profile) throw new Error('no profile');
    const transport = parseTransportKey(publicKeyOfSeed(profile.transportSeed));
    const account = openAccount(profile);
    const swarm = this.#network.createSwarm(transport, `/ip4/10.0.0.1/tcp/${1_000 + (transport[0] as number)}`);
    const bus = new Bus<CoreEvent>(fault => {
      throw fault;
    });
    bus.subscribe(event => this.events.push(event));
    const { scheduler } = this.#time;
    const clock = (): number => this.#time.clock() + this.clockErrorMs;
    this.#messenger = new Messenger({
      store,
      account,
      swarm,
      bus,
      clock,
      random: systemRandom,
      scheduler,
      monotonic: this.#time.monotonic,
      startsFile: this.startsFile,
      holds: () => this.holds,
      addable: () => this.addable,
      helper: this.helper,
    });
    this.#account = account;
    this.#swarm = swarm;
    await this.#time.run(this.#messenger.prepare());
    await swarm.start();
    await this.#time.run(this.#messenger.start());
  }

  /** Ends without a goodbye to anybody: what was durable is there at the next start. */
  async stop(): Promise<void> {
    const messenger = this.#messenger;
    this.#messenger = undefined;
    if (messenger) await this.#time.run(messenger.stop());
    await this.#swarm?.stop();
    this.#account?.wipe();
  }

  /** While away, the database is replaced by another. */
  async putBack(rows: MemoryRows): Promise<void> {
    await this.#store?.close();
    this.rows = rows;
    this.#store = undefined;
  }

  async meet(other: Person): Promise<void> {
    const { invite } = await other.messenger.createInvite();
    await this.#time.run(this.messenger.addContact(invite, ''));
    await this.#time.until(() => other.store.requests.list().some(request => request.id === this.id));
    await this.#time.run(other.messenger.acceptRequest(this.id));
    await this.#time.until(() => this.store.contacts.get(other.id)?.phase === 'accepted');
  }

  async say(to: ContactId, text: string): Promise<string> {
    const { message } = await this.messenger.ask<SentText>(to, { kind: 'send', text });
    return message.id;
  }

  /** Texts of the conversation, oldest first. */
  heard(from: ContactId): string[] {
    const contact = this.store.contacts.get(from);
    return contact ? this.store.messages.newest(contact.conversation, 100_000).map(message => message.text) : [];
  }

  /** Own texts no receipt has confirmed. */
  waiting(to: ContactId): number {
    const contact = this.store.contacts.get(to);
    return contact ? this.store.messages.countUndelivered(contact.conversation) : 0;
  }

  states(to: ContactId): string[] {
    const contact = this.store.contacts.get(to);
    if (!contact) return [];
    const own = this.store.messages.newest(contact.conversation, 100_000).filter(message => message.outgoing);
    return own.map(message => this.store.messages.stateOf(message.id)?.state ?? 'none');
  }

  async #openStore(): Promise<Store> {
    this.#store = await openMemoryStore(Secret.take(Buffer.from(this.#dataKey)), {}, this.rows);
    return this.#store;
  }
}
