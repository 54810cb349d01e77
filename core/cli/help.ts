import { COMMANDS, type CommandName } from './arguments.ts';
import { groupHelp } from './group-forms.ts';

const GROUPS: readonly (readonly [string, readonly CommandName[]])[] = [
  ['Molva itself', ['init', 'start', 'status', 'stop', 'open', 'unlock', 'lock', 'wipe']],
  ['People', ['invite', 'add', 'requests', 'accept', 'decline', 'contacts', 'verify', 'rename', 'remove']],
  ['Messages', ['send', 'messages', 'resend', 'proof', 'watch']],
  ['Groups', ['group']],
  ['Mailbox', ['custody', 'bundle']],
  ['Help', ['help', 'version']],
];

const FOOT = `Every command takes
  --data-dir D   the folder of the profile
  --json         one JSON value a line on stdout and nothing else; errors as JSON on stderr

WHO is a nick, a contact id or a conversation id; for messages also a group, which, like G, is
a name, a group id or a conversation id. A passphrase comes from --passphrase-file (- is the
standard input) or from a prompt, never from the command line.
Exit codes: 0 done, 2 wrong usage, 3 no Molva running, 4 refused, 5 not found.
`;

const GROUPS_FOOT = `G is a group's name, its id or its conversation id; WHO is a nick or a contact id. Changes are asked
for at once and done when a member has carried them out: "molva watch" tells. "molva send G TEXT" and
"molva messages G" talk in it.
`;

export function helpText(): string {
  const sections = GROUPS.map(([title, names]) => `${title}\n${names.map(line).join('')}`);
  return `Molva, a private messenger with no servers.\n\nUsage: molva COMMAND [OPTIONS]\n\n${sections.join('\n')}\n${FOOT}`;
}

export function commandHelp(name: CommandName): string {
  const { form, summary } = COMMANDS[name];
  if (name === 'group') return `Usage: molva group ACTION\n\n${groupHelp()}\n${GROUPS_FOOT}`;
  return `Usage: molva ${name} ${form}`.trimEnd().concat(`\n\n${summary[0]?.toUpperCase()}${summary.slice(1)}.\n`);
}

function line(name: CommandName): string {
  return `  ${name.padEnd(10)} ${COMMANDS[name].summary}\n`;
}
