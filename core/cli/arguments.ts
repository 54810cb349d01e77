import { type ParseArgsConfig, parseArgs } from 'node:util';
import { usage } from './failure.ts';
import { GROUP_FORM } from './group-forms.ts';

const OPTIONS = {
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
  nick: { type: 'string' },
  'passphrase-file': { type: 'string' },
  headless: { type: 'boolean' },
  listen: { type: 'string', multiple: true },
  offline: { type: 'boolean' },
  'keep-running': { type: 'boolean' },
  helper: { type: 'boolean' },
  for: { type: 'string', multiple: true },
  force: { type: 'boolean' },
  limit: { type: 'string' },
  before: { type: 'string' },
  confirm: { type: 'boolean' },
  cancel: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  yes: { type: 'boolean' },
  suite: { type: 'string' },
  print: { type: 'boolean' },
  keychain: { type: 'boolean' },
} as const satisfies ParseArgsConfig['options'];

export type OptionName = keyof typeof OPTIONS;

interface CommandSpec {
  /** What stands after the name in the help. */
  readonly form: string;
  readonly summary: string;
  /** Fewest and most words after the name. */
  readonly words: readonly [number, number];
  readonly options: readonly OptionName[];
}

const spec = (
  form: string,
  summary: string,
  words: readonly [number, number] = [0, 0],
  options: readonly OptionName[] = [],
): CommandSpec => ({ form, summary, words, options });

export const COMMANDS = {
  init: spec('--nick N [--passphrase-file F]', 'make a profile', [0, 0], ['nick', 'passphrase-file']),
  start: spec(
    '[--headless | --helper] [--passphrase-file F] [--listen MULTIADDR]... [--offline] [--keep-running]',
    'start Molva and open its window; a helper has none and holds for its contacts',
    [0, 0],
    ['headless', 'helper', 'passphrase-file', 'listen', 'offline', 'keep-running'],
  ),
  status: spec('', 'say what Molva is and does'),
  stop: spec('', 'stop Molva cleanly'),
  open: spec('[--print]', 'open a window; --print only prints its one-use address', [0, 0], ['print']),
  unlock: spec('[--passphrase-file F | --keychain]', 'open the profile', [0, 0], ['passphrase-file', 'keychain']),
  lock: spec('', 'close the profile and wipe its keys'),
  invite: spec('', 'make an invite to give to a person'),
  add: spec('INVITE [--nick N]', 'ask the person behind an invite to become a contact', [1, 1], ['nick']),
  requests: spec('', 'list the people who ask to become contacts'),
  accept: spec('ID', 'accept a request', [1, 1]),
  decline: spec('ID', 'decline a request; the other side is not told', [1, 1]),
  contacts: spec('', 'list the contacts'),
  rename: spec('[WHO] NICK', 'give a contact, or yourself, another nick', [1, 2]),
  remove: spec('WHO', 'remove a contact and its messages', [1, 1]),
  send: spec('WHO TEXT', 'send a message; TEXT - reads it from the standard input', [2, 2]),
  messages: spec('WHO [--limit N] [--before ID]', 'show messages, oldest first', [1, 1], ['limit', 'before']),
  resend: spec('ID', 'send an expired message again, as a new one', [1, 1]),
  proof: spec('ID', 'show what was signed about a message of your own', [1, 1]),
  watch: spec('', 'print each event until interrupted'),
  verify: spec(
    'WHO [CODE | --confirm | --cancel] [--no-wait]',
    'show a one-time code, compare one, confirm a match, or give it up',
    [1, 8],
    ['confirm', 'cancel', 'no-wait'],
  ),
  group: spec(GROUP_FORM, 'make a group, and all else that is done with one', [1, 257], ['yes', 'suite']),
  custody: spec('[on | off | status]', 'hold messages for contacts that are away, or stop taking them', [0, 1]),
  bundle: spec(
    'export FILE [--for WHO]... [--force] | import FILE',
    'carry sealed messages by a file: write what waits for contacts, or read such a file',
    [2, 2],
    ['for', 'force'],
  ),
  wipe: spec('--yes', 'destroy all keys, then all files; there is no way back', [0, 0], ['yes']),
  help: spec('[COMMAND]', 'show this text', [0, 1]),
  version: spec('', 'show the version'),
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof COMMANDS;

export interface Invocation {
  readonly command: CommandName;
  readonly words: readonly string[];
  readonly options: ReturnType<typeof readOptions>['values'];
}

/**
 * Reads a command line. Options may stand anywhere; after `--` everything is a word.
 * @throws CliFailure `bad-request`
 */
export function parseCommandLine(argv: readonly string[]): Invocation {
  const { values, positionals } = readOptions(argv);
  if (values.version) return { command: 'version', words: [], options: values };
  const [name, ...words] = positionals;
  if (values.help) return { command: 'help', words: name === undefined ? [] : [name], options: values };
  if (name === undefined) throw usage('Say what to do; "molva help" lists the commands.');
  if (!isCommand(name)) throw usage(`There is no command "${name}"; "molva help" lists the commands.`);
  checkForm(name, words, Object.keys(values) as OptionName[]);
  return { command: name, words, options: values };
}

export function isCommand(name: string): name is CommandName {
  return Object.hasOwn(COMMANDS, name);
}

/** Decided apart from the rest, so that a wrong command line is answered in the form that was asked for. */
export function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json');
}

function readOptions(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw usage(error instanceof Error ? error.message : 'The options cannot be read.');
  }
}

function checkForm(name: CommandName, words: readonly string[], given: readonly OptionName[]): void {
  const { form, words: range, options }: CommandSpec = COMMANDS[name];
  const foreign = given.find(option => option !== 'data-dir' && option !== 'json' && !options.includes(option));
  if (foreign !== undefined) throw usage(`"molva ${name}" has no option --${foreign}.`);
  if (words.length < range[0] || words.length > range[1]) throw usage(`Usage: molva ${name} ${form}`.trimEnd());
}
