import { equalBytes } from '../../base/bytes.ts';
import type { EnvelopeId, GroupId, TransportKey } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { FrameChannel, Swarm } from '../../network/swarm.ts';
import { GROUP_SYNC_PROTOCOL } from '../../wire/sync.ts';
import { Allowance } from '../allowance.ts';
import type { Context } from '../context.ts';
import { GiveChannel, type GiveWork } from '../give-channel.ts';
import type { GroupPlaces } from './places.ts';

/** Told of a tag of a group that somebody asked for who is no member, as far as is known here. */
export type TagNamed = (peer: TransportKey, group: GroupId, tag: Uint8Array) => void;

/**
 * Gives whoever knows a group's tags what is kept under them, to read and not to remove (docs/protocol/sync.md §6).
 * Served by every profile, so that nobody can tell which ones have groups.
 */
export class GroupGiving {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #places: GroupPlaces;
  readonly #named: TagNamed;
  readonly #givings = new Set<Giving>();
  /** For all who know a tag and are no members, as far as is known here. */
  readonly #envelopes = new Allowance(LIMITS.strangerEnvelopesAtOnce, LIMITS.strangerEnvelopePauseMs);

  constructor(context: Context, swarm: Swarm, places: GroupPlaces, named: TagNamed) {
    this.#context = context;
    this.#swarm = swarm;
    this.#places = places;
    this.#named = named;
  }

  async serve(): Promise<void> {
    await this.#swarm.serve(GROUP_SYNC_PROTOCOL, channel => void this.#serve(channel), { maxInbound: 2 });
  }

  stop(): void {
    for (const giving of this.#givings) giving.close();
  }

  /** There is something new of the group for everybody who asked for it, but the one who brought it. */
  news(group: GroupId, from?: TransportKey): void {
    for (const giving of this.#givings) if (!from || !equalBytes(giving.peer, from)) giving.news(group);
  }

  async #serve(channel: FrameChannel): Promise<void> {
    const unknown = [...this.#givings].filter(giving => !giving.isKnown).length;
    const giving = new Giving(this.#context, this.#places, channel, { forOthers: this.#envelopes, named: this.#named });
    if (!giving.isKnown && unknown >= LIMITS.strangerPulls) return channel.close();
    this.#givings.add(giving);
    // Whoever has named no tag by then has none to name.
    const cancel = this.#context.scheduler(LIMITS.strangerPullMs, () => {
      if (!giving.isKnown) giving.close();
    });
    await giving.run();
    cancel();
    this.#givings.delete(giving);
  }
}

class Giving implements GiveWork {
  readonly peer: TransportKey;
  readonly #context: Context;
  readonly #places: GroupPlaces;
  readonly #channel: GiveChannel;
  readonly #forOthers: Allowance;
  readonly #named: TagNamed;
  /** Groups of which a tag was named on this channel. */
  readonly #groups = new Set<GroupId>();
  #vain = 0;

  constructor(
    context: Context,
    places: GroupPlaces,
    channel: FrameChannel,
    { forOthers, named }: { readonly forOthers: Allowance; readonly named: TagNamed },
  ) {
    this.peer = channel.peer;
    this.#context = context;
    this.#places = places;
    this.#channel = new GiveChannel(channel, this);
    this.#forOthers = forOthers;
    this.#named = named;
  }

  /** Whether this is a member, or has shown that it knows what members know. */
  get isKnown(): boolean {
    return this.#groups.size > 0 || this.#isMember();
  }

  run(): Promise<void> {
    return this.#channel.run();
  }

  close(): void {
    this.#channel.close();
  }

  news(group: GroupId): void {
    if (this.#groups.has(group)) this.#channel.news();
  }

  read({ tags, after, limit }: Parameters<GiveWork['read']>[0]): ReturnType<GiveWork['read']> {
    const served = tags.filter(tag => this.#isGroups(tag));
    this.#vain = served.length > 0 ? 0 : this.#vain + 1;
    if (this.#vain > LIMITS.groupVainAsks) this.close();
    const found = served.length > 0 ? this.#context.store.custody.byTags(served, limit, after) : [];
    const entries = found.map(({ envelopeId }) => ({ envelopeId, ofPuller: false }));
    return { entries, next: found.length === limit ? (found.at(-1)?.seq ?? null) : null };
  }

  load(id: EnvelopeId): Uint8Array | null {
    const { store, clock } = this.#context;
    if (!this.#isMember() && !this.#forOthers.take(clock())) return null;
    return store.custody.envelope(id) ?? null;
  }

  /** Nothing is anybody's own here. */
  remove(): void {}

  #isGroups(tag: Uint8Array): boolean {
    const group = this.#places.find(tag)?.group;
    if (!group) return false;
    this.#groups.add(group);
    if (!this.#isMember()) this.#named(this.peer, group, tag);
    return true;
  }

  #isMember(): boolean {
    return this.#places.groupsOf(this.peer).length > 0;
  }
}
