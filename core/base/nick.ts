import { UsageError } from './errors.ts';
import { LIMITS } from './limits.ts';

/**
 * Signs that could make one name pass for another, or turn the words around it: control characters and line ends, every
 * bidirectional control (UAX #9 §2), and the invisible ones no script needs. The joiners stay: Persian and emoji use them.
 */
const DISGUISE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\u00ad\u200b\u2060-\u2064\ufeff]/u;
/** Something that leaves a mark on the screen; U+2800 is a letter that does not. */
const VISIBLE = /[^\p{Z}\p{Cc}\p{Cf}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u;

/** Whether a text may stand as a name: 1 to LIMITS.nickBytes of UTF-8, something to see, nothing that disguises. */
export function isNick(nick: string): boolean {
  return isName(nick, LIMITS.nickBytes);
}

/** The same for the name of a group: up to LIMITS.groupNameBytes. */
export function isGroupName(name: string): boolean {
  return isName(name, LIMITS.groupNameBytes);
}

function isName(text: string, maxBytes: number): boolean {
  return VISIBLE.test(text) && !DISGUISE.test(text) && Buffer.byteLength(text) <= maxBytes;
}

/** @throws UsageError `bad-request` */
export function requireNick(nick: string, operation: string): void {
  if (isNick(nick)) return;
  const message = `A name has 1 to ${LIMITS.nickBytes} bytes, something to see, and no control or invisible characters.`;
  throw new UsageError('bad-request', operation, message);
}
