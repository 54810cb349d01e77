import assert from 'node:assert/strict';
import { MINUTE_MS } from '../../core/base/clock.ts';
import type { ContactId } from '../../core/base/ids.ts';
import { decodePost, encodePost, type Post } from '../../core/groups/act-codec.ts';
import { stepGroup } from '../../core/groups/group-machine.ts';
import {
  createGroup,
  type GroupInput,
  type GroupOutput,
  type GroupState,
  joinGroup,
} from '../../core/groups/group-state.ts';
import { StandInCrypto, type StandInState } from '../../sim/groups/stand-in.ts';
import { Registry } from '../../sim/groups/stand-in-keys.ts';
import { freshSeed, seededNumbers } from './mutate.ts';

type State = GroupState<StandInState>;
export const seed = freshSeed();
const number = seededNumbers(seed);
export const random = (length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(number() * 256)));

/** One member; what it says lies in `said` until someone hands it on. */
export class Member {
  readonly crypto: StandInCrypto;
  readonly circle: Circle;
  state!: State;
  said: Post[] = [];
  outputs: GroupOutput[] = [];
  wakeMs = Infinity;

  /** @param crypto of a person that stands somewhere else too */
  constructor(circle: Circle, crypto?: StandInCrypto) {
    this.circle = circle;
    this.crypto = crypto ?? new StandInCrypto(circle.registry, random(32));
  }

  get id(): ContactId {
    return this.crypto.self;
  }

  get head() {
    const epoch = this.state.lineage.tree.epochs.get(this.state.head);
    assert.ok(epoch);
    return epoch;
  }

  texts(): string[] {
    return this.outputs.flatMap(output => (output.kind === 'text' ? [Buffer.from(output.text).toString()] : []));
  }

  heads(): GroupOutput[] {
    return this.outputs.filter(({ kind }) => kind === 'head');
  }

  async step(input: GroupInput): Promise<void> {
    const step = await stepGroup(this.crypto, this.state, input, { nowMs: this.circle.nowMs, random });
    this.state = step.state;
    this.outputs.push(...step.outputs);
    for (const output of step.outputs) {
      if (output.kind === 'publish') this.said.push(decodePost(encodePost(output.post)));
      if (output.kind === 'wake') this.wakeMs = output.atMs;
    }
  }

  async hear(posts: readonly Post[]): Promise<void> {
    for (const post of posts) await this.step({ kind: 'post', post });
  }

  async say(text: string): Promise<void> {
    await this.step({ kind: 'text', text: Buffer.from(text) });
  }
}

export class Circle {
  readonly registry = new Registry();
  nowMs = Date.UTC(2026, 10, 22);
  members: Member[] = [];

  /** Members in one epoch; the first two are admins. */
  static async of(size: number): Promise<Circle> {
    const circle = new Circle();
    circle.members = Array.from({ length: size }, () => new Member(circle));
    const [first, second, ...rest] = circle.members as [Member, Member, ...Member[]];
    const context = { nowMs: circle.nowMs, random };
    first.state = await createGroup(first.crypto, Buffer.from('id'), 'Group', context);
    const packages = new Map<ContactId, Uint8Array>();
    for (const member of [second, ...rest]) {
      const { keyPackage, secret } = await member.crypto.keyPackage(context);
      packages.set(member.id, secret);
      await first.step({ kind: 'change', change: { kind: 'add', keyPackage } });
    }
    await first.step({ kind: 'change', change: { kind: 'promote', member: second.id } });
    while (first.wakeMs < circle.nowMs + MINUTE_MS) await circle.pass(first.wakeMs - circle.nowMs, [first]);
    for (const output of first.outputs) {
      if (output.kind !== 'welcome') continue;
      for (const member of circle.members.filter(({ id }) => output.to.includes(id))) {
        member.state = await joinGroup(member.crypto, output.welcome, packages.get(member.id) as Uint8Array, context);
      }
    }
    await circle.gossip();
    for (const member of circle.members) Object.assign(member, { outputs: [], said: [] });
    return circle;
  }

  /** Time passes, and whoever is named wakes when it wanted to. */
  async pass(ms: number, members: readonly Member[] = this.members): Promise<void> {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = members.filter(({ wakeMs }) => wakeMs <= endMs).sort((a, b) => a.wakeMs - b.wakeMs)[0];
      if (!next) break;
      this.nowMs = Math.max(this.nowMs, next.wakeMs);
      next.wakeMs = Infinity;
      await next.step({ kind: 'due' });
    }
    this.nowMs = endMs;
  }

  /** All that was said goes to all of these, until nothing new is said. */
  async gossip(members: readonly Member[] = this.members): Promise<Post[]> {
    const carried: Post[] = [];
    for (let said = take(members); said.length > 0; said = take(members)) {
      for (const { from, post } of said) {
        carried.push(post);
        for (const member of members) if (member !== from) await member.hear([post]);
      }
    }
    return carried;
  }
}

function take(members: readonly Member[]): { from: Member; post: Post }[] {
  return members.flatMap(from => from.said.splice(0).map(post => ({ from, post })));
}

export function oneHead(members: readonly Member[]): boolean {
  return new Set(members.map(({ state }) => state.head)).size === 1;
}
