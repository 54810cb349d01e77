import type { GroupMember } from '../../core/commands/schema.ts';

/** Enough to tell a few apart. */
const ID_LETTERS = 4;

/** What a member is called in a group; where another member has the same name, with the beginning of its id. */
export function nameAmong(people: readonly GroupMember[], { id, nick }: Pick<GroupMember, 'id' | 'nick'>): string {
  const folded = fold(nick);
  const twin = people.some(person => person.id !== id && fold(person.nick) === folded);
  return twin ? `${nick} · ${id.slice(0, ID_LETTERS)}` : nick;
}

/** Names that look the same to a hasty eye. */
function fold(nick: string): string {
  return nick.normalize('NFKC').replaceAll(/\s+/gu, ' ').trim().toLowerCase();
}
