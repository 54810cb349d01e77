import * as v from 'valibot';
import type { BundleReport } from '../state/bundles.ts';
import { GROUP_METHODS } from './group-methods.ts';
import { conversation } from './group-shapes.ts';
import { done, invite, link, method, nick, none, passphrase, text, who, whoOrGroup } from './parameters.ts';
import {
  contact,
  contactRequest,
  count,
  custody,
  id,
  message,
  profile,
  proof,
  settings,
  status,
  timeMs,
  verification,
} from './shapes.ts';

/**
 * The request, response and event types of the local API (docs/protocol/api.md is generated from this file).
 * The page takes only types from here; the API checks every parameter against these schemas.
 */

export {
  type Conversation,
  conversation,
  type Group,
  type GroupDetails,
  type GroupMember,
  group,
  groupDetails,
  groupMember,
} from './group-shapes.ts';
export { type ApiEvent, EVENTS, type EventData, type EventName } from './schema-events.ts';
export {
  type Contact,
  type ContactRequest,
  type CoreState,
  type Custody,
  contact,
  contactRequest,
  custody,
  type Message,
  type MessageState,
  message,
  type Notice,
  notice,
  type Profile,
  type Proof,
  profile,
  proof,
  type Reach,
  reach,
  type Settings,
  type Status,
  settings,
  status,
  type Trust,
  type Verification,
  verification,
} from './shapes.ts';

const byWho = v.strictObject({ who });

