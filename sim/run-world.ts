import { hex } from '../core/base/bytes.ts';
import { HOUR_MS, MINUTE_MS } from '../core/base/clock.ts';
import { blake2b } from '../core/base/hash.ts';
import type { ContactId } from '../core/base/ids.ts';
import { seededNumbers } from '../test/support/mutate.ts';
import { Checks } from './checks.ts';
import { Link } from './link.ts';
import { Program } from './program.ts';
import { Timeline } from './timeline.ts';
import { Weather } from './weather.ts';
import { pairOf, type World } from './world.ts';

/** What the simulation knows of an envelope; no program looks inside one that is not its own. */
export interface Registered {
  readonly envelope: Uint8Array;
  readonly from: number;
  readonly to: number;
  readonly message: number | null;
  readonly confirms: readonly number[];
}

/** One run of one world: programs come and go, connections are made and break, until the last message's week is over. */
export class Run {
  readonly world: World;
  readonly timeline: Timeline;
  readonly checks: Checks;
  readonly weather: Weather;
  readonly #programs: readonly Program[];
  readonly #people = new Map<ContactId, number>();
  readonly #online = new Set<number>();
  readonly #links = new Map<string, Link>();
  readonly #envelopes = new Map<string, Registered>();
  readonly #owners = new Map<string, number>();
  readonly #tags = new Map<string, Buffer>();

  constructor(world: World) {
    this.world = world;
    this.timeline = new Timeline(world.startMs);
    this.weather = new Weather(seededNumbers(world.options.seed ^ 0x5eed));
    this.checks = new Checks(this);
    this.#programs = world.contacts.map((_, person) => new Program(this, person));
    for (const program of this.#programs) this.#people.set(program.contact, program.person);
  }

  get nowMs(): number {
    return this.timeline.nowMs;
  }

  program(person: number): Program {
    return this.#programs[person] as Program;
  }

  personOf(contact: ContactId): number {
    return this.#people.get(contact) as number;
  }

  isOnline(person: number): boolean {
    return this.#online.has(person);
  }

  tagOf(person: number, day: number): Buffer {
    const name = `${person} ${day}`;
    const known = this.#tags.get(name);
    if (known) return known;
    const tag = blake2b(16, Buffer.from(`tag ${name}`));
    this.#tags.set(name, tag);
    this.#owners.set(hex(tag), person);
    return tag;
  }

  ownerOf(tag: string): number | undefined {
    return this.#owners.get(tag);
  }

  register(name: string, envelope: Registered): void {
    this.#envelopes.set(name, envelope);
    // Someone carries a copy about, and hands it over once more, long after it has arrived.
    const againMs = this.weather.carriedAgainMs();
    if (againMs === undefined) return;
    this.timeline.after(againMs, () => {
      const { seen } = this.program(envelope.to);
      if (!this.isOnline(envelope.to) || !seen.has(name)) return;
      this.weather.counts.carriedDaysLater += 1;
      this.program(envelope.to).take(name);
    });
  }

  registered(name: string): Registered {
    return this.#envelopes.get(name) as Registered;
  }

  execute(): void {
    const { world, timeline } = this;
    for (const [person, stretches] of world.online.entries()) {
      for (const [fromMs, toMs] of stretches) {
        timeline.at(fromMs, () => this.#comes(person));
        timeline.at(toMs, () => this.#goes(person));
      }
    }
    for (const { interval } of world.partitions) {
      timeline.at(interval[0], () => this.#part());
      timeline.at(interval[1], () => this.#heal());
    }
    for (const [index, message] of world.messages.entries()) {
      timeline.at(message.atMs, () => this.program(message.from).post(message.to, index, []));
    }
    for (let atMs = world.startMs; atMs < world.endMs; atMs += 20 * MINUTE_MS) {
      timeline.at(atMs, () => this.checks.everything());
    }
    timeline.runUntil(world.endMs);
  }

  cut(link: Link, again: boolean): void {
    if (!link.alive) return;
    link.alive = false;
    this.#links.delete(pairOf(link.low, link.high));
    this.program(link.low).lost(link);
    this.program(link.high).lost(link);
    if (again) this.#connectSoon(link.low, link.high, true);
  }

  #comes(person: number): void {
    this.#online.add(person);
    this.program(person).custody.start();
    for (const other of this.world.contacts[person] ?? []) this.#connectSoon(person, other, false);
    this.#sweepHourly(person);
  }

  #goes(person: number): void {
    this.#online.delete(person);
    for (const link of [...this.#links.values()]) {
      if (link.low === person || link.high === person) this.cut(link, false);
    }
  }

  #sweepHourly(person: number): void {
    this.timeline.after(HOUR_MS, () => {
      if (!this.isOnline(person)) return;
      this.program(person).custody.sweep();
      this.#sweepHourly(person);
    });
  }

  #connectSoon(a: number, b: number, again: boolean): void {
    if (!this.#mayMeet(a, b)) return;
    this.timeline.after(this.weather.connectMs(again), () => {
      if (!this.#mayMeet(a, b) || this.#links.has(pairOf(a, b))) return;
      this.weather.counts.connections += 1;
      const link = new Link(this, a, b);
      this.#links.set(pairOf(a, b), link);
      this.program(a).connected(link);
      this.program(b).connected(link);
    });
  }

  #mayMeet(a: number, b: number): boolean {
    if (!this.isOnline(a) || !this.isOnline(b) || this.world.apart.has(pairOf(a, b))) return false;
    const parted = this.#parted(a, b);
    if (parted) this.weather.counts.connectionsPrevented += 1;
    return !parted;
  }

  #parted(a: number, b: number): boolean {
    return this.world.partitions.some(
      ({ interval, side }) => interval[0] <= this.nowMs && this.nowMs < interval[1] && side.has(a) !== side.has(b),
    );
  }

  #part(): void {
    for (const link of [...this.#links.values()]) {
      if (!this.#parted(link.low, link.high)) continue;
      this.weather.counts.connectionsParted += 1;
      this.cut(link, false);
    }
  }

  #heal(): void {
    for (const person of [...this.#online].sort((a, b) => a - b)) {
      for (const other of this.world.contacts[person] ?? []) {
        if (person < other) this.#connectSoon(person, other, false);
      }
    }
  }
}
