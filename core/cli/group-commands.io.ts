import { EXIT, type ExitCode } from '../commands/error-map.ts';
import type { GroupDetails } from '../commands/schema.ts';
import { CliFailure, usage } from './failure.ts';
import { GROUP_FORMS, type GroupAction, isGroupAction } from './group-forms.ts';
import { groupsText, groupText, membersText } from './group-text.ts';
import { readText } from './message-commands.io.ts';
import { safe } from './safe.ts';
import type { Session } from './session.io.ts';
import { stamp } from './text.ts';

/** group create, list, info, members, add, remove, rename, admin, leave, delete, invite, join. */

const RUN: Readonly<Record<GroupAction, (session: Session, words: readonly string[]) => Promise<void>>> = {
  create,
  list,
  info,
  members,
  add: (session, words) => each(session, 'groups.add', words),
  remove: (session, words) => each(session, 'groups.remove', words),
  rename,
  admin,
  leave,
  delete: deleteEnded,
  invite,
  join,
};

export async function group(session: Session): Promise<ExitCode> {
  const [name = '', ...words] = session.words;
  if (!isGroupAction(name)) throw usage(`Say "molva group" and one of ${Object.keys(GROUP_FORMS).join(', ')}.`);
  const { form, words: range } = GROUP_FORMS[name];
  if (words.length < range[0] || words.length > range[1]) throw usage(`Usage: molva group ${name} ${form}`.trimEnd());
  if (session.options.yes && name !== 'leave' && name !== 'delete') {
    throw usage('--yes is for "molva group leave" and "molva group delete".');
  }
  if (session.options.suite !== undefined && name !== 'create') throw usage('--suite is for "molva group create".');
  await RUN[name](session, words);
  return EXIT.done;
}

async function create(session: Session, [name = '', ...who]: readonly string[]): Promise<void> {
  const { suite } = session.options;
  if (suite !== undefined && !isSuite(suite)) throw usage('--suite is hybrid or classical.');
  show(session, await session.core().call('groups.create', { name, members: who, ...(suite && { suite }) }));
}

function isSuite(text: string): text is 'hybrid' | 'classical' {
  return text === 'hybrid' || text === 'classical';
}

async function list(session: Session): Promise<void> {
  const groups = await session.core().call('groups.list', {});
  session.printAll(groups, () => groupsText(groups));
}

async function info(session: Session, [group = '']: readonly string[]): Promise<void> {
  show(session, await session.core().call('groups.get', { group }));
}

async function members(session: Session, [group = '']: readonly string[]): Promise<void> {
  const { people } = await session.core().call('groups.get', { group });
  session.printAll(people, () => membersText(people));
}

/** One after the other; where one is refused, those before it stand, and it is said how many they are. */
async function each(
  session: Session,
  method: 'groups.add' | 'groups.remove' | 'groups.promote' | 'groups.demote',
  [group = '', ...names]: readonly string[],
): Promise<void> {
  const core = session.core();
  let last: GroupDetails | undefined;
  for (const [done, who] of names.entries()) {
    try {
      last = await (method === 'groups.add'
        ? core.call(method, { group, who })
        : core.call(method, { group, member: who }));
    } catch (error) {
      if (done > 0 && error instanceof CliFailure)
        session.note(`Asked for ${done} of ${names.length}, then refused:\n`);
      throw error;
    }
  }
  if (last) show(session, last);
}

async function rename(session: Session, [group = '', name = '']: readonly string[]): Promise<void> {
  show(session, await session.core().call('groups.rename', { group, name }));
}

async function admin(session: Session, [group = '', how, ...who]: readonly string[]): Promise<void> {
  if (how !== 'add' && how !== 'remove') throw usage('Usage: molva group admin G add|remove WHO...');
  await each(session, how === 'add' ? 'groups.promote' : 'groups.demote', [group, ...who]);
}

async function leave(session: Session, [group = '']: readonly string[]): Promise<void> {
  if (!session.options.yes)
    throw usage('Only an admin can bring you back. Say "molva group leave G --yes" if you mean it.');
  const left = await session.core().call('groups.leave', { group });
  const words = left.phase === 'leaving' ? 'You leave it as soon as another member is met:' : 'You have left';
  session.print(left, () => `${words} ${safe(left.name)}. What was said stays readable here.\n`);
}

async function deleteEnded(session: Session, [group = '']: readonly string[]): Promise<void> {
  if (!session.options.yes) {
    throw usage('All that was said in it goes too. Say "molva group delete G --yes" if you mean it.');
  }
  const result = await session.core().call('groups.delete', { group });
  session.print(result, () => 'The group is deleted, with all that was said in it.\n');
}

async function invite(session: Session, [group = '']: readonly string[]): Promise<void> {
  const result = await session.core().call('groups.invite', { group });
  session.print(
    result,
    () =>
      `${result.invite}\n\nWhoever holds it asks to become your contact and, once you accept, is added. ` +
      `It is good until ${stamp(result.expiresAt)}.\n`,
  );
}

/** By the standard input the link stands in no list of processes and in no shell's history. */
async function join(session: Session, [word = '']: readonly string[]): Promise<void> {
  const invite = word === '-' ? (await readText(session)).trim() : word;
  const joined = await session.core().call('groups.join', { invite });
  session.print(joined, () => `${safe(joined.contact.nick)} was asked to add you to ${safe(joined.name)}.\n`);
}

function show(session: Session, details: GroupDetails): void {
  session.print(details, () => groupText(details));
}