export const METHODS = {
  'status.get': method({ summary: 'What the core is and does.', params: none, result: status, errors: [] }),
  'core.stop': method({ summary: 'Stops the core cleanly.', params: none, result: done, errors: [] }),
  'window.open': method({
    summary: 'Opens a window on the core; the address holds a one-use code.',
    params: v.strictObject({ launch: v.optional(v.boolean(), true) }),
    result: v.object({ url: v.string(), launched: v.boolean() }),
    errors: [],
  }),
  'settings.set': method({
    summary: 'Changes settings of this data folder that are no secret; `status.get` shows them.',
    params: v.strictObject({ theme: settings.entries.theme }),
    result: settings,
    errors: ['disk-full', 'disk-failed'],
  }),
  'link.open': method({
    summary: 'Opens a web address in the default browser. Only http and https, without a name or password in it.',
    params: v.strictObject({ url: link }),
    result: v.object({ url: v.pipe(v.string(), v.description('the address as it was handed over')) }),
    errors: ['refused'],
  }),
  'profile.create': method({
    summary: 'Makes the profile: new keys, sealed under the passphrase.',
    params: v.strictObject({ nick, passphrase }),
    result: profile,
    errors: ['already-exists', 'disk-full', 'disk-failed'],
  }),
  'profile.get': method({
    summary: 'The own profile.',
    params: none,
    result: profile,
    errors: ['locked', 'no-profile'],
  }),
  'profile.rename': method({
    summary: 'Changes the own nick; contacts learn it.',
    params: v.strictObject({ nick }),
    result: profile,
    errors: ['locked'],
  }),
  'vault.unlock': method({
    summary: 'Opens the profile by passphrase, or by the system keychain when none is given.',
    params: v.strictObject({ passphrase: v.optional(passphrase) }),
    result: profile,
    errors: [
      'no-profile',
      'wrong-passphrase',
      'unlock-delayed',
      'vault-damaged',
      'database-damaged',
      'keychain-unavailable',
      'newer-format',
    ],
  }),
  'vault.lock': method({ summary: 'Closes the profile and wipes its keys.', params: none, result: done, errors: [] }),
  'vault.changePassphrase': method({
    summary: 'Seals the data key under a new passphrase.',
    params: v.strictObject({ current: passphrase, next: passphrase }),
    result: done,
    errors: ['locked', 'wrong-passphrase', 'unlock-delayed'],
  }),
  'vault.keychain': method({
    summary: 'Lets the system keychain open the profile, or takes that back.',
    params: v.strictObject({ enabled: v.boolean() }),
    result: v.object({ enabled: v.boolean() }),
    errors: ['locked', 'keychain-unavailable'],
  }),
  'invite.create': method({
    summary: 'An invite, good for seven days; asked for again within an hour it is the same one.',
    params: none,
    result: v.object({ invite: v.string(), expiresAt: timeMs() }),
    errors: ['locked'],
  }),
  'contacts.list': method({ summary: 'All contacts.', params: none, result: v.array(contact), errors: ['locked'] }),
  'contacts.add': method({
    summary: 'Asks the person behind an invite to become a contact; a contact that moved is found again by it.',
    params: v.strictObject({ invite, nick: v.optional(nick) }),
    result: contact,
    errors: ['locked', 'bad-bytes', 'refused', 'unreachable', 'limit-reached'],
  }),
  'contacts.rename': method({
    summary: 'Gives a contact an own nick.',
    params: v.strictObject({ who, nick }),
    result: contact,
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'contacts.remove': method({
    summary: 'Removes a contact, its messages and its sessions.',
    params: byWho,
    result: done,
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'requests.list': method({
    summary: 'People who ask to become contacts.',
    params: none,
    result: v.array(contactRequest),
    errors: ['locked'],
  }),
  'requests.accept': method({
    summary: 'Accepts a request.',
    params: v.strictObject({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) }),
    result: contact,
    errors: ['locked', 'not-found', 'ambiguous', 'limit-reached'],
  }),
  'requests.decline': method({
    summary: 'Declines a request; the other side is not told.',
    params: v.strictObject({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(256)) }),
    result: done,
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'conversations.list': method({
    summary: 'All conversations, the latest first.',
    params: none,
    result: v.array(conversation),
    errors: ['locked'],
  }),
  'messages.send': method({
    summary: 'Sends a text. Answers when it is stored; delivery follows by events.',
    params: v.strictObject({ who: whoOrGroup, text }),
    result: message,
    errors: ['locked', 'not-found', 'ambiguous', 'refused', 'limit-reached', 'busy', 'disk-full', 'disk-failed'],
  }),
  'messages.list': method({
    summary: 'The newest messages of a conversation, oldest first; `before` reads further back.',
    params: v.strictObject({
      who: whoOrGroup,
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10_000)), 50),
      before: v.optional(id()),
    }),
    result: v.object({
      messages: v.array(message),
      more: v.boolean(),
      completeUpTo: v.nullable(
        v.pipe(id(), v.description('up to here nothing is missing that any message here answers to')),
      ),
      missing: v.pipe(count(), v.description('messages that others here answer to, and that have not come')),
    }),
    errors: ['locked', 'not-found', 'ambiguous', 'database-damaged'],
  }),
  'messages.sendAgain': method({
    summary: 'Sends the text of an expired message as a new one; the expired one stays as it is.',
    params: v.strictObject({ id: id() }),
    result: message,
    errors: ['locked', 'not-found', 'refused', 'limit-reached', 'busy', 'disk-full', 'disk-failed'],
  }),
  'messages.proof': method({
    summary: 'What the recipient and custodians have signed about an own message.',
    params: v.strictObject({ id: id() }),
    result: v.object({ id: id(), proofs: v.array(proof) }),
    errors: ['locked', 'not-found', 'database-damaged'],
  }),
  'messages.markRead': method({
    summary: 'Marks received messages read, up to and with `upTo`; the sender gets a receipt.',
    params: v.strictObject({ who: whoOrGroup, upTo: v.optional(id()) }),
    result: done,
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  ...GROUP_METHODS,
  'custody.get': method({
    summary: 'What this profile holds for others.',
    params: none,
    result: custody,
    errors: ['locked'],
  }),
  'custody.set': method({
    summary: 'Turns holding for others on or off. What was promised is held to its end.',
    params: v.strictObject({ holds: v.boolean() }),
    result: custody,
    errors: ['locked', 'disk-full', 'disk-failed'],
  }),
  'verification.start': method({
    summary: 'Begins a one-time code with a contact; this side shows it.',
    params: byWho,
    result: verification,
    errors: ['locked', 'not-found', 'ambiguous', 'refused'],
  }),
  'verification.get': method({
    summary: 'The verification under way with a contact.',
    params: byWho,
    result: v.nullable(verification),
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'verification.enter': method({
    summary: 'Compares the code the other side shows; a match marks the contact verified.',
    params: v.strictObject({ who, code: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
    result: verification,
    errors: ['locked', 'not-found', 'ambiguous', 'code-mismatch', 'code-burnt', 'refused'],
  }),
  'verification.confirm': method({
    summary: 'The person on the side that shows says that the other person reported a match.',
    params: byWho,
    result: contact,
    errors: ['locked', 'not-found', 'ambiguous', 'refused'],
  }),
  'verification.cancel': method({
    summary: 'Gives up the code under way; the other side learns it. Without one nothing changes.',
    params: byWho,
    result: v.nullable(verification),
    errors: ['locked', 'not-found', 'ambiguous'],
  }),
  'panic.wipe': method({
    summary: 'Destroys the keys, then the files, then stops the core. There is no way back.',
    params: v.strictObject({ confirm: v.literal('wipe') }),
    result: v.object({ keysGoneMs: v.number() }),
    errors: ['disk-failed'],
  }),
} as const;

/** What `POST /bundle/import` answers. */
export type { BundleReport };

export type Methods = typeof METHODS;
export type MethodName = keyof Methods;
export type Params<M extends MethodName> = v.InferInput<Methods[M]['params']>;
/** Parameters as a command receives them: checked, with defaults filled in. */
export type Checked<M extends MethodName> = v.InferOutput<Methods[M]['params']>;
export type Result<M extends MethodName> = v.InferOutput<Methods[M]['result']>;

/** One handler a method; the API is generic over it. */
export type CommandTable = { [M in MethodName]: (params: Checked<M>) => Promise<Result<M>> };
