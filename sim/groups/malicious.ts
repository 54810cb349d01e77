import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/base/clock.ts';
import type { Post } from '../../core/groups/act-codec.ts';
import { stepGroup } from '../../core/groups/group-machine.ts';
import type { GroupInput } from '../../core/groups/group-state.ts';
import type { Person } from './person.ts';
import type { GroupRun } from './run-world.ts';

const GROUND = 12;
const FLOOD = 24;

/** A member that does what the rules do not let it, and is removed half way, which it tries to undo. */
export class Malicious<State> {
  readonly person: Person<State>;
  readonly #run: GroupRun<State>;
  readonly #withheld: Post[] = [];
  done = 0;

  constructor(run: GroupRun<State>, person: Person<State>) {
    this.#run = run;
    this.person = person;
  }

  /** Removed in the middle of the run, and asked for again as long as an admin sees it among the members. */
  start(): void {
    const { clock, options } = this.#run;
    const endMs = clock.nowMs + options.days * DAY_MS;
    this.#next(endMs);
    clock.after((options.days * DAY_MS) / 2, () => this.#remove(endMs));
  }

  /** The last of what was held back comes when all are there. */
  release(): void {
    for (const post of this.#withheld.splice(0)) this.#run.publish(this.person, post);
  }

  #next(endMs: number): void {
    this.#run.clock.after(20 * MINUTE_MS + this.#run.number() * HOUR_MS, async () => {
      if (this.#run.clock.nowMs > endMs) return;
      await this.#misbehave();
      this.#next(endMs);
    });
  }

  async #remove(endMs: number): Promise<void> {
    const { clock, people } = this.#run;
    const admin = people.find(
      person => person.online && person.isAdmin && person.headEpoch().members.includes(this.person.id),
    );
    await admin?.step({ kind: 'change', change: { kind: 'remove', member: this.person.id } });
    clock.after(2 * HOUR_MS, () => (clock.nowMs < endMs + HOUR_MS ? this.#remove(endMs) : undefined));
  }

  async #misbehave(): Promise<void> {
    if (!this.person.active) return this.#replay();
    this.done += 1;
    switch (Math.floor(this.#run.number() * 5)) {
      case 0:
        return this.#sayTwoThings();
      case 1:
        return void this.#withheld.push(...(await this.#tryOut({ kind: 'renew' })).posts);
      case 2:
        return this.#grind();
      case 3:
        return this.#flood();
      default:
        return this.#replay();
    }
  }

  /** What a step from here would publish; the own state stays as it was. */
  async #tryOut(input: GroupInput): Promise<{ posts: Post[]; head: string }> {
    const { crypto, state, context } = this.person;
    if (!state) return { posts: [], head: '' };
    const first = await stepGroup(crypto, state, input, context);
    const second = await stepGroup(crypto, first.state, { kind: 'due' }, context);
    const outputs = [...first.outputs, ...second.outputs];
    const posts = outputs.flatMap(output => (output.kind === 'publish' ? [output.post] : []));
    return { posts, head: second.state.head };
  }

  async #sayTwoThings(): Promise<void> {
    const said = [...(await this.#tryOut(evil(1))).posts, ...(await this.#tryOut(evil(2))).posts];
    for (const post of said) this.#run.publish(this.person, post);
  }

  /** Many commits on one epoch, to keep the one with the best hash. */
  async #grind(): Promise<void> {
    let best = await this.#tryOut({ kind: 'renew' });
    for (let count = 1; count < GROUND; count += 1) {
      const tried = await this.#tryOut({ kind: 'renew' });
      if (tried.head < best.head) best = tried;
    }
    for (const post of best.posts) this.#run.publish(this.person, post);
  }

  async #flood(): Promise<void> {
    for (let count = 0; count < FLOOD; count += 1) {
      await this.person.step({ kind: 'change', change: { kind: 'rename', name: `flood ${count}` } });
    }
  }

  #replay(): void {
    const post = this.#run.pick(this.#run.posts);
    if (post) this.#run.publish(this.person, post);
    const late = this.#withheld.shift();
    if (late && this.#run.number() < 0.3) this.#run.publish(this.person, late);
    else if (late) this.#withheld.push(late);
  }
}

function evil(count: number): GroupInput {
  return { kind: 'text', text: Buffer.from(`evil ${count}`) };
}
