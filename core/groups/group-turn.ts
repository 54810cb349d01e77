import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { type ActBody, type ActHead, digestOf, encodeActBody, type SealedAct } from './act-codec.ts';
import { sealAct } from './act-seal.ts';
import { type Ask, isTimely } from './asks.ts';
import { type Act, type ActId, withAct } from './chains.ts';
import type { CryptoContext, EpochId, GroupCrypto } from './group-crypto.ts';
import { type GroupOutput, type GroupState, headEpoch, type LastAct, type Timers } from './group-state.ts';
import { LayeredMap } from './layered-map.ts';
import { type Choose, doubtOf, heaviest } from './lineage.ts';
import { type Epoch, isBelow } from './tree.ts';
import type { WaitingPost } from './waiting.ts';

type Draft<State> = { -readonly [Field in keyof GroupState<State>]: GroupState<State>[Field] };

/** One step under way: a copy of the state that is changed freely and kept only if the step ends well. */
export class GroupTurn<State> {
  readonly crypto: GroupCrypto<State>;
  readonly context: CryptoContext;
  readonly choose: Choose;
  readonly outputs: GroupOutput[] = [];
  readonly before: GroupState<State>;
  readonly draft: Draft<State>;
  /** The states that this step made, by what they were before; null where they were not. */
  readonly changed = new Map<EpochId, State | null>();
  /** Another member said something beside the head's line. */
  heardElsewhere = false;

  constructor(crypto: GroupCrypto<State>, state: GroupState<State>, context: CryptoContext, choose: Choose = heaviest) {
    this.crypto = crypto;
    this.before = state;
    this.draft = { ...state };
    this.context = context;
    this.choose = choose;
  }

  get nowMs(): number {
    return this.context.nowMs;
  }

  get head(): Epoch {
    return headEpoch(this.draft);
  }

  /** The state to speak from; null for someone who has been removed, or may not speak there. */
  get headState(): State | null {
    return this.silent ? null : (this.draft.states.get(this.draft.head) ?? null);
  }

  get removed(): boolean {
    return !this.draft.states.has(this.draft.head);
  }

  /** A profile that was put back may have used the keys of the head already. */
  get silent(): boolean {
    const { putBack, lineage, head } = this.draft;
    return putBack !== null && (putBack.backIn === null || !isBelow(lineage.tree, head, putBack.backIn));
  }

  /** Whether those who do not know the way from one to the other are to meet there: where more was committed, else at the higher id. */
  isAhead({ number, epoch }: { readonly number: number; readonly epoch: EpochId }): boolean {
    const { head } = this;
    return number > head.number || (number === head.number && epoch > head.id);
  }

  /** What stands so may be the group, at a place that cannot be seen from here; older ones are from before this member's time. */
  mayLeadOn({ number }: { readonly number: number }): boolean {
    const { roots, lineage } = this.draft;
    // Who was put out hears of the others when it has been added again: only members are told the way.
    if (this.removed) return number > this.head.number;
    return number >= Math.min(...roots.map(id => lineage.tree.epochs.get(id)?.number ?? 0));
  }

  /** What is said from here on may have been said with the same keys before: nothing is, until this member has come back. */
  fallSilent(): void {
    this.draft.putBack = { backIn: null };
    this.setTimers({ sweepMs: this.nowMs, commitMs: null, standMs: null });
  }

  setTimers(change: Partial<Timers>): void {
    this.draft.timers = { ...this.draft.timers, ...change };
  }

  setState(epoch: EpochId, state: State): void {
    const replaced = this.draft.states.get(epoch);
    if (!this.changed.has(epoch)) this.changed.set(epoch, replaced ?? null);
    // A state from within this step is stored nowhere, and nobody goes back to it.
    else if (replaced !== undefined) this.crypto.retire(replaced);
    this.draft.states = LayeredMap.with(this.draft.states, epoch, state);
  }

