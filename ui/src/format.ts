import { text } from './text.ts';

/** Pure turning of values into what the page shows. Times are milliseconds since 1970 UTC. */

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekdayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const dateFormat = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

const DAY_MS = 86_400_000;

export const clockTime = (ms: number): string => clockFormat.format(ms);
export const fullTime = (ms: number): string => fullFormat.format(ms);
export const shortDate = (ms: number): string => dateFormat.format(ms);

/** Calendar days between two moments in the local time zone (23- and 25-hour days count as one). */
export function daysBetween(earlier: number, later: number): number {
  return Math.round((startOfDay(later) - startOfDay(earlier)) / DAY_MS);
}

/** For the list: the clock today, the weekday within a week, else the date. */
export function listTime(ms: number, now: number): string {
  const days = daysBetween(ms, now);
  if (days <= 0) return clockTime(ms);
  return days < 7 ? weekdayFormat.format(ms) : shortDate(ms);
}

/** For the line between two days. */
export function dayName(ms: number, now: number): string {
  const days = daysBetween(ms, now);
  if (days === 0) return text.time.today;
  if (days === 1) return text.time.yesterday;
  return days > 300 ? shortDate(ms) : dayFormat.format(ms);
}

/** A day within the next week or so, and the time: `Sunday 29 November, 14:05`. */
export const dayAndTime = (ms: number): string => `${dayFormat.format(ms)}, ${clockTime(ms)}`;

/** `0 KiB`, `340 KiB`, `1.5 MiB`: never less than it is. */
export function size(bytes: number): string {
  const kib = Math.ceil(bytes / 1024);
  if (kib < 1024) return `${kib} KiB`;
  const mib = Math.ceil((bytes / 1024 / 1024) * 10) / 10;
  return `${mib} MiB`;
}

/** A countdown: `9:05`, or `12 s` below a minute; never negative. */
export function countdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return text.time.seconds(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** Splits into groups for reading aloud: `abcd efgh ijkl`. Spaces already there are ignored. */
export function grouped(code: string, size: number): string[] {
  return code.replaceAll(/\s/g, '').match(new RegExp(`.{1,${size}}`, 'g')) ?? [];
}

/** UTF-8 bytes of a text. */
export function utf8Bytes(value: string): number {
  return new TextEncoder().encode(value).length;
}

/** What stands in the circle: the first letter or sign of a name. */
export function initial(nick: string): string {
  const [first] = new Intl.Segmenter().segment(nick.trim());
  return first?.segment.toLocaleUpperCase() ?? '?';
}

/** For a group: the first signs of its first two words. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).slice(0, 2);
  return words.map(initial).join('');
}

const COLOURS = 6;

/** One of the colours in `styles/people.ts`, always the same for one id. */
export function colourOf(id: string): number {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 65_521;
  return sum % COLOURS;
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
