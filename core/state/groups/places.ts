import { base32nopad } from '@scure/base';
import { hex, wipe } from '../../base/bytes.ts';
import { type Clock, DAY_MS } from '../../base/clock.ts';
import { deriveKey } from '../../base/hash.ts';
import type { ContactId, GroupId, TransportKey } from '../../base/ids.ts';
import { LABEL } from '../../base/labels.ts';
import { LIMITS } from '../../base/limits.ts';
import {
  currentTags,
  dayOf,
  deriveMailboxKeys,
  mailboxTag,
  openEnvelope,
  wipeMailboxKeys,
} from '../../crypto/mailbox-seal.ts';
import { parseTopic, type Topic } from '../../network/pubsub.ts';
import type { Envelope } from '../../wire/envelope.ts';

/** What spreading needs to know of the groups one is in. */
export interface KnownGroups {
  /** Those that this profile is a member of. */
  ids(): readonly GroupId[];
  /** Oneself included. */
  membersOf(group: GroupId): readonly KnownMember[];
  /** The secrets of the outer layer (32 bytes each), the newest first; the same list until they change. */
  secretsOf(group: GroupId): Secrets;
}

export type Secrets = readonly { readonly secret: Uint8Array }[];

/** A member whose card is known. */
export interface KnownMember {
  readonly id: ContactId;
  readonly transportKey: TransportKey;
  readonly addresses: readonly string[];
}

/** Where a group's envelopes of one day and one secret are found. */
export interface Place {
  readonly group: GroupId;
  readonly topic: Topic;
  /** Counted from the newest. */
  readonly secret: number;
  /** 16: names the secret and tells nothing of it. */
  readonly secretName: Uint8Array;
}

/** A day that was over before there were mailboxes: a tag of it is never sent. */
const NO_DAY = 0;

/** The name of a group's topic: only who has the secret can tell whose it is, or that two of two days are one group's. */
export function groupTopic(secret: Uint8Array, day: number): Topic {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(day);
  const name = deriveKey(secret, LABEL.groupTopic, 20, bytes);
  return parseTopic(base32nopad.encode(name).toLowerCase());
}

/** The tags and topics that the own groups use on these days, and who is to be met for them. */
export class GroupPlaces {
  readonly #groups: KnownGroups;
  readonly #clock: Clock;
  #day = -1;
  /** The secrets it was all made from. */
  #secrets = new Map<GroupId, Secrets>();
  #places = new Map<string, Place>();
  /** By group: nine tags a secret, the oldest secret and the oldest day first. */
  #boxes = new Map<GroupId, readonly (readonly Uint8Array[])[]>();
  #groupsOf = new Map<string, GroupId[]>();
  #memberOf = new Map<string, ContactId>();
  #members = new Map<ContactId, KnownMember>();

  constructor(groups: KnownGroups, clock: Clock) {
    this.#groups = groups;
    this.#clock = clock;
  }

  /** Undefined for a tag of no group here. */
  find(tag: Uint8Array): Place | undefined {
    this.#fresh();
    return this.#places.get(hex(tag));
  }

  /** The tags of each secret, in the order in which they came into use. */
  tagsOf(group: GroupId): readonly (readonly Uint8Array[])[] {
    this.#fresh();
    return this.#boxes.get(group) ?? [];
  }

  /** The same of all groups. */
  boxes(): readonly (readonly Uint8Array[])[] {
    this.#fresh();
    return [...this.#boxes.values()].flat();
  }

  /** Groups that have a member with this transport key. */
  groupsOf(peer: TransportKey): readonly GroupId[] {
    this.#fresh();
    return this.#groupsOf.get(hex(peer)) ?? [];
  }

  memberOf(peer: TransportKey): ContactId | undefined {
    this.#fresh();
    return this.#memberOf.get(hex(peer));
  }

  /** All members of all groups whose cards are known. */
  members(): Iterable<KnownMember> {
    this.#fresh();
    return this.#members.values();
  }

  /** Topics to take part in now: of every group's newest secret first, so that a bound cuts off no whole group. */
  topics(): Topic[] {
    const nowMs = this.#clock();
    const days = new Set([-1, 0, 1].map(side => dayOf(nowMs + side * LIMITS.groupTopicOverlapMs)));
    const byRank = Array.from({ length: LIMITS.groupTopicSecrets }, (_, rank) =>
      this.#groups.ids().flatMap(group => {
        const secret = this.#groups.secretsOf(group)[rank]?.secret;
        return secret ? [...days].map(day => groupTopic(secret, day)) : [];
      }),
    );
    return [...new Set(byRank.flat())].slice(0, LIMITS.gossipTopics);
  }

  /** Whether the outer layer was sealed by somebody who knew the group's secret, and nobody on the way. */
  isGenuine(place: Place, envelope: Envelope): boolean {
    const secret = this.#groups.secretsOf(place.group)[place.secret]?.secret;
    if (!secret) return false;
    const keys = deriveMailboxKeys(secret);
    try {
      wipe(openEnvelope(keys, envelope).body);
      return true;
    } catch {
      return false;
    } finally {
      wipeMailboxKeys(keys);
    }
  }

  /** Groups or members have changed; that secrets have, is seen. */
  forget(): void {
    this.#day = -1;
  }

  #fresh(): void {
    const day = dayOf(this.#clock());
    if (day === this.#day && this.#isCurrent()) return;
    this.#secrets = new Map();
    this.#places = new Map();
    this.#boxes = new Map();
    this.#groupsOf = new Map();
    this.#memberOf = new Map();
    this.#members = new Map();
    for (const group of this.#groups.ids()) this.#add(group, day);
    this.#day = day;
  }

  /** Branches that are not the head's bring secrets of which nothing is told. */
  #isCurrent(): boolean {
    return this.#groups.ids().every(group => this.#groups.secretsOf(group) === this.#secrets.get(group));
  }

  #add(group: GroupId, day: number): void {
    const box: Uint8Array[][] = [];
    const secrets = this.#groups.secretsOf(group);
    this.#secrets.set(group, secrets);
    for (const [rank, { secret }] of secrets.entries()) {
      const keys = deriveMailboxKeys(secret);
      const tags = currentTags(keys, day * DAY_MS);
      const secretName = mailboxTag(keys, NO_DAY);
      wipeMailboxKeys(keys);
      for (const [back, tag] of tags.entries()) {
        this.#places.set(hex(tag), { group, topic: groupTopic(secret, day + 1 - back), secret: rank, secretName });
      }
      box.unshift(tags.reverse());
    }
    this.#boxes.set(group, box);
    for (const member of this.#groups.membersOf(group)) {
      const name = hex(member.transportKey);
      this.#groupsOf.set(name, [...(this.#groupsOf.get(name) ?? []), group]);
      this.#memberOf.set(name, member.id);
      this.#members.set(member.id, member);
    }
  }
}
