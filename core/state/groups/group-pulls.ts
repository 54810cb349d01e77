import { hex } from '../../base/bytes.ts';
import type { Cancel } from '../../base/clock.ts';
import type { ContactId, EnvelopeId, GroupId, TransportKey } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Swarm } from '../../network/swarm.ts';
import { decodeEnvelope } from '../../wire/envelope.ts';
import { GROUP_SYNC_PROTOCOL } from '../../wire/sync.ts';
import type { Context } from '../context.ts';
import type { Verdict } from '../intake.ts';
import { PullChannel, type PullWork } from '../pull-channel.ts';
import { Backlogs, type CatchesUp } from './catch-up.ts';
import type { GroupPlaces } from './places.ts';

export interface GroupPullParts {
  readonly groups: CatchesUp;
  readonly places: GroupPlaces;
  /** Takes a group's envelope; once the verdict is there, its outcome is durable. */
  readonly take: (group: GroupId, bytes: Uint8Array, id: EnvelopeId) => Promise<Verdict>;
  /** A run brought something that was new here: others may lack it too. */
  readonly brought: (group: GroupId, from: TransportKey) => void;
}

/** All who are no members, as far as is known here, hold up a group's judgement together as long as one member may. */
const OTHERS = 'others';

/** Asks every connected member, contact or not, for what it keeps of the groups it shares with this profile. */
export class GroupPulls {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #parts: GroupPullParts;
  readonly #backlogs: Backlogs;
  readonly #pulls = new Map<string, GroupPull>();
  /** What a group did not take, by the hexadecimal id; kept by others, it would come with every pull. */
  readonly #refused = new Set<string>();
  /** Tags by which peers have shown that they may be members who came while this one was away. */
  readonly #named = new Map<string, Map<string, NamedTag>>();
  #stopped = false;

  constructor(context: Context, swarm: Swarm, parts: GroupPullParts) {
    this.#context = context;
    this.#swarm = swarm;
    this.#parts = parts;
    this.#backlogs = new Backlogs(parts.groups, context);
  }

