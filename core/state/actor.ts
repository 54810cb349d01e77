import { InternalError, TransientError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

/** One step waiting in an actor; `settle` or `fail` answers whoever asked, once. */
export interface Entry<S> {
  readonly step: S;
  settle(value: unknown): void;
  fail(error: unknown): void;
}

/**
 * A serial inbox: steps are handled one batch after another, never two at once, in the order they came.
 * A batch is what has gathered while the last one was being made durable, so load makes batches larger,
 * not the queue longer.
 */
export class Actor<S> {
  readonly #handle: (batch: readonly Entry<S>[]) => Promise<void>;
  #inbox: Entry<S>[] = [];
  #running: Promise<void> | undefined;
  #stopped = false;

  /** @param handle settles or fails every entry; what it leaves unanswered fails with what it throws */
  constructor(handle: (batch: readonly Entry<S>[]) => Promise<void>) {
    this.#handle = handle;
  }

  /** @throws TransientError `busy` when LIMITS.actorInbox steps wait, or the actor has stopped */
  ask<R>(step: S): Promise<R> {
    if (this.#stopped || this.#inbox.length >= LIMITS.actorInbox) {
      return Promise.reject(new TransientError('busy', 'actor.ask', 'Too much is waiting; try again in a moment.'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<R>();
    this.#inbox.push({ step, settle: value => resolve(value as R), fail: reject });
    this.#running ??= this.#run();
    return promise;
  }

  /** Takes no more steps and waits for those that are under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // The first batch starts after the caller's turn, so that steps asked for together are handled together.
    await Promise.resolve();
    while (this.#inbox.length > 0) {
      const batch = this.#inbox.splice(0, LIMITS.actorBatch);
      try {
        await this.#handle(batch);
        const unanswered = new InternalError('actor.unanswered');
        for (const entry of batch) entry.fail(unanswered);
      } catch (error) {
        for (const entry of batch) entry.fail(error);
      }
    }
    this.#running = undefined;
  }
}
