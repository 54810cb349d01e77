import { closeSync, constants, existsSync, fdatasync, openSync, readFileSync, rmSync, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { diskError, isFullError, syncFolder } from './file-system.io.ts';
import type { JournalFile } from './journaled-rows.ts';

/** The file grows by so much at a time: a write into room that is there need not wait for the file system's own log. */
const STEP_BYTES = 256 * 1024;
/** On Linux a write is durable when it returns, in one call; elsewhere it is synced after. */
const SYNCED = process.platform === 'linux' ? constants.O_DSYNC : 0;
const [writeTo, sync] = [promisify(write), promisify(fdatasync)];

export class DiskJournalFile implements JournalFile {
  readonly #path: string;
  #file: number | undefined;
  #size = 0;

  constructor(path: string) {
    this.#path = path;
  }

  read(): Buffer | undefined {
    return existsSync(this.#path) ? readFileSync(this.#path) : undefined;
  }

  create(): void {
    this.#release();
    try {
      const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC | SYNCED;
      this.#file = openSync(this.#path, flags, 0o600);
      this.#size = 0;
      syncFolder(dirname(this.#path));
    } catch (cause) {
      throw diskError('store.journal', cause, isFullError(cause));
    }
  }

  async write(bytes: Buffer, at: number): Promise<void> {
    try {
      const end = at + bytes.length;
      if (end > this.#size) {
        const size = Math.ceil(end / STEP_BYTES) * STEP_BYTES;
        await this.#put(Buffer.alloc(size - this.#size), this.#size);
        this.#size = size;
      }
      await this.#put(bytes, at);
    } catch (cause) {
      throw diskError('store.write', cause, isFullError(cause));
    }
  }

  close(): void {
    this.#release();
  }

  remove(): void {
    this.#release();
    rmSync(this.#path, { force: true });
  }

  #release(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  async #put(bytes: Buffer, at: number): Promise<void> {
    const file = this.#file as number;
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await writeTo(file, bytes, done, bytes.length - done, at + done);
      done += bytesWritten;
    }
    if (!SYNCED) await sync(file);
  }
}
