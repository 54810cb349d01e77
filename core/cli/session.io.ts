import type { ExitCode } from '../commands/error-map.ts';
import type { Invocation } from './arguments.ts';
import { type CoreClient, findCore } from './client.io.ts';
import { findDataDirectory } from './data-directory.io.ts';
import { type PassphraseInput, readPassphrase } from './passphrase.io.ts';
import type { CoreRunner } from './runner.ts';

interface TextOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/** The world of one command: the process's own streams, or a test's. */
export interface CliIo {
  readonly stdin: PassphraseInput;
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** The folder of the program: where `portable` and `data/` are looked for. */
  readonly programDirectory: string;
  /** Calls back on SIGINT, SIGTERM and (Windows) SIGBREAK; gives back how to stop listening. */
  readonly onSignal: (listener: () => void) => () => void;
  /** Ends the process with whatever still holds it. */
  readonly endNow: (code: ExitCode) => void;
}

/** What the commands work with. */
export interface Session {
  readonly words: readonly string[];
  readonly options: Invocation['options'];
  readonly json: boolean;
  readonly dataDirectory: string;
  readonly runner: CoreRunner;
  readonly io: CliIo;
  /** @throws CliFailure `no-core` */
  core(): CoreClient;
  /** Prints one value: as JSON on a line, or as text for a person. */
  print(value: unknown, text: () => string): void;
  /** Prints a list: one JSON value a line, or one text. */
  printAll(values: readonly unknown[], text: () => string): void;
  /** For a person only, beside the result. */
  note(text: string): void;
  passphrase(twice?: boolean): Promise<Buffer>;
}

export function openSession(invocation: Invocation, io: CliIo, runner: CoreRunner): Session {
  const { words, options } = invocation;
  const json = options.json === true;
  const dataDirectory = findDataDirectory(options['data-dir'], io.programDirectory);
  const printAll = (values: readonly unknown[], text: () => string) => {
    io.stdout.write(json ? values.map(value => `${JSON.stringify(value)}\n`).join('') : text());
  };
  return {
    words,
    options,
    json,
    dataDirectory,
    runner,
    io,
    core: () => findCore(dataDirectory),
    print: (value, text) => printAll([value], text),
    printAll,
    note: text => {
      if (!json) io.stderr.write(text);
    },
    passphrase: (twice = false) =>
      readPassphrase(options['passphrase-file'], { input: io.stdin, write: text => io.stderr.write(text) }, twice),
  };
}
