import type { ContactId, EnvelopeId, GroupId } from '../../base/ids.ts';

import { type Verdict as GossipVerdict, judgeEnvelope, type Topic } from '../../network/pubsub.ts';
import type { Swarm } from '../../network/swarm.ts';
import { decodeEnvelope, envelopeIdOf } from '../../wire/envelope.ts';
import type { Context } from '../context.ts';
import type { CustodyService } from '../custodian.ts';
import type { Verdict } from '../intake.ts';
import type { CatchesUp } from './catch-up.ts';
import { GroupGiving } from './group-giving.ts';
import { GroupMailbox } from './group-mailbox.ts';
import { GroupPulls } from './group-pulls.ts';
import { MemberLinks } from './member-links.ts';
import { GroupPlaces, type KnownGroups } from './places.ts';
import type { Hearing } from './spreading.ts';

/** The groups, as far as spreading uses them. */
export interface SpreadGroups extends KnownGroups, CatchesUp {
  /** Told after the commit of each envelope that this profile has sealed for a group. */
  onPublish(listener: (group: GroupId, envelope: Uint8Array) => void): () => void;
}

export interface SpreadParts {
  readonly groups: SpreadGroups;
  readonly custody: CustodyService;
  /** Takes an envelope from any bearer (Intake). */
  readonly receive: (bytes: Uint8Array, id: EnvelopeId) => Promise<Verdict>;
}

/**
 * How a group's envelopes get around (docs/protocol/gossip.md, sync.md §6): by gossip among those who are connected, and
 * for all others from what every member keeps. A profile without groups joins no topic, keeps nothing and waits for
 * nothing.
 */
export class GroupSpread {
  readonly places: GroupPlaces;
  readonly mailbox: GroupMailbox;
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #parts: SpreadParts;
  readonly #giving: GroupGiving;
  readonly #pulls: GroupPulls;
  readonly #links: MemberLinks;
  readonly #topics = new Map<Topic, () => void>();
  readonly #unsubscribe: (() => void)[] = [];

  constructor(context: Context, swarm: Swarm, parts: SpreadParts) {
    const { groups, custody } = parts;
    this.#context = context;
    this.#swarm = swarm;
    this.#parts = parts;
    this.places = new GroupPlaces(groups, context.clock);
    this.mailbox = new GroupMailbox(context.store, custody, this.places);
    this.#giving = new GroupGiving(context, swarm, this.places, (...named) => this.#pulls.named(...named));
    this.#links = new MemberLinks(context, swarm, this.places);
    this.#pulls = new GroupPulls(context, swarm, {
      groups,
      places: this.places,
      take: (group, bytes, id) => this.#take(group, bytes, id),
      brought: (group, from) => this.#giving.news(group, from),
    });
  }

  /** To be awaited before the swarm is started. */
  async serve(): Promise<void> {
    await this.#giving.serve();
  }

  start(): void {
    const watch = this.#swarm.on({
      connected: peer => {
        this.#pulls.begin(peer);
        this.#links.met(peer);
      },
      disconnected: peer => {
        this.#pulls.ended(peer);
        if (this.places.groupsOf(peer).length > 0) this.#links.lost(peer);
      },
    });
    const hear = this.#parts.groups.onPublish((group, envelope) => void this.#publish(group, envelope));
    this.#unsubscribe.push(watch, hear);
    this.changed();
  }

  /** Begins nothing more and waits for nothing. */
  stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const leave of this.#topics.values()) leave();
    this.#topics.clear();
    this.#pulls.stop();
    this.#giving.stop();
    this.#links.stop();
  }

  /** Groups, their members, cards or secrets are others now. */
  changed(): void {
    this.places.forget();
    this.#joinTopics();
    this.#pulls.changed();
    this.#links.look();
  }

  /** This machine is somewhere else now. */
  moved(): void {
    this.#links.tryAll();
  }

  /** Once a minute: topics change with the day, and what gossip did not bring is asked for. */
  sweep(): void {
    this.#joinTopics();
    this.#pulls.sweep();
  }

  /** Whether a contact takes part where envelopes of this tag are told. */
  hearing(contact: ContactId, tag: Uint8Array): Hearing {
    const peer = this.#context.store.contacts.get(contact)?.transportKey;
    const topic = this.places.find(tag)?.topic;
    if (!peer || !this.#swarm.isConnected(peer)) return 'away';
    const takesPart = topic && this.#topics.has(topic) && this.#swarm.pubsub().takesPart(topic, peer);
    return takesPart ? 'hears' : 'deaf';
  }

  #joinTopics(): void {
    const wanted = new Set(this.places.topics());
    for (const [topic, leave] of this.#topics) {
      if (wanted.has(topic)) continue;
      leave();
      this.#topics.delete(topic);
    }
    for (const topic of wanted) {
      if (this.#topics.has(topic)) continue;
      this.#topics.set(
        topic,
        this.#swarm.pubsub().join(topic, bytes => this.#hear(topic, bytes)),
      );
    }
  }

  /** Whoever cannot be reached by gossip now is told that there is something, or finds it when it comes. */
  async #publish(group: GroupId, envelope: Uint8Array): Promise<void> {
    const { tag } = decodeEnvelope(envelope);
    if (!this.places.find(tag)) this.changed();
    const topic = this.places.find(tag)?.topic;
    const joined = topic && this.#topics.has(topic);
    try {
      await this.#keep(group, envelope, envelopeIdOf(envelope));
      if (joined && (await this.#swarm.pubsub().publish(topic, envelope)) > 0) return;
    } catch {
      // A full disk, or a network that is being left: the envelope is durable where it was made.
    }
    this.#giving.news(group);
  }

  async #hear(topic: Topic, bytes: Uint8Array): Promise<GossipVerdict> {
    const envelope = judgeEnvelope(bytes, this.#context.clock());
    if (typeof envelope === 'string') return envelope;
    const place = this.places.find(envelope.tag);
    // Its secret may have been dropped a moment ago.
    if (!place) return 'strange';
    // Everybody in a topic knows the secret that it and its tags are drawn from: no honest member passes on such a thing.
    if (place.topic !== topic || !this.places.isGenuine(place, envelope)) return 'reject';
    const id = envelopeIdOf(bytes);
    const { store } = this.#context;
    // Replayed, or pulled before it came: whoever lacks it pulls it too.
    if (store.seen.has(id) || store.custody.has(id)) return 'ignore';
    try {
      // Members may differ for a while in whom they take for one.
      if ((await this.#take(place.group, bytes, id)) !== 'stored') return 'strange';
      // Under an old secret it may be a removed member's; whoever stayed behind with others has it from them, or pulls it.
      return place.secret > 0 && this.mailbox.isNobodys(place.group, id) ? 'ignore' : 'accept';
    } catch {
      return 'ignore';
    }
  }

  async #take(group: GroupId, bytes: Uint8Array, id: EnvelopeId): Promise<Verdict> {
    const verdict = await this.#parts.receive(bytes, id);
    if (verdict === 'stored') await this.#keep(group, bytes, id);
    return verdict;
  }

  /** What the group has not kept itself: it was there before, and had to make room meanwhile. */
  async #keep(group: GroupId, envelope: Uint8Array, id: EnvelopeId): Promise<void> {
    const { store } = this.#context;
    if (store.custody.has(id)) return;
    await store.write(tx => this.mailbox.keep(tx, { group, envelope, by: null }));
  }
}
