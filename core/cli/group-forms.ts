/** What can be done with a group: how it is written, and what it does. */

interface GroupForm {
  /** What stands after the name; G is a group. */
  readonly form: string;
  /** Fewest and most words of it. */
  readonly words: readonly [number, number];
  readonly summary: string;
}

const MANY = 255;

export const GROUP_FORMS = {
  create: {
    form: 'NAME [WHO...] [--suite KIND]',
    words: [1, MANY],
    summary: 'make a group with these contacts; KIND: hybrid or classical, for good',
  },
  list: { form: '', words: [0, 0], summary: 'list the groups' },
  info: { form: 'G', words: [1, 1], summary: 'show a group with its members' },
  members: { form: 'G', words: [1, 1], summary: 'list its members, who is an admin, and whether each is verified' },
  add: { form: 'G WHO...', words: [2, MANY], summary: 'add contacts (admins only)' },
  remove: { form: 'G WHO...', words: [2, MANY], summary: 'remove members: they read nothing said later (admins only)' },
  rename: { form: 'G NAME', words: [2, 2], summary: 'give it another name (admins only)' },
  admin: { form: 'G add|remove WHO...', words: [3, MANY], summary: 'make members admins, or plain members again' },
  leave: { form: 'G --yes', words: [1, 1], summary: 'leave it; what was said stays readable here' },
  delete: { form: 'G --yes', words: [1, 1], summary: 'delete one that ended, with all that was said in it' },
  invite: { form: 'G', words: [1, 1], summary: 'make a link: whoever you accept by it is added (admins only)' },
  join: {
    form: 'INVITE',
    words: [1, 1],
    summary: 'ask to be added by a link; - reads it from the standard input',
  },
} as const satisfies Record<string, GroupForm>;

export type GroupAction = keyof typeof GROUP_FORMS;

export function isGroupAction(name: string): name is GroupAction {
  return Object.hasOwn(GROUP_FORMS, name);
}

/** All of them, as they stand after `molva group`. */
export const GROUP_FORM = Object.entries(GROUP_FORMS)
  .map(([name, { form }]) => `${name} ${form}`.trimEnd())
  .join(' | ');

/** A line each. */
export function groupHelp(): string {
  const rows = Object.entries(GROUP_FORMS).map(([name, { form, summary }]) => [`${name} ${form}`.trimEnd(), summary]);
  const width = Math.max(...rows.map(([form = '']) => form.length));
  return rows.map(([form = '', summary = '']) => `  ${form.padEnd(width)}  ${summary}\n`).join('');
}
