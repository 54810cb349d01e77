import { closeSync, openSync, readSync } from 'node:fs';
import { wipe } from '../base/bytes.ts';
import { CliFailure, usage } from './failure.ts';

/** What of a terminal is needed; process.stdin is one. */
export interface PassphraseInput extends AsyncIterable<Buffer | string> {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  off(event: 'data', listener: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

interface Prompt {
  readonly input: PassphraseInput;
  readonly write: (text: string) => void;
}

/** UTF-8 bytes; the schema's 1024 characters and a line end fit. */
const MAX_BYTES = 4098;
const [CTRL_C, CTRL_D, BACKSPACE, DELETE, LINE_FEED, RETURN, ESCAPE] = [3, 4, 8, 127, 10, 13, 27];

/**
 * A passphrase from a file (`-`: the standard input), from a prompt without echo, or from a pipe. The caller wipes it.
 * @param twice asks again and compares, where a person types it
 * @throws CliFailure when there is none, or the two differ
 */
export async function readPassphrase(file: string | undefined, prompt: Prompt, twice = false): Promise<Buffer> {
  const bytes =
    file !== undefined && file !== '-'
      ? readFile(file)
      : prompt.input.isTTY && file === undefined
        ? await ask(prompt, twice)
        : await readPipe(prompt.input);
  if (bytes.length === 0) throw usage('The passphrase is empty.');
  return bytes;
}

function readFile(path: string): Buffer {
  const memory = Buffer.allocUnsafeSlow(MAX_BYTES + 1);
  try {
    const descriptor = openSync(path, 'r');
    try {
      let length = 0;
      for (;;) {
        const read = readSync(descriptor, memory, length, memory.length - length, null);
        length += read;
        if (read === 0 || length > MAX_BYTES) break;
      }
      return withoutLineEnd(memory.subarray(0, length));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    throw usage(`The passphrase file cannot be read: ${path}`);
  } finally {
    wipe(memory);
  }
}

async function readPipe(input: PassphraseInput): Promise<Buffer> {
  const memory = Buffer.allocUnsafeSlow(MAX_BYTES + 1);
  let length = 0;
  try {
    for await (const chunk of input) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      length += bytes.copy(memory, length);
      wipe(bytes);
      if (length > MAX_BYTES || memory.subarray(0, length).includes(LINE_FEED)) break;
    }
    const end = memory.subarray(0, length).indexOf(LINE_FEED);
    return withoutLineEnd(memory.subarray(0, end < 0 ? length : end + 1));
  } finally {
    wipe(memory);
  }
}

/** A copy without one line end. */
function withoutLineEnd(bytes: Buffer): Buffer {
  if (bytes.length > MAX_BYTES) throw usage('The passphrase is too long.');
  let end = bytes.length;
  if (bytes[end - 1] === LINE_FEED) end -= bytes[end - 2] === RETURN ? 2 : 1;
  const copy = Buffer.allocUnsafeSlow(end);
  bytes.copy(copy, 0, 0, end);
  return copy;
}

async function ask(prompt: Prompt, twice: boolean): Promise<Buffer> {
  const first = await askOnce(prompt, 'Passphrase: ');
  if (!twice) return first;
  const second = await askOnce(prompt, 'The same again: ');
  const same = first.equals(second);
  wipe(second);
  if (same) return first;
  wipe(first);
  throw usage('The two passphrases differ.');
}

/** Reads a line key by key in raw mode, so that the terminal shows nothing of it. */
function askOnce({ input, write }: Prompt, question: string): Promise<Buffer> {
  const memory = Buffer.allocUnsafeSlow(MAX_BYTES);
  let length = 0;
  write(question);
  input.setRawMode?.(true);
  input.resume();
  return new Promise<Buffer>((resolve, reject) => {
    const finish = (settle: () => void) => {
      input.off('data', take);
      input.setRawMode?.(false);
      input.pause();
      write('\n');
      settle();
      wipe(memory);
    };
    const take = (chunk: Buffer) => {
      for (const key of chunk) {
        if (key === RETURN || key === LINE_FEED) return finish(() => resolve(Buffer.from(memory.subarray(0, length))));
        if (key === CTRL_C || key === CTRL_D || key === ESCAPE) return finish(() => reject(usage('Cancelled.')));
        if (key === BACKSPACE || key === DELETE) length = beforeLastCharacter(memory, length);
        else if (length < MAX_BYTES) memory[length++] = key;
      }
    };
    input.on('data', take);
  });
}

/** Steps back over one UTF-8 character: continuation bytes are 10xxxxxx. */
function beforeLastCharacter(memory: Buffer, length: number): number {
  let at = length - 1;
  while (at > 0 && ((memory[at] as number) & 0xc0) === 0x80) at -= 1;
  return Math.max(at, 0);
}
