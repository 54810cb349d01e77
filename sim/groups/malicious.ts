import { DAY_MS, HOUR_MS } from '../../core/base/clock.ts';
import type { ContactId } from '../../core/base/ids.ts';
import { encodeAsks, type Post } from '../../core/groups/act-codec.ts';
import { stepGroup } from '../../core/groups/group-machine.ts';
import type { GroupInput, GroupStep } from '../../core/groups/group-state.ts';
import { GroupTurn } from '../../core/groups/group-turn.ts';
import type { Person } from './person.ts';
import type { GroupRun } from './run-world.ts';

const GROUND = 12;
const FLOOD = 24;
/** In so many parts of the time of trouble it does one thing each. */
const DEEDS = 40;

export const MISDEEDS = ['holds back', 'grinds', 'floods', 'commits unasked', 'replays', 'says two things'] as const;
type Misdeed = (typeof MISDEEDS)[number];

/**
 * An admin that does what the rules do not let it. Half way others remove it, as often as it takes, and it tries to undo that. With an odd
 * seed it keeps one chain, and its full weight, as long as it can; with an even one it says two things in one place before.
 */
export class Malicious<State> {
  readonly person: Person<State>;
  readonly done = new Map<Misdeed, number>();
  readonly #run: GroupRun<State>;
  readonly #withheld: Post[] = [];
  #holdsBack = false;
  #deeds = 0;

  constructor(run: GroupRun<State>, person: Person<State>) {
    this.#run = run;
    this.person = person;
  }

  async start(): Promise<void> {
    const { clock, options } = this.#run;
    const endMs = clock.nowMs + options.days * DAY_MS;
    await this.#anAdmin()?.step({ kind: 'change', change: { kind: 'promote', member: this.person.id } });
    this.#next(endMs);
    clock.after((options.days * DAY_MS) / 2, async () => {
      if (options.seed % 2 === 0) await this.#do('says two things');
      await this.#remove(endMs);
    });
  }

  /** @returns whether a post of its own stays with it for now */
  keeps(from: Person<State>, post: Post): boolean {
    if (from !== this.person || !this.#holdsBack) return false;
    this.#withheld.push(post);
    return true;
  }

  /** What was held back comes late, and all at once. */
  release(): void {
    this.#holdsBack = false;
    for (const post of this.#withheld.splice(0)) this.#run.publish(this.person, post);
  }

  #next(endMs: number): void {
    const { clock, options } = this.#run;
    clock.after(((options.days * DAY_MS) / DEEDS) * (0.5 + this.#run.number()), async () => {
      if (clock.nowMs > endMs) return;
      await this.#misbehave();
      this.#next(endMs);
    });
  }

  #anAdmin(): Person<State> | undefined {
    const { people } = this.#run;
    return people.find(other => other !== this.person && other.online && other.isAdmin);
  }

  /** Asked for as long as an admin sees it among the members. */
  async #remove(endMs: number): Promise<void> {
    const { clock } = this.#run;
    const admin = this.#anAdmin();
    if (admin?.headEpoch().members.includes(this.person.id)) {
      await admin.step({ kind: 'change', change: { kind: 'remove', member: this.person.id } });
    }
    clock.after(HOUR_MS, () => (clock.nowMs < endMs + HOUR_MS ? this.#remove(endMs) : undefined));
  }

  async #misbehave(): Promise<void> {
    const wholeChain = MISDEEDS.filter(deed => deed !== 'says two things');
    await this.#do((this.person.active && wholeChain[this.#deeds++ % wholeChain.length]) || 'replays');
  }

