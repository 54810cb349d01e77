import type { RandomSource } from '../../core/base/clock.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { ContactId } from '../../core/base/ids.ts';
import type { Post } from '../../core/groups/act-codec.ts';
import type { EpochId, GroupCrypto } from '../../core/groups/group-crypto.ts';
import type { GroupState } from '../../core/groups/group-state.ts';
import { type Choose, heaviest } from '../../core/groups/lineage.ts';
import { seededNumbers } from '../../test/support/mutate.ts';
import { GroupChecks } from './checks.ts';
import { Clock } from './clock.ts';
import { Held } from './held.ts';
import { Malicious } from './malicious.ts';
import { operate } from './operations.ts';
import { type Letter, Person } from './person.ts';

export interface GroupOptions {
  /** Whether programs that begin again from what they stored do so before each step, too. */
  readonly restarts?: 'some' | 'each-step';
  readonly seed: number;
  readonly members: number;
  readonly operations: number;
  readonly days: number;
  readonly choose?: Choose;
  /** One of the members breaks the rules, and is removed half way. */
  readonly malicious?: boolean;
}

const START_MS = Date.UTC(2026, 10, 22);
const ADMINS = 4;
const ADDS_AT_ONCE = 8;

/** One run: a group comes together, a time of trouble, a time of healing, and what is so in the end. */
export class GroupRun<State = unknown> {
  readonly options: GroupOptions;
  readonly clock = new Clock(START_MS);
  readonly checks = new GroupChecks();
  readonly number: () => number;
  readonly posts: Post[] = [];
  readonly people: Person<State>[];
  readonly #byId = new Map<ContactId, Person<State>>();
  #malicious: Malicious<State> | null = null;
  #trouble = false;
  #healedMs: number | null = null;

  /** @param makeCrypto of one person: real MLS, or the stand-in */
  constructor(options: GroupOptions, makeCrypto: (random: RandomSource) => GroupCrypto<State>) {
    this.options = options;
    this.number = seededNumbers(options.seed);
    const outsiders = Math.ceil(options.members / 5);
    this.people = Array.from(
      { length: options.members + outsiders },
      (_, index) => new Person(this, index, options.choose ?? heaviest, makeCrypto(this.random)),
    );
    for (const person of this.people) this.#byId.set(person.id, person);
  }

