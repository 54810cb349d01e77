import { asBuffer, concat, utf8 } from '../../core/base/bytes.ts';
import { type Cancel, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import { type ContactId, type EnvelopeId, type GroupId, groupIdFromBytes } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { deriveMailboxKeys, openEnvelope, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import type { KnownMember } from '../../core/state/groups/places.ts';
import { GroupSpread, type SpreadGroups } from '../../core/state/groups/spread.ts';
import type { Verdict } from '../../core/state/intake.ts';
import { decodeEnvelope, encodeEnvelope, envelopeIdOf } from '../../core/wire/envelope.ts';
import type { Person } from './person.ts';

const ID_CHARACTERS = 26;

/** One group on one person's machine, without MLS: who knows the outer secret reads what is sealed under it. */
export class FakeGroup implements SpreadGroups {
  readonly id: GroupId;
  readonly person: Person;
  readonly texts: string[] = [];
  /** `catch-up` and `caught-up` as they were told. */
  readonly told: string[] = [];
  members: readonly KnownMember[] = [];
  /** The newest first. */
  secrets: readonly { readonly secret: Uint8Array }[];
  #spread: GroupSpread | undefined;
  #cancel: Cancel | undefined;
  readonly #listeners = new Set<(group: GroupId, envelope: Uint8Array) => void>();

  constructor(person: Person, secret: Uint8Array, id = systemRandom(16)) {
    this.person = person;
    this.id = groupIdFromBytes(id);
    this.secrets = [{ secret }];
  }

  get spread(): GroupSpread {
    if (!this.#spread) throw new Error('not started');
    return this.#spread;
  }

  async start(): Promise<void> {
    const { messenger, swarm } = this.person;
    const receive = (bytes: Uint8Array, id: EnvelopeId) => this.#receive(bytes, id);
    this.#spread = new GroupSpread(messenger.context, swarm, { groups: this, custody: messenger.custody, receive });
    await this.#spread.serve();
    this.#spread.start();
    if (this.secrets.length > 0) this.#everyMinute();
  }

  /** As the messenger's upkeep does. */
  #everyMinute(): void {
    this.#cancel = this.person.messenger.context.scheduler(MINUTE_MS, () => {
      this.#spread?.sweep();
      this.#everyMinute();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#spread?.stop();
    this.#spread = undefined;
  }

  ids(): readonly GroupId[] {
    return this.secrets.length > 0 ? [this.id] : [];
  }

  membersOf(): readonly KnownMember[] {
    return this.members;
  }

  secretsOf(): readonly { readonly secret: Uint8Array }[] {
    return this.secrets;
  }

  catchUp(): void {
    this.told.push('catch-up');
  }

  caughtUp(): void {
    this.told.push('caught-up');
  }

  onPublish(listener: (group: GroupId, envelope: Uint8Array) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Seals under the newest secret, keeps and publishes. */
  async say(text: string): Promise<EnvelopeId> {
    const { context } = this.person.messenger;
    const [newest] = this.secrets;
    if (!newest) throw new Error('not a member');
    const body = concat(utf8(context.account.id), utf8(text));
    const keys = deriveMailboxKeys(newest.secret);
    const bytes = encodeEnvelope(sealEnvelope(keys, 'group', body, context.clock(), systemRandom));
    const id = envelopeIdOf(bytes);
    await this.#store(bytes, id, context.account.id, text);
    for (const listener of this.#listeners) listener(this.id, bytes);
    return id;
  }

  async #receive(bytes: Uint8Array, id: EnvelopeId): Promise<Verdict> {
    if (this.person.store.seen.has(id)) return 'stored';
    const envelope = decodeEnvelope(bytes);
    for (const { secret } of this.secrets) {
      const body = read(secret, envelope);
      if (!body) continue;
      const by = asBuffer(body.subarray(0, ID_CHARACTERS)).toString() as ContactId;
      if (!this.members.some(member => member.id === by)) return 'refused';
      await this.#store(bytes, id, by, asBuffer(body.subarray(ID_CHARACTERS)).toString());
      return 'stored';
    }
    return 'refused';
  }

  async #store(bytes: Uint8Array, id: EnvelopeId, by: ContactId, text: string): Promise<void> {
    const { store } = this.person;
    await store.write(tx => {
      store.seen.add(tx, id, decodeEnvelope(bytes).expiresAtHours * HOUR_MS);
      this.#spread?.mailbox.keep(tx, { group: this.id, envelope: bytes, by });
    });
    this.texts.push(text);
  }
}

function read(secret: Uint8Array, envelope: Parameters<typeof openEnvelope>[1]): Buffer | undefined {
  try {
    return openEnvelope(deriveMailboxKeys(secret), envelope).body;
  } catch {
    return undefined;
  }
}

/** How others come to know a person in a group. */
export function memberOf(person: Person): KnownMember {
  return { id: person.id, transportKey: person.swarm.transportKey, addresses: person.swarm.addresses() };
}
