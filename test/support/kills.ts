import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { seededNumbers } from './mutate.ts';
import { introduce, until } from './real-core.ts';
import { assertTalkAgrees } from './talk-agrees.ts';
import { WatchedCore } from './watched-core.ts';

type Phase = 'direct' | 'away' | 'alone';
const PHASES: readonly Phase[] = ['direct', 'away', 'alone'];
/** Texts one side writes in one round, unless it is killed first. */
const TEXTS = 16;
/** A start takes about so long. */
const START_MS = 700;
/** Things that a core tells, in one round. */
const STEPS = 40;

/** Three cores that know each other, and somebody who kills them. */
class Trio {
  readonly ada: WatchedCore;
  readonly ben: WatchedCore;
  readonly cleo: WatchedCore;
  kills = 0;
  /** Phase, victim and the last thing that any of them had told, and how often. */
  readonly tally = new Map<string, number>();
  readonly #random: () => number;
  #lastStep = '';
  #onStep = () => {};

  static async make(t: TestContext, random: () => number): Promise<Trio> {
    const [ada, ben, cleo] = await Promise.all(['Ada', 'Ben', 'Cleo'].map(name => WatchedCore.make(t, name)));
    const trio = new Trio(ada as WatchedCore, ben as WatchedCore, cleo as WatchedCore, random);
    await Promise.all(trio.all.map(core => core.start()));
    await introduce(trio.ada.core, trio.ben.core);
    await introduce(trio.ada.core, trio.cleo.core);
    await introduce(trio.ben.core, trio.cleo.core);
    return trio;
  }

  private constructor(ada: WatchedCore, ben: WatchedCore, cleo: WatchedCore, random: () => number) {
    [this.ada, this.ben, this.cleo] = [ada, ben, cleo];
    this.#random = random;
    for (const core of this.all) {
      core.onStep = what => {
        this.#lastStep = what;
        this.#onStep();
      };
    }
  }

  get all(): readonly WatchedCore[] {
    return [this.ada, this.ben, this.cleo];
  }

  async round(phase: Phase): Promise<void> {
    if (phase === 'direct') await this.#direct();
    else if (phase === 'away') await this.#away();
    else await this.#alone();
  }

  /** Everybody is there, both sides write, and one of the three is killed meanwhile. */
  async #direct(): Promise<void> {
    const writing = this.#bothWrite();
    await this.#wait(800);
    await this.#strike(this.#anybody(), 'direct');
    await writing;
  }

  /** Ben is away while Ada writes and comes back while Cleo may still be taking; one of the three is killed on the way. */
  async #away(): Promise<void> {
    await this.#kill(this.ben, 'away');
    const writing = this.ada.write('Ben', TEXTS);
    await this.#wait(400);
    if (this.#random() < 0.5) await this.#strike(this.#random() < 0.5 ? this.ada : this.cleo, 'away');
    await this.ben.start();
    await this.#wait(1_500);
    await this.#strike(this.#anybody(), 'away');
    await writing;
  }

  /** Cleo alone has what Ada was shown as held; she and Ben are killed, and Ada does not come back until Ben has it. */
  async #alone(): Promise<void> {
    await this.#kill(this.ben, 'alone');
    const before = new Set(this.ada.shownAs('held'));
    const writing = this.ada.write('Ben', TEXTS);
    const held = () => this.ada.shownAs('held').filter(id => !before.has(id)).length;
    const wanted = 1 + Math.floor(this.#random() * (TEXTS - 1));
    await until(`${wanted} are held`, () => held() >= wanted, 60_000);
    await this.#kill(this.ada, 'alone');
    await writing;
    const promised = (['held', 'delivered', 'read'] as const).flatMap(state => this.ada.shownAs(state));
    await this.#strike(this.cleo, 'alone');
    await this.ben.start();
    await this.#wait(1_500);
    await this.#strike(this.#random() < 0.5 ? this.ben : this.cleo, 'alone');
    const arrived = async () => {
      const there = new Set((await this.ben.list('Ada')).map(({ id }) => id));
      return promised.every(id => there.has(id));
    };
    await until('Ben has all that Ada was shown as held, without her', arrived, 60_000);
    await this.ada.start();
  }

  async #bothWrite(): Promise<void> {
    await Promise.all([
      this.ada.write('Ben', TEXTS).then(() => this.ada.read('Ben')),
      this.ben.write('Ada', TEXTS).then(() => this.ben.read('Ada')),
    ]);
  }

  #anybody(): WatchedCore {
    return this.all[Math.floor(this.#random() * this.all.length)] as WatchedCore;
  }

  /** Killed and started again; one time in three killed once more on its way up. */
  async #strike(victim: WatchedCore, phase: Phase): Promise<void> {
    await this.#kill(victim, phase);
    if (this.#random() < 1 / 3) {
      victim.core.launch();
      await delay(this.#random() * START_MS);
      await this.#kill(victim, phase, 'its launch');
    }
    await victim.start();
  }

  async #kill(victim: WatchedCore, phase: Phase, after = this.#lastStep): Promise<void> {
    const name = `${phase}: ${victim.name} after ${after}`;
    this.tally.set(name, (this.tally.get(name) ?? 0) + 1);
    this.kills += 1;
    await victim.kill();
  }

  /** A random moment: after some time, or when so many things have happened, as most happens within few milliseconds. */
  async #wait(upToMs: number): Promise<void> {
    const abort = new AbortController();
    let left = this.#random() < 0.3 ? Number.POSITIVE_INFINITY : 1 + Math.floor(this.#random() * STEPS);
    this.#onStep = () => {
      left -= 1;
      if (left === 0) abort.abort();
    };
    await delay(this.#random() * upToMs, undefined, { signal: abort.signal }).catch(() => undefined);
    await delay(this.#random() * 4);
  }
}

/** Kills three cores that often, at random moments (MOLVA_SEED repeats them), and looks at what is left. */
export async function surviveKills(t: TestContext, kills: number): Promise<void> {
  const seed = Number(process.env.MOLVA_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`MOLVA_SEED=${seed}, at least ${kills} kills`);
  const startedAt = performance.now();
  const trio = await Trio.make(t, seededNumbers(seed));
  const { ada, ben } = trio;
  let texts = 0;
  try {
    for (let round = 0; trio.kills < kills; round += 1) await trio.round(PHASES[round % PHASES.length] as Phase);
    texts = await assertTalkAgrees(ada, ben);
  } finally {
    for (const [name, times] of [...trio.tally].sort()) t.diagnostic(`${name}: ${times}`);
    for (const fault of trio.all.flatMap(core => core.faults())) t.diagnostic(fault);
    t.diagnostic(`${trio.kills} kills in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  }
  assert.deepEqual(
    trio.all.flatMap(core => core.faults()),
    [],
    'no core met a fault of its own',
  );
  assert.ok(ada.acknowledged.size > 0 && ada.shownAs('held').length > 0 && ada.shownAs('delivered').length > 0);
  const answered = ada.acknowledged.size + ben.acknowledged.size;
  t.diagnostic(
    `${answered} sends answered, ${texts} texts on both sides alike, ${ada.shownAs('held').length} were held`,
  );
}