  stop(): void {
    this.#stopped = true;
    for (const pull of this.#pulls.values()) pull.close();
    this.#backlogs.stop();
  }

  /** Pulls from a connected peer, if it is a member; of one that is being pulled from, what has not been asked for. */
  begin(peer: TransportKey): void {
    const name = hex(peer);
    const known = this.#pulls.get(name);
    known?.askRest();
    const member = this.#parts.places.memberOf(peer);
    if (known || this.#stopped || !(member || this.#named.has(name))) return;
    const named = () => asksOf([...(this.#named.get(name)?.values() ?? [])]);
    const from = { peer, member, named, backlogs: this.#backlogs, refused: this.#refused };
    const pull = new GroupPull(this.#context, this.#parts, from);
    this.#pulls.set(name, pull);
    pull.run(this.#swarm).finally(() => this.#pulls.delete(name));
  }

  /**
   * A peer that is no member here has asked for a tag of a group: it came while this one was away, or got it from somebody.
   * It is asked for the same, and so learns nothing.
   */
  named(peer: TransportKey, group: GroupId, tag: Uint8Array): void {
    if (!this.#swarm.isConnected(peer)) return;
    const name = hex(peer);
    const named = this.#named.get(name) ?? new Map<string, NamedTag>();
    this.#named.set(name, named.set(hex(tag), { group, tag: Uint8Array.from(tag) }));
    this.begin(peer);
  }

  ended(peer: TransportKey): void {
    this.#named.delete(hex(peer));
  }

  /** Groups, members or secrets have changed: there are other tags to ask for, and what was refused may be taken now. */
  changed(): void {
    this.#refused.clear();
    for (const peer of this.#swarm.connectedPeers()) this.begin(peer);
  }

  /** Once a minute: a pull that failed is begun again, and one that has been quiet for long asks again. */
  sweep(): void {
    for (const peer of this.#swarm.connectedPeers()) {
      const pull = this.#pulls.get(hex(peer));
      if (pull?.isDue()) pull.askAgain();
      else this.begin(peer);
    }
  }
}

interface PullFrom {
  readonly peer: TransportKey;
  /** Its transport key may change; what it holds up counts for the member. */
  readonly member: ContactId | undefined;
  /** What it has asked for itself. */
  readonly named: () => readonly Ask[];
  readonly backlogs: Backlogs;
  readonly refused: Set<string>;
}

interface NamedTag {
  readonly group: GroupId;
  readonly tag: Uint8Array;
}

interface Ask {
  readonly group: GroupId;
  readonly tags: readonly Uint8Array[];
}

/** The asking side towards one member: all groups shared with it, one secret's tags after another, the oldest first. */
class GroupPull implements PullWork {
  readonly #context: Context;
  readonly #parts: GroupPullParts;
  readonly #from: PullFrom;
  readonly #name: string;
  readonly #channel: PullChannel;
  #asks: Ask[] = [];
  #asking: Ask | undefined;
  /** Hexadecimal tags asked for in this round: a secret that comes to light in it is asked for in it. */
  #asked = new Set<string>();
  #roundOpen = true;
  #roundAtMs: number;
  #soon: Cancel | undefined;

  constructor(context: Context, parts: GroupPullParts, from: PullFrom) {
    this.#context = context;
    this.#parts = parts;
    this.#from = from;
    this.#name = from.member ?? OTHERS;
    this.#roundAtMs = context.clock();
    this.#channel = new PullChannel(context, this);
  }

  /** Ends with the channel; never rejects. */
  async run(swarm: Swarm): Promise<void> {
    await this.#channel.run(swarm, this.#from.peer, GROUP_SYNC_PROTOCOL);
    this.#soon?.();
    this.#turnTo(undefined);
  }

  close(): void {
    this.#channel.close();
  }

  isDue(): boolean {
    return Math.abs(this.#context.clock() - this.#roundAtMs) >= LIMITS.groupPullEveryMs;
  }

  /** Goes on with tags that have come to light since. */
  askRest(): void {
    this.#roundOpen = true;
    this.#channel.next();
  }

  /** Begins another round. */
  askAgain(): void {
    this.#asked.clear();
    this.#roundAtMs = this.#context.clock();
    this.askRest();
  }

  news(): void {
    this.#soon ??= this.#context.scheduler(LIMITS.groupPullPauseMs, () => {
      this.#soon = undefined;
      this.askAgain();
    });
  }

  next(): readonly Uint8Array[] | undefined {
    if (this.#asks.length === 0 && this.#roundOpen) this.#asks = this.#notAsked();
    const ask = this.#asks.shift();
    this.#turnTo(ask);
    if (!ask) {
      this.#roundOpen = false;
      return undefined;
    }
    for (const tag of ask.tags) this.#asked.add(hex(tag));
    return ask.tags;
  }

  missing(ids: readonly EnvelopeId[]): readonly boolean[] {
    const { store } = this.#context;
    return store.reading(() =>
      ids.map(id => !store.seen.has(id) && !store.custody.has(id) && !this.#from.refused.has(hex(id))),
    );
  }

  started(): void {
    if (this.#asking) this.#from.backlogs.begin(this.#asking.group, this.#name);
  }

  async take(envelope: Uint8Array, id: EnvelopeId): Promise<Verdict> {
    // What bears another tag, the own mailbox's say, is no member's to bring on this channel.
    const place = this.#parts.places.find(decodeEnvelope(envelope).tag);
    const verdict = place ? await this.#parts.take(place.group, envelope, id) : 'refused';
    if (verdict === 'refused') this.#refuse(id);
    return verdict;
  }

  finished(stored: number): void {
    if (stored > 0 && this.#asking) this.#parts.brought(this.#asking.group, this.#from.peer);
  }

  #turnTo(ask: Ask | undefined): void {
    const before = this.#asking?.group;
    this.#asking = ask;
    if (before && before !== ask?.group) this.#from.backlogs.end(before, this.#name);
  }

  #notAsked(): Ask[] {
    const { places } = this.#parts;
    const shared = places
      .groupsOf(this.#from.peer)
      .flatMap(group => places.tagsOf(group).map(tags => ({ group, tags })));
    const asks = [...shared, ...this.#from.named()];
    return asks.filter(({ tags }) => tags.some(tag => !this.#asked.has(hex(tag))));
  }

  #refuse(id: EnvelopeId): void {
    const { refused } = this.#from;
    if (refused.size >= LIMITS.groupRefused) refused.clear();
    refused.add(hex(id));
  }
}

/** In the order in which they were named, as many at once as may be asked for. */
function asksOf(named: readonly NamedTag[]): Ask[] {
  return [...Map.groupBy(named, ({ group }) => group)].flatMap(([group, of]) => {
    const tags = of.map(({ tag }) => tag);
    const starts = Array.from({ length: Math.ceil(tags.length / LIMITS.syncTags) }, (_, i) => i * LIMITS.syncTags);
    return starts.map(start => ({ group, tags: tags.slice(start, start + LIMITS.syncTags) }));
  });
}
