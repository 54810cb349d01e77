import type { TemplateResult } from 'lit';
import type { GroupMember, Notice } from '../../core/commands/schema.ts';
import { nameAmong } from './member-names.ts';
import { named } from './named.ts';
import { text } from './text.ts';

/** What happened in a group, in words, with names kept apart. @param people its members, where they are known */
export function noticeWords(notice: Notice, ownId: string, people: readonly GroupMember[] = []): TemplateResult {
  const [sentence, ...names] = parts(notice, ownId, people);
  return named(sentence, ...names);
}

/** The same as plain text, for where no markup can stand. */
export function noticeText(notice: Notice, ownId: string): string {
  const [sentence, ...names] = parts(notice, ownId, []);
  return sentence(...names);
}

type Sentence = (...names: string[]) => string;

function parts(
  { kind, by, member, name, count }: Notice,
  ownId: string,
  people: readonly GroupMember[],
): [Sentence, ...names: string[]] {
  const { notices, someone, self, you } = text.group;
  const subject = kind === 'left' || kind === 'returned' ? member : by;
  const nickOf = (one: Exclude<Notice['by'], null>) => (isOwnWord(one.nick) ? `“${one.nick}”` : nameAmong(people, one));
  const first = subject === null ? someone : subject.id === ownId ? self : nickOf(subject);
  const second = member === null ? someone : member.id === ownId ? you : nickOf(member);
  const sentence: Sentence = (a = '', b = '', c = '') => notices[kind](a, b, c, count ?? 1);
  return [sentence, first, second, name ?? ''];
}

/** A name by which somebody would pass for oneself, or for nobody known. */
function isOwnWord(nick: string): boolean {
  const { self, someone } = text.group;
  return [self, someone].some(word => word.toLowerCase() === nick.normalize('NFKC').trim().toLowerCase());
}

/** Whether it is something to worry about. */
export function isWarning({ kind }: Notice): boolean {
  return kind === 'equivocation' || kind === 'hole';
}
