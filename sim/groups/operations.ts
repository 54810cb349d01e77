import type { Change } from '../../core/groups/asks.ts';
import { Held } from './held.ts';
import type { Person } from './person.ts';
import type { GroupRun } from './run-world.ts';

type Operation = 'send' | 'add' | 'remove' | 'leave' | 'renew' | 'promote' | 'demote' | 'rename' | 'lose' | 'kill';

/** How often, of a hundred. */
const SHARES: readonly [Operation, number][] = [
  ['send', 47],
  ['renew', 12],
  ['rename', 10],
  ['add', 10],
  ['remove', 7],
  ['promote', 5],
  ['demote', 3],
  ['leave', 2],
  ['lose', 1],
  ['kill', 3],
];

/** One random operation by a random member who may do it, wherever it is. */
export async function operate<State>(run: GroupRun<State>, count: number): Promise<void> {
  const kind = drawn(run);
  run.checks.happenings.sampleAway(run.people.filter(({ online }) => !online).length / run.people.length);
  const honest = run.people.filter(other => other !== run.villain);
  const person = run.pick(honest.filter(other => (needsAdmin(kind) ? other.isAdmin : other.active)));
  if (!person) return;
  if (kind === 'send') return send(run, person, `text ${count}`);
  if (kind === 'renew') return person.step({ kind });
  if (kind === 'lose') return lose(run, person);
  if (kind === 'kill') return person.kill();
  const change = await changeOf(run, kind, person, count);
  if (change) await person.step({ kind: 'change', change });
}

export async function send<State>(run: GroupRun<State>, person: Person<State>, text: string): Promise<void> {
  const { id, members } = person.headEpoch();
  run.checks.sent(text, person.id, id, members);
  await person.step({ kind: 'text', text: Buffer.from(text) });
}

function needsAdmin(kind: Operation): boolean {
  return ['add', 'remove', 'promote', 'demote', 'rename'].includes(kind);
}

function drawn<State>(run: GroupRun<State>): Operation {
  let at = run.number() * 100;
  for (const [kind, share] of SHARES) {
    if (at < share) return kind;
    at -= share;
  }
  return 'send';
}

async function lose<State>(run: GroupRun<State>, person: Person<State>): Promise<void> {
  // What only this profile holds would be gone for everyone: no promise covers that.
  const elsewhere = new Held();
  for (const other of run.people) if (other !== person) elsewhere.addAll(other.held);
  if (person.held.without(elsewhere).length === 0) person.lose();
}

async function changeOf<State>(
  run: GroupRun<State>,
  kind: Operation,
  person: Person<State>,
  count: number,
): Promise<Change | null> {
  const { members, data } = person.headEpoch();
  const others = members.filter(member => member !== person.id && member !== run.villain?.id);
  switch (kind) {
    case 'add': {
      const outsider = run.pick(run.people.filter(other => !members.includes(other.id) && other !== run.villain));
      return outsider ? { kind, keyPackage: await outsider.keyPackage() } : null;
    }
    case 'remove': {
      const member = run.pick(others);
      return member && members.length > run.options.members / 2 ? { kind, member } : null;
    }
    case 'promote': {
      const member = run.pick(others.filter(other => !data.admins.includes(other)));
      return member ? { kind, member } : null;
    }
    case 'demote': {
      const member = run.pick(others.filter(other => data.admins.includes(other)));
      return member && data.admins.length > 2 ? { kind, member } : null;
    }
    case 'rename':
      return { kind, name: `Group ${count}` };
    case 'leave':
      return { kind };
    default:
      return null;
  }
}
