import { EXIT, type ExitCode } from '../commands/error-map.ts';
import { type CommandName, isCommand, parseCommandLine, wantsJson } from './arguments.ts';
import * as core from './core-commands.io.ts';
import { toFailure, usage } from './failure.ts';
import { group } from './group-commands.io.ts';
import { commandHelp, helpText } from './help.ts';
import * as mailbox from './mailbox-commands.io.ts';
import * as message from './message-commands.io.ts';
import * as people from './people-commands.io.ts';
import type { CoreRunner } from './runner.ts';
import { type CliIo, openSession, type Session } from './session.io.ts';
import { verify } from './verify-command.io.ts';

const ACTIONS: Readonly<Record<CommandName, (session: Session) => Promise<ExitCode>>> = {
  init: core.init,
  start: core.start,
  status: core.status,
  stop: core.stop,
  open: core.open,
  unlock: core.unlock,
  lock: core.lock,
  wipe: core.wipeProfile,
  custody: mailbox.custody,
  bundle: mailbox.bundle,
  invite: people.invite,
  add: people.add,
  requests: people.requests,
  accept: people.accept,
  decline: people.decline,
  contacts: people.contacts,
  rename: people.rename,
  remove: people.remove,
  send: message.send,
  messages: message.messages,
  resend: message.resend,
  proof: message.proof,
  watch: message.watch,
  group,
  verify,
  help,
  version,
};

/**
 * Carries out one command line.
 * @param argv the words after the program's name
 * @returns the exit code; never rejects. With `--json` stdout holds one JSON value a line and nothing else, and an
 *   error is `{"error":{"code","message"}}` on stderr.
 */
export async function runCli(argv: readonly string[], io: CliIo, runner: CoreRunner): Promise<ExitCode> {
  // A reader that has seen enough closes the pipe; that is no fault.
  io.stdout.on('error', () => {});
  try {
    const invocation = parseCommandLine(argv);
    return await ACTIONS[invocation.command](openSession(invocation, io, runner));
  } catch (error) {
    const { code, message: text, exit } = toFailure(error);
    io.stderr.write(wantsJson(argv) ? `${JSON.stringify({ error: { code, message: text } })}\n` : `molva: ${text}\n`);
    return exit;
  }
}

async function help(session: Session): Promise<ExitCode> {
  const [name] = session.words;
  if (name !== undefined && !isCommand(name)) throw usage(`There is no command "${name}".`);
  const text = name === undefined ? helpText() : commandHelp(name);
  session.print({ help: text }, () => text);
  return EXIT.done;
}

async function version(session: Session): Promise<ExitCode> {
  const { version: number } = session.runner;
  session.print({ version: number }, () => `${number}\n`);
  return EXIT.done;
}
