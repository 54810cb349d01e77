import { InternalError } from '../base/errors.ts';
import { Changes, OverlayTx } from './overlay.ts';
import type { RangeOptions, Row, RowBase, RowPort, Tx } from './port.ts';

interface Waiting {
  readonly job: (tx: Tx) => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Jobs run one after another over what is durable, and everything that waits shares one commit: while the disk
 * syncs one group, the next gathers. A job never builds on rows that later fail to reach the disk.
 */
export class WriteQueue implements RowPort {
  readonly #base: RowBase;
  readonly #onFailure: () => void;
  #waiting: Waiting[] = [];
  #pump: Promise<void> | undefined;
  #closed = false;

  /** @param onFailure called when rows that jobs had put did not become durable: caches must be dropped */
  constructor(base: RowBase, onFailure: () => void = () => {}) {
    this.#base = base;
    this.#onFailure = onFailure;
  }

  get(key: Buffer): Buffer | undefined {
    return this.#base.get(key);
  }

  has(key: Buffer): boolean {
    return this.#base.has(key);
  }

  range(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Row> {
    return this.#base.range(from, to, options);
  }

  keys(from: Buffer, to: Buffer, options?: RangeOptions): Iterable<Buffer> {
    return this.#base.keys(from, to, options);
  }

  write(job: (tx: Tx) => void): Promise<void> {
    if (this.#closed) return Promise.reject(new InternalError('store.write', 'The store is closed.'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#pump ??= this.#run();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pump;
    await this.#base.close();
  }

  async #run(): Promise<void> {
    // one turn of the microtask queue, so that writes issued together are committed together
    await null;
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#commit(group);
    }
    this.#pump = undefined;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const changes = new Changes();
    const done = group.filter(waiting => this.#runJob(waiting, changes));
    const ops = [...changes.all()];
    try {
      if (ops.length > 0) await this.#base.commit(ops);
    } catch (error) {
      this.#onFailure();
      for (const waiting of done) waiting.reject(error);
      return;
    }
    // a reader may have counted between a job's failure and this commit
    if (done.length < group.length) this.#onFailure();
    for (const waiting of done) waiting.resolve();
  }

  #runJob(waiting: Waiting, changes: Changes): boolean {
    const tx = new OverlayTx(this.#base, changes);
    try {
      waiting.job(tx);
      tx.finish();
      changes.merge(tx.changes);
      return true;
    } catch (error) {
      this.#onFailure();
      waiting.reject(error);
      return false;
    }
  }
}
