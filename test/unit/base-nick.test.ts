import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../core/base/errors.ts';
import { isNick, requireNick } from '../../core/base/nick.ts';

const GOOD = [
  'Ada',
  'Ж',
  'Нина Петровна',
  'عائشة',
  'דוד',
  '明日香',
  'می‌خواهم',
  '👩‍🚀',
  '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  "O'Neil <b>",
  'x'.repeat(64),
];

const BAD: readonly (readonly [why: string, nick: string])[] = [
  ['empty', ''],
  ['spaces only', ' \u00a0\u3000'],
  ['65 bytes', 'x'.repeat(65)],
  ['33 letters of two bytes', 'é'.repeat(33)],
  ['a line end', 'Ada\nBen'],
  ['an escape sequence', '\u001b[31mAda'],
  ['a C1 control', 'Ada\u009b'],
  ['right-to-left override', 'Ada\u202efdp'],
  ['left-to-right override', '\u202dAda'],
  ['an embedding', '\u202aAda\u202c'],
  ['an isolate', '\u2067Ada\u2069'],
  ['a direction mark', 'Ada\u200f'],
  ['Arabic letter mark', '\u061cAda'],
  ['a line separator', 'Ada\u2028Ben'],
  ['zero-width spaces only', '\u200b\u200b'],
  ['joiners only', '\u200d\u200c'],
  ['a zero-width space within', 'A\u200bda'],
  ['word joiner within', 'A\u2060da'],
  ['byte order mark', '\ufeffAda'],
  ['soft hyphen', 'A\u00adda'],
  ['Hangul filler only', '\u3164'],
  ['blank Braille only', '\u2800'],
  ['a combining mark alone', '\u0301'],
];

test('names of many scripts are names', () => {
  for (const nick of GOOD) assert.equal(isNick(nick), true, JSON.stringify(nick));
});

for (const [why, nick] of BAD) {
  test(`not a name: ${why}`, () => {
    assert.equal(isNick(nick), false);
    assert.throws(() => requireNick(nick, 'test'), UsageError);
  });
}