  async #do(deed: Misdeed): Promise<void> {
    if (!this.person.active && deed !== 'replays') return;
    if (deed !== 'holds back') this.release();
    this.done.set(deed, (this.done.get(deed) ?? 0) + 1);
    switch (deed) {
      case 'holds back':
        return this.#holdBack();
      case 'grinds':
        return this.#grind();
      case 'floods':
        return this.#flood();
      case 'commits unasked':
        return this.#commitUnasked();
      case 'replays':
        return this.#replay();
      case 'says two things':
        return this.#sayTwoThings();
    }
  }

  /** Goes on by itself, unseen, and puts someone out there; all of it is let go with the next deed. */
  async #holdBack(): Promise<void> {
    this.#holdsBack = true;
    const member = this.#run.pick(this.#victims());
    if (member && this.person.isAdmin) {
      await this.person.step({ kind: 'change', change: { kind: 'remove', member } });
    }
    await this.person.step({ kind: 'renew' });
    await this.person.step({ kind: 'due' });
  }

  /**
   * An admin may put out whomever it likes, and one that puts out all has the group to itself by right: as with the others' removals half
   * of the members stay, and so does somebody who may remove it.
   */
  #victims(): readonly ContactId[] {
    const { members, data } = this.person.headEpoch();
    if (members.length * 2 <= this.#run.options.members) return [];
    const isLast = (member: ContactId): boolean =>
      data.admins.every(other => other === member || other === this.person.id);
    return members.filter(member => member !== this.person.id && !(data.admins.includes(member) && isLast(member)));
  }

  /** Many commits on one epoch, of which it keeps the one with the best hash. */
  async #grind(): Promise<void> {
    let best = await this.#tryOut({ kind: 'renew' });
    for (let count = 1; count < GROUND; count += 1) {
      const tried = await this.#tryOut({ kind: 'renew' });
      if (tried.state.head < best.state.head) best = tried;
    }
    await this.person.adopt(best);
  }

  async #flood(): Promise<void> {
    for (let count = 0; count < FLOOD; count += 1) {
      await this.person.step({ kind: 'change', change: { kind: 'rename', name: `flood ${count}` } });
    }
  }

  /** Puts someone out by a commit that carries no ask: its act stands, its epoch is nobody's. */
  async #commitUnasked(): Promise<void> {
    const { crypto, state, context, id } = this.person;
    if (!state) return;
    const turn = new GroupTurn(crypto, state, context);
    const { head, headState } = turn;
    const victim = this.#run.pick(head.members.filter(member => member !== id));
    if (headState === null || !victim) return;
    const content = { adds: [], removes: [victim], data: null, authenticatedData: encodeAsks([]) };
    const { message, parent } = await crypto.commit(headState, content, context);
    turn.setState(head.id, parent);
    const { head: place, act, id: actId } = await turn.nextAct({ epoch: head.id, state: headState }, 'commit', message);
    turn.recordAct({ id: actId, sender: id, seq: place.seq, previous: place.previous, epoch: head.id });
    turn.outputs.push({ kind: 'publish', post: { epoch: head.id, number: head.number, act, message }, body: null });
    await this.person.adopt({ state: turn.draft, outputs: turn.outputs, changed: turn.changed });
  }

  #replay(): void {
    const post = this.#run.pick(this.#run.posts);
    if (post) this.#run.publish(this.person, post);
  }

  async #sayTwoThings(): Promise<void> {
    for (const count of [1, 2]) {
      const { outputs } = await this.#tryOut({ kind: 'text', text: Buffer.from(`evil ${count}`) });
      for (const output of outputs) if (output.kind === 'publish') this.#run.publish(this.person, output.post);
    }
  }

  /** A step from here and what is due at once; the own state stays as it was. */
  async #tryOut(input: GroupInput): Promise<GroupStep<State>> {
    const { crypto, state, context } = this.person;
    if (!state) throw new Error('who is no member tries nothing out');
    const first = await stepGroup(crypto, state, input, context);
    const second = await stepGroup(crypto, first.state, { kind: 'due' }, context);
    const changed = new Map([...second.changed, ...first.changed]);
    return { state: second.state, outputs: [...first.outputs, ...second.outputs], changed };
  }
}
