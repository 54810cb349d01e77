import { TransientError } from '../../core/base/errors.ts';
import type { ContactId } from '../../core/base/ids.ts';
import type { Post } from '../../core/groups/act-codec.ts';
import type { CryptoContext, EpochId, GroupCrypto } from '../../core/groups/group-crypto.ts';
import { stepGroup } from '../../core/groups/group-machine.ts';
import {
  createGroup,
  type GroupInput,
  type GroupOutput,
  type GroupState,
  type GroupStep,
  joinGroup,
} from '../../core/groups/group-state.ts';
import { rejoinGroup } from '../../core/groups/joining.ts';
import type { Choose } from '../../core/groups/lineage.ts';
import { decodeGroup, encodeGroup } from '../../core/groups/state-codec.ts';
import { Waiting } from '../../core/groups/waiting.ts';
import { decodeWaiting, encodeWaiting } from '../../core/groups/waiting-codec.ts';
import { Held } from './held.ts';
import type { GroupRun } from './run-world.ts';
import { findWayBack } from './way-back.ts';

/** A welcome as it is sent. */
export type Letter = Pick<GroupOutput & { kind: 'welcome' }, 'welcome' | 'asks'>;

/** One member's program: its machine, and what it holds of all posts. */
export class Person<State = unknown> {
  readonly index: number;
  readonly crypto: GroupCrypto<State>;
  readonly #run: GroupRun<State>;
  readonly #choose: Choose;
  state: GroupState<State> | null = null;
  online = true;
  side = 0;
  readonly held = new Held();
  /** Welcomes that wait until this one is there. */
  readonly mailbox: Letter[] = [];
  readonly #keyPackages: Uint8Array[] = [];
  /** Welcomes that came before what shows who may add. */
  readonly #early: Letter[] = [];
  #wakeMs = Infinity;

  constructor(run: GroupRun<State>, index: number, choose: Choose, crypto: GroupCrypto<State>) {
    this.#run = run;
    this.index = index;
    this.#choose = choose;
    this.crypto = crypto;
  }

  get id(): ContactId {
    return this.crypto.self;
  }

