import type { Contact } from '../../core/commands/schema.ts';
import type { State } from './state.ts';
import { contactsIn } from './talks.ts';
import { text } from './text.ts';

/** Why a contact cannot be put into a group now; null when it can. */
export function hindrance({ phase, addable }: Contact): string | null {
  if (phase === 'requested') return text.group.notAccepted;
  return addable ? null : text.group.notAddable;
}

/** The contacts that are not in it yet: those who can be added stand first, each part in the order of the list. */
export function choiceFor(state: State, inGroup: ReadonlySet<string> = new Set()): readonly Contact[] {
  const outside = contactsIn(state).filter(({ id }) => !inGroup.has(id));
  const [can, cannot] = [
    outside.filter(one => hindrance(one) === null),
    outside.filter(one => hindrance(one) !== null),
  ];
  return [...can, ...cannot];
}
