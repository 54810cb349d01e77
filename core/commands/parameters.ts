import * as v from 'valibot';
import type { ErrorCode } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { isGroupName, isNick } from '../base/nick.ts';

/** The forms that parameters of the API have in common. */

const utf8Max = (bytes: number) =>
  v.check<string, string>(text => new TextEncoder().encode(text).length <= bytes, `at most ${bytes} bytes of UTF-8`);

const named = (what: string) => v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.description(what));

export const nick = v.pipe(
  v.string(),
  v.trim(),
  v.check(isNick, `a name of 1 to ${LIMITS.nickBytes} bytes without control or invisible characters`),
  v.description('a name to show'),
);
export const groupName = v.pipe(
  v.string(),
  v.trim(),
  v.check(isGroupName, `a name of 1 to ${LIMITS.groupNameBytes} bytes without control or invisible characters`),
  v.description('the name of a group'),
);
export const passphrase = v.pipe(v.string(), v.minLength(1), v.maxLength(1024), v.description('the passphrase'));
export const who = named('nick, contact id or conversation id');
export const whoOrGroup = named('contact or group: nick or name, id or conversation id');
export const group = named('name, group id or conversation id');
export const member = named('a member: nick or contact id');
export const text = v.pipe(v.string(), v.minLength(1), utf8Max(LIMITS.textBytes), v.description('what to say'));
export const invite = v.pipe(v.string(), v.maxLength(2048), v.description('molva:1/...'));
export const groupInvite = v.pipe(v.string(), v.maxLength(2048), v.description('molva:g1/...'));
export const link = v.pipe(v.string(), v.minLength(1), v.maxLength(LIMITS.linkCharacters), v.description('an address'));

export interface MethodSpec {
  readonly summary: string;
  readonly params: v.GenericSchema;
  readonly result: v.GenericSchema;
  /** Beside `bad-request`, `unauthorized` and `internal`, which every method can give. */
  readonly errors: readonly ErrorCode[];
}

export const method = <const M extends MethodSpec>(spec: M): M => spec;

export const none = v.strictObject({});
export const done = v.object({ done: v.literal(true) });