  get context(): CryptoContext {
    return { nowMs: this.#run.clock.nowMs, random: this.#run.random };
  }

  /** Member where it stands, and able to speak. */
  get active(): boolean {
    return this.state?.states.has(this.state.head) === true;
  }

  get isAdmin(): boolean {
    return this.active && this.headEpoch().data.admins.includes(this.id);
  }

  headEpoch() {
    const { lineage, head } = this.state as GroupState<State>;
    const epoch = lineage.tree.epochs.get(head);
    if (!epoch) throw new Error('a head that is not in the tree');
    return epoch;
  }

  async create(): Promise<void> {
    this.state = await createGroup(this.crypto, this.#run.random(16), 'Group', this.context);
    this.#run.checks.epoch(this.state.head, null);
    this.#run.checks.enters(this.id, this.state.head);
    await this.step({ kind: 'due' });
  }

  async keyPackage(): Promise<Uint8Array> {
    const { keyPackage, secret } = await this.crypto.keyPackage(this.context);
    this.#keyPackages.push(secret);
    return keyPackage;
  }

  async step(input: GroupInput): Promise<void> {
    if (!this.state) return;
    if (this.#run.options.restarts === 'each-step') this.restart();
    await this.adopt(await stepGroup(this.crypto, this.state, input, this.context, this.#choose));
  }

  async adopt({ state, outputs, changed }: GroupStep<State>): Promise<void> {
    this.state = state;
    for (const [id, before] of changed) {
      if (before !== null) this.crypto.retire(before);
      if (before === null) this.#run.newEpoch(this, id);
    }
    for (const output of outputs) await this.#perform(output);
  }

  /** A backlog: nothing in it is judged before all of it is there, and it comes in any order. */
  async catchUp(indexes: readonly number[]): Promise<void> {
    const fresh = indexes.filter(index => !this.held.has(index));
    if (fresh.length === 0 || !this.state) return;
    await this.step({ kind: 'catch-up' });
    for (const index of this.#run.shuffled(fresh)) await this.take(index);
    await this.step({ kind: 'caught-up' });
    for (const letter of this.#early.splice(0)) await this.welcomed(letter);
  }

  async take(index: number): Promise<void> {
    if (this.held.has(index) || !this.state) return;
    this.held.add(index);
    await this.step({ kind: 'post', post: this.#run.posts[index] as Post });
  }

  async welcomed(letter: Letter): Promise<void> {
    const { welcome, asks } = letter;
    for (const secret of this.#keyPackages) {
      const input = { kind: 'welcome', welcome, asks, secret } as const;
      try {
        if (this.state) await stepGroup(this.crypto, this.state, input, this.context, this.#choose);
        const epoch = this.crypto.view(await this.crypto.join(welcome, secret, this.context)).epoch;
        this.#run.checks.enters(this.id, epoch);
      } catch (cause) {
        if (cause instanceof TransientError) this.#early.push(letter);
        continue;
      }
      if (this.state) await this.step(input);
      else {
        this.state = await joinGroup(this.crypto, welcome, secret, this.context);
        await this.step({ kind: 'due' });
      }
      return;
    }
  }

  /** The program is gone, and begins again with what was stored of its last step. */
  restart(): void {
    const { state, crypto } = this;
    if (!state) return;
    const states = new Map<EpochId, State>();
    for (const [epoch, kept] of state.states) states.set(epoch, crypto.deserialize(crypto.serialize(kept)));
    const waiting = Waiting.from([...state.waiting].map(item => decodeWaiting(encodeWaiting(item))));
    this.state = decodeGroup(encodeGroup(state), states, waiting);
  }

  /** Killed in a step that was not stored yet: nothing of it has happened. */
  async kill(): Promise<void> {
    if (!this.state) return;
    const last = this.#run.pick(this.#run.posts);
    if (last) await stepGroup(this.crypto, this.state, { kind: 'post', post: last }, this.context, this.#choose);
    await stepGroup(this.crypto, this.state, { kind: 'renew' }, this.context, this.#choose);
    this.restart();
    this.#run.checks.happenings.count('killed');
    await this.step({ kind: 'due' });
  }

  /** The machine is new and knows nothing; its identity is the same. */
  lose(): void {
    this.state = null;
    this.held.clear();
    this.#keyPackages.length = 0;
    this.#run.checks.loses(this.id);
    this.#run.checks.happenings.count('lost');
    this.#run.findWayIn(this);
  }

  async rejoinBy(helper: Person): Promise<void> {
    const { state } = helper;
    if (this.state || !state || !helper.headEpoch().members.includes(this.id)) return;
    const info = await helper.crypto.groupInfo(state.states.get(state.head) as State, this.context);
    const last = state.lineage.chains.get(this.id)?.latest;
    const lastAct = last ? { seq: last.seq, id: last.id } : null;
    const step = await rejoinGroup(this.crypto, info, lastAct, this.context);
    this.state = step.state;
    if (this.#run.checks.epoch(this.state.head, state.head)) this.#run.checks.happenings.count('came back');
    this.#run.checks.enters(this.id, this.state.head);
    for (const output of step.outputs) await this.#perform(output);
    await this.step({ kind: 'due' });
  }

  async #perform(output: GroupOutput): Promise<void> {
    const { checks } = this.#run;
    switch (output.kind) {
      case 'publish':
        this.#run.publish(this, output.post);
        return;
      case 'welcome':
        for (const member of output.to) this.#run.sendWelcome(member, output);
        return;
      case 'text':
        checks.read(Buffer.from(output.text).toString(), this.id, output.sender);
        return;
      case 'head':
        if (output.rolledBack > 0) checks.rollbacks.push(output.rolledBack);
        this.#run.headMoved();
        return;
      case 'equivocation':
        checks.named.add(output.member);
        return;
      case 'lost':
        findWayBack(this.#run, this);
        return;
      case 'wake':
        this.#wakeAt(output.atMs);
        return;
      case 'hole':
      case 'removed':
      case 'dropped':
      case 'forget':
        return;
    }
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#wakeMs && this.#wakeMs > this.#run.clock.nowMs) return;
    this.#wakeMs = atMs;
    this.#run.clock.at(atMs, async () => {
      if (this.#wakeMs !== atMs) return;
      this.#wakeMs = Infinity;
      await this.step({ kind: 'due' });
    });
  }
}
