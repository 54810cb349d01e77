import { utf8Bytes } from './format.ts';
import { text } from './text.ts';

/** The core's rule for names, said here before anything is sent; the core holds it in any case. */
const DISGUISE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u00ad\u200b\u2060-\u2064\ufeff]/u;
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;
const NICK_BYTES = 64;
const GROUP_NAME_BYTES = 128;

/** What is wrong with a name; null when nothing is. */
export function problemWithNick(nick: string): string | null {
  if (!VISIBLE.test(nick)) return text.nick.missing;
  if (utf8Bytes(nick) > NICK_BYTES) return text.nick.tooLong;
  return DISGUISE.test(nick) ? text.nick.disguised : null;
}

/** The same for the name of a group. */
export function problemWithGroupName(name: string): string | null {
  if (!VISIBLE.test(name)) return text.group.noName;
  if (utf8Bytes(name) > GROUP_NAME_BYTES) return text.group.nameTooLong;
  return DISGUISE.test(name) ? text.nick.disguised : null;
}
