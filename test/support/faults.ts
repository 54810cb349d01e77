import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { processLives } from '../../core/commands/core-file.io.ts';
import { Refused } from './api-client.ts';
import { FailingFolder, type Fault } from './failing-io.ts';
import { type Ended, introduce } from './real-core.ts';
import { assertTalkAgrees } from './talk-agrees.ts';
import { WatchedCore } from './watched-core.ts';

/** Every so many-th call fails. */
const EVERY = 7;
const TEXTS = 5;
const BURSTS = 5;
/** Tries of something that can hardly succeed, before it is done in calm. */
const TRIES = 2;
/** What may be said of a disk that fails; `busy`, and `unreachable` of a bundle cut off half-way, ask to come again. */
const CLEAR = ['disk-full', 'disk-failed', 'busy', 'unreachable'];

/** A core with a folder in which calls can be made to fail. */
interface Failing {
  readonly watched: WatchedCore;
  readonly folder: FailingFolder;
}

/** Three cores that talk, hold and carry bundles while their disks fail. */
class FailingTrio {
  readonly ada: Failing;
  readonly ben: Failing;
  readonly cleo: Failing;
  readonly #fault: Fault;
  /** What went wrong and was said, and how often. */
  readonly said = new Map<string, number>();
  #bundles = 0;

  static async make(t: TestContext, library: string, fault: Fault): Promise<FailingTrio> {
    const one = async (name: string): Promise<Failing> => {
      const folder = new FailingFolder(t, library);
      return { folder, watched: await WatchedCore.make(t, name, folder) };
    };
    const [ada, ben, cleo] = await Promise.all([one('Ada'), one('Ben'), one('Cleo')]);
    await Promise.all([ada, ben, cleo].map(({ watched }) => watched.start()));
    await introduce(ada.watched.core, ben.watched.core);
    await introduce(ada.watched.core, cleo.watched.core);
    await introduce(ben.watched.core, cleo.watched.core);
    return new FailingTrio([ada, ben, cleo], fault);
  }

  private constructor([ada, ben, cleo]: [Failing, Failing, Failing], fault: Fault) {
    [this.ada, this.ben, this.cleo] = [ada, ben, cleo];
    this.#fault = fault;
  }

  get all(): readonly Failing[] {
    return [this.ada, this.ben, this.cleo];
  }