  readonly random = (length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1) bytes[at] = Math.floor(this.number() * 256);
    return bytes;
  };

  pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.number() * items.length)];
  }

  shuffled<T>(items: readonly T[]): T[] {
    const order = items.map(item => ({ item, at: this.number() }));
    return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }

  connected(a: Person<State>, b: Person<State>): boolean {
    return a !== b && a.online && b.online && a.side === b.side;
  }

  publish(from: Person<State>, post: Post): void {
    if (this.#malicious?.keeps(from, post)) return;
    const index = this.posts.push(post) - 1;
    from.held.add(index);
    for (const other of this.people) {
      if (!this.connected(from, other)) continue;
      this.clock.after(50 + this.number() * 2 * SECOND_MS, async () => {
        if (this.connected(from, other)) await other.take(index);
      });
    }
  }

  /** @param from whoever sees it first has made it */
  newEpoch(from: Person<State>, id: EpochId): void {
    const { epochs } = (from.state as GroupState<State>).lineage.tree;
    const epoch = epochs.get(id);
    const parent = epoch?.parent ? epochs.get(epoch.parent) : undefined;
    if (epoch && parent && this.checks.epoch(id, parent.id)) this.checks.happenings.epoch(epoch, parent, from.side);
  }

  /** By mailbox: it is there when its recipient next comes. */
  sendWelcome(to: ContactId, welcome: Letter): void {
    const person = this.#byId.get(to) as Person<State>;
    this.clock.after(SECOND_MS, async () => {
      if (person.online) await this.#deliver(person, welcome);
      else person.mailbox.push(welcome);
    });
  }

  async #deliver(person: Person<State>, welcome: Letter): Promise<void> {
    await person.welcomed(welcome);
    this.sync(person.side);
  }

  /** A new machine asks whoever it meets for the way in. */
  findWayIn(person: Person<State>): void {
    const helper = this.pick(this.people.filter(other => this.connected(person, other) && other.active));
    this.clock.after(10 * SECOND_MS, async () => {
      if (person.state) return;
      if (helper && this.connected(person, helper)) await person.rejoinBy(helper);
      if (person.state) this.sync(person.side);
      else this.clock.after(MINUTE_MS, () => this.findWayIn(person));
    });
  }

  /** All who are connected bring each other what they hold. */
  sync(side: number): void {
    const there = this.people.filter(person => person.online && person.side === side);
    const known = new Held();
    for (const { held } of there) known.addAll(held);
    for (const person of there) {
      if (person.held.size === known.size || !person.state) continue;
      const missing = known.without(person.held);
      this.clock.after(SECOND_MS + this.number() * 3 * SECOND_MS, async () => {
        if (person.online && person.side === side) await person.catchUp(missing);
      });
    }
  }

  /** Watches how long it takes from a healing until all members who are there have one head. */
  headMoved(): void {
    if (this.#healedMs === null) return;
    const online = this.people.filter(person => person.online);
    const common = this.#common(online);
    const members = common?.headEpoch().members ?? [];
    const apart = online.some(({ id, state }) => members.includes(id) && state?.head !== common?.state?.head);
    if (apart) return;
    this.checks.agreeMs.push(this.clock.nowMs - this.#healedMs);
    this.#healedMs = null;
  }

  async execute(): Promise<void> {
    await this.gather();
    const { clock, options } = this;
    const endMs = clock.nowMs + options.days * DAY_MS;
    this.#trouble = true;
    for (const person of this.people) this.#comeAndGo(person);
    this.#partAndHeal();
    if (options.malicious) this.#malicious = new Malicious(this, this.people[options.members - 1] as Person<State>);
    await this.#malicious?.start();
    const gapMs = (options.days * DAY_MS) / options.operations;
    for (let count = 0; count < options.operations; count += 1) {
      clock.at(clock.nowMs + (count + this.number()) * gapMs, () => operate(this, count));
    }
    await clock.runUntil(endMs);
    this.#trouble = false;
    this.#malicious?.release();
    await this.heal();
    this.#judge();
  }

  get villain(): Person<State> | null {
    return this.#malicious?.person ?? null;
  }

  /** How often the malicious member did each of its deeds. */
  get misdeeds(): ReadonlyMap<string, number> {
    return this.#malicious?.done ?? new Map();
  }

  /** How many are members where most are. */
  get memberCount(): number {
    return this.#common()?.headEpoch().members.length ?? 0;
  }

  #common(people: readonly Person<State>[] = this.people): Person<State> | undefined {
    const active = people.filter(person => person.active);
    const groups = Map.groupBy(active, person => person.state?.head);
    return [...groups.values()].sort((a, b) => b.length - a.length)[0]?.[0];
  }

  /** One head among all its members, every text with everyone it was for, and whoever broke the rules is gone. */
  #judge(): void {
    const common = this.#common();
    const members = common?.headEpoch().members ?? [];
    for (const person of this.people) {
      if (!members.includes(person.id) || person === this.villain) continue;
      if (person.state?.head !== common?.state?.head) this.checks.find(`${person.id} has another head`);
    }
    if (this.villain && members.includes(this.villain.id)) this.checks.find('the malicious member is still there');
    const forked = this.misdeeds.has('says two things');
    if (this.villain && forked && !this.checks.named.has(this.villain.id))
      this.checks.find('two things were said and nobody is named');
    this.checks.allRead(new Set(this.villain ? [this.villain.id] : []));
  }

  /** All come back, all partitions end; then what was asked is done, and every act is everywhere. */
  async heal(): Promise<void> {
    for (const person of this.people) Object.assign(person, { online: true, side: 0 });
    this.#healedMs = this.clock.nowMs;
    for (const person of this.people) {
      for (const welcome of person.mailbox.splice(0)) await person.welcomed(welcome);
    }
    this.sync(0);
    for (let round = 0; round < 12; round += 1) {
      await this.clock.runUntil(this.clock.nowMs + 10 * MINUTE_MS);
      this.sync(0);
    }
  }

  async gather(): Promise<void> {
    const [creator] = this.people as [Person<State>];
    await creator.create();
    const others = this.people.slice(1, this.options.members);
    for (let at = 0; at < others.length; at += ADDS_AT_ONCE) {
      for (const other of others.slice(at, at + ADDS_AT_ONCE)) {
        await creator.step({ kind: 'change', change: { kind: 'add', keyPackage: await other.keyPackage() } });
      }
      await this.clock.runUntil(this.clock.nowMs + 10 * MINUTE_MS);
      this.sync(0);
    }
    for (const { id } of others.slice(0, ADMINS)) {
      await creator.step({ kind: 'change', change: { kind: 'promote', member: id } });
    }
    await this.clock.runUntil(this.clock.nowMs + 10 * MINUTE_MS);
  }

  /** 30 % are away at any time. */
  #comeAndGo(person: Person<State>): void {
    const stretchMs = (person.online ? 14 : 6) * HOUR_MS * this.number();
    this.clock.after(stretchMs, async () => {
      if (!this.#trouble) return;
      person.online = !person.online;
      if (person.online) {
        for (const welcome of person.mailbox.splice(0)) await person.welcomed(welcome);
        this.sync(person.side);
      }
      this.#comeAndGo(person);
    });
  }

  #partAndHeal(): void {
    this.clock.after((1 + 3 * this.number()) * HOUR_MS, () => {
      if (!this.#trouble) return;
      const sides = 2 + Math.floor(this.number() * 2);
      for (const person of this.people) person.side = Math.floor(this.number() * sides);
      this.checks.happenings.parted(sides);
      this.clock.after((1 + 7 * this.number()) * HOUR_MS, () => {
        if (!this.#trouble) return;
        this.checks.happenings.healed();
        for (const person of this.people) person.side = 0;
        this.#healedMs = this.clock.nowMs;
        this.sync(0);
        this.#partAndHeal();
      });
    });
  }
}