  /**
   * The next act of this member's chain, for a message sealed in an epoch.
   * @param state of that epoch; null for someone who is not in it yet
   */
  async nextAct(
    at: { readonly epoch: EpochId; readonly state: State | null },
    kind: ActHead['kind'],
    message: Uint8Array,
  ): Promise<{ head: ActHead; act: SealedAct; id: ActId }> {
    const sender = this.crypto.self;
    const last = this.#lastAct;
    const [seq, previous] = last ? [last.seq + 1, last.id] : [0, null];
    const head: ActHead = { sender, seq, previous, kind, digest: digestOf(message) };
    return { head, ...(await sealAct(this.crypto, at.state, at.epoch, head, this.context)) };
  }

  get #lastAct(): LastAct | null {
    const { lineage, resumeFrom } = this.draft;
    const latest = lineage.chains.get(this.crypto.self)?.latest ?? null;
    return latest && resumeFrom && latest.seq < resumeFrom.seq ? resumeFrom : (latest ?? resumeFrom);
  }

  /** @param from null when nothing is in doubt */
  doubtFrom(from: EpochId | 'root' | null): void {
    const { lineage, doubt, roots } = this.draft;
    if (from === null || doubt === 'root') return;
    // Where a head moves, others have a say between roots; other rules are not bound to change only where something happened.
    if (from === 'root' || roots.length > 1 || this.choose !== heaviest) this.draft.doubt = 'root';
    else if (doubt === null || isBelow(lineage.tree, doubt, from)) this.draft.doubt = from;
  }

  recordAct(act: Act): void {
    const { lineage, head } = this.draft;
    const before = lineage.chains.get(act.sender)?.latest;
    const { chains } = this.learn(act.sender, withAct(lineage.chains, act));
    const chain = chains.get(act.sender);
    if (chain && chain.latest !== before && chain.forkedAt === null)
      this.doubtFrom(doubtOf(lineage, head, before, chain.latest));
    const inLine = isBelow(lineage.tree, act.epoch, head) || isBelow(lineage.tree, head, act.epoch);
    if (!inLine) this.heardElsewhere = true;
  }

  /** Keeps what is known of a member's acts now, and tells of it. */
  learn(member: ContactId, learnt: ReturnType<typeof withAct>): ReturnType<typeof withAct> {
    const { chains, news } = learnt;
    this.draft.lineage = { ...this.draft.lineage, chains };
    if (news.holes.length > 0) this.outputs.push({ kind: 'hole', member, holes: news.holes });
    if (news.forkedAt !== null) {
      this.doubtFrom('root');
      this.outputs.push({ kind: 'equivocation', member, seq: news.forkedAt });
    }
    return learnt;
  }

  /** Whether an ask that was said alone is to be kept. */
  isTimely(ask: Ask): boolean {
    return isTimely(ask, this.draft.asks, this.head.data, this.nowMs);
  }

  /** Seals something on the head and publishes it. Whoever calls has seen that there is a state to speak from. */
  async say(body: ActBody): Promise<void> {
    const { draft, crypto } = this;
    const state = this.headState;
    if (!state) return;
    const epoch = draft.head;
    const sealed = await crypto.encrypt(state, encodeActBody(body), new Uint8Array(0), this.context);
    this.setState(epoch, sealed.state);
    const { head, act, id } = await this.nextAct({ epoch, state }, 'application', sealed.message);
    this.recordAct({ id, sender: crypto.self, seq: head.seq, previous: head.previous, epoch });
    this.outputs.push({
      kind: 'publish',
      post: { epoch, number: this.head.number, act, message: sealed.message },
      body,
    });
    this.setTimers({ standMs: null });
  }

  /** Keeps what cannot be read yet. */
  wait(item: WaitingPost): void {
    // Should the way to it be lost, that is to be seen in time.
    if (this.mayLeadOn(item.post)) {
      this.setTimers({ sweepMs: Math.min(this.draft.timers.sweepMs, this.nowMs + LIMITS.groupLostMs) });
    }
    const { waiting, dropped } = this.draft.waiting.with(item);
    this.draft.waiting = waiting;
    for (const { origin } of dropped) if (origin.ref !== null) this.outputs.push({ kind: 'dropped', ref: origin.ref });
  }
}