  async round(): Promise<void> {
    for (const { folder } of this.all) folder.fail(this.#fault, EVERY);
    await Promise.all([this.#write(this.ada, 'Ben'), this.#write(this.ben, 'Ada')]);
    await this.#stop(this.ben);
    await this.#write(this.ada, 'Ben');
    const bundle = await this.#export(this.ada);
    await this.#start(this.ben);
    if (bundle) await this.#import(this.ben, bundle);
    await this.#write(this.ben, 'Ada');
    for (const { folder } of this.all) folder.calm();
    for (const failing of this.all) await this.#startIfEnded(failing);
  }

  /** Now with faults and now without, so that there is always something to lose. */
  async #write({ watched, folder }: Failing, who: string): Promise<void> {
    for (let burst = 0; burst < BURSTS; burst += 1) {
      if (burst % 2 === 0) folder.fail(this.#fault, EVERY);
      else folder.calm();
      await watched.write(who, TEXTS, error => {
        if (!(error instanceof Refused)) throw error;
        this.#say('send', error.code);
      });
    }
    folder.fail(this.#fault, EVERY);
  }

  /** However the disk is, who is told to stop stops. */
  async #stop({ watched }: Failing): Promise<void> {
    if (!processLives(watched.core.pid)) return;
    const { code, stderr } = await watched.core.end('SIGTERM');
    watched.gone();
    assert.equal(code, 0, stderr);
  }

  /** A start that fails says why; the last is in calm and must not. */
  async #start(failing: Failing): Promise<void> {
    const { watched, folder } = failing;
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (tries === TRIES - 1) folder.calm();
      if (await this.#comesUp(watched)) break;
    }
    folder.fail(this.#fault, EVERY);
  }

  async #comesUp(watched: WatchedCore): Promise<boolean> {
    try {
      await watched.core.start();
    } catch (error) {
      this.#endedClearly('start', await watched.core.ended(), error);
      return false;
    }
    await watched.watch();
    return true;
  }

  async #startIfEnded({ watched }: Failing): Promise<void> {
    if (processLives(watched.core.pid)) return;
    this.#endedClearly('run', await watched.core.ended());
    watched.gone();
    await watched.start();
  }

  async #export({ watched, folder }: Failing): Promise<string | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      this.#bundles += 1;
      const file = join(folder.directory, `bundle-${this.#bundles}`);
      const ended = await watched.core.molva('bundle', 'export', file, '--for', 'Ben');
      if (ended.code === 0) return file;
      this.#endedClearly('export', ended);
      assert.equal(existsSync(file), false, 'nothing half stands there under its name');
    }
    return undefined;
  }

  async #import({ watched }: Failing, bundle: string): Promise<void> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const ended = await watched.core.molva('bundle', 'import', bundle);
      if (ended.code === 0) return this.#say('import', 'done');
      this.#endedClearly('import', ended);
    }
  }

  /** By itself, with a code of the table and not by a signal; never as a fault of Molva. */
  #endedClearly(what: string, { code, signal, stderr }: Ended, cause?: unknown): void {
    assert.equal(signal, null, `${what}: ${stderr}`);
    assert.notEqual(code, 0, `${what}: ${cause}`);
    const said = stderr.split('\n').find(line => line.startsWith('{'));
    assert.ok(said, `${what} ended with ${code} and said only: ${stderr}`);
    this.#say(what, JSON.parse(said).error.code);
  }

  #say(what: string, code: string): void {
    const name = `${what}: ${code}`;
    this.said.set(name, (this.said.get(name) ?? 0) + 1);
    if (code !== 'done') assert.ok(CLEAR.includes(code), `${name} is a clear error`);
  }
}

/** So many rounds under one kind of fault; afterwards, and after a restart, nothing is lost and nothing is twice. */
export async function surviveFaults(t: TestContext, library: string, fault: Fault, rounds: number): Promise<void> {
  const trio = await FailingTrio.make(t, library, fault);
  t.after(() => {
    for (const fault of trio.all.flatMap(({ watched }) => watched.faults())) t.diagnostic(fault);
  });
  const startedAt = performance.now();
  for (let round = 0; round < rounds; round += 1) await trio.round();
  const calmAt = performance.now();
  const [ada, ben] = [trio.ada.watched, trio.ben.watched];
  const texts = await assertTalkAgrees(ada, ben);
  const [faulty, calm] = [calmAt - startedAt, performance.now() - calmAt].map(Math.round);
  t.diagnostic(`${fault}: ${rounds} rounds in ${faulty} ms, all delivered ${calm} ms after the last fault`);
  const answered = ada.acknowledged.size + ben.acknowledged.size;
  assert.ok(answered > 0 && trio.said.size > 0);
  for (const { watched } of trio.all) {
    await watched.core.end('SIGTERM');
    watched.gone();
  }
  await Promise.all(trio.all.map(({ watched }) => watched.start()));
  assert.equal(await assertTalkAgrees(ada, ben), texts, 'all is there after a restart');
  for (const { watched, folder } of trio.all) {
    const { calls, failed } = folder.counts;
    assert.equal(failed, Math.floor(calls / EVERY));
    t.diagnostic(`${fault}: ${failed} of ${watched.name}'s ${calls} calls failed`);
  }
  assert.deepEqual(
    trio.all.flatMap(({ watched }) => watched.faults()),
    [],
    'no core met a fault of its own',
  );
  t.diagnostic(`${fault}: ${answered} sends answered, ${texts} texts on both sides alike`);
  for (const [what, times] of [...trio.said].sort()) t.diagnostic(`${fault}: ${what} ${times}`);
}
