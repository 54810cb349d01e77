import * as v from 'valibot';
import { NOTICE_KINDS } from '../wire/notice.ts';

/** What the API shows of people, messages and the core itself; schema.ts says where. */

export const id = () => v.pipe(v.string(), v.regex(/^[a-z2-7]{26}$/), v.description('26 base32 characters'));
export const timeMs = () => v.pipe(v.number(), v.integer(), v.description('milliseconds since 1970-01-01 UTC'));
export const count = () => v.pipe(v.number(), v.integer(), v.minValue(0));

export const messageState = v.picklist(['queued', 'held', 'sent', 'delivered', 'read', 'expired', 'received']);
export const trust = v.picklist(['unverified', 'verified', 'changed']);
export const syncDirection = v.pipe(
  v.picklist(['out', 'in']),
  v.description('out: what waited here goes to the contact; in: what the contact held comes here'),
);
export const coreState = v.picklist(['no-profile', 'locked', 'unlocked', 'stopping']);

const person = v.object({ id: id(), nick: v.string() });

/** What stands in a group's conversation between the texts: its message has an empty text. */
export const notice = v.object({
  kind: v.pipe(
    v.picklist(NOTICE_KINDS),
    v.description(
      'fork-healed: two halves of the group are one again; equivocation: `member` signed two different things in one place; ' +
        'hole: something of `member` has not come; returned: `member` had lost its way or its record, and is back',
    ),
  ),
  by: v.nullable(v.pipe(person, v.description('who did it'))),
  member: v.nullable(v.pipe(person, v.description('to whom'))),
  name: v.nullable(v.pipe(v.string(), v.description('of made and renamed'))),
  count: v.nullable(v.pipe(count(), v.description('of hole: how many; of fork-healed: epochs gone back'))),
});

export const reach = v.object({
  deliveredTo: v.pipe(count(), v.description('members known to have it')),
  of: v.pipe(count(), v.description('members it is meant for')),
});

export const message = v.object({
  id: id(),
  conversation: id(),
  from: v.pipe(id(), v.description('contact id of the sender; the own id for own messages')),
  fromNick: v.string(),
  outgoing: v.boolean(),
  text: v.string(),
  sentAt: timeMs(),
  place: v.pipe(v.string(), v.description('the order of a conversation: its messages stand sorted by this text')),
  state: v.pipe(
    messageState,
    v.description(
      'own: queued, held, delivered, read or expired; in a group queued, sent or delivered; others: received',
    ),
  ),
  heldBy: v.pipe(count(), v.description('contacts that hold it for its recipient, by their signed receipts')),
  until: v.nullable(v.pipe(timeMs(), v.description('until when the last of them holds it'))),
  late: v.pipe(v.boolean(), v.description('it came after messages that stand below it')),
  notice: v.nullable(v.pipe(notice, v.description('what happened in a group; null: a text'))),
  reach: v.nullable(v.pipe(reach, v.description('of an own text in a group'))),
});

const hexBytes = (what: string) =>
  v.pipe(v.string(), v.regex(/^([0-9a-f]{2})+$/), v.description(`hexadecimal: ${what}`));

export const proof = v.object({
  says: v.picklist(['held', 'delivered', 'read']),
  at: v.pipe(timeMs(), v.description('when it was signed; of held, until when; by the signer’s clock')),
  by: v.nullable(v.pipe(v.string(), v.description('nick of the contact that signed; null: no contact any more'))),
  identity: hexBytes('Ed25519 key of who signed'),
  statement: hexBytes('the bytes that the signature covers'),
  signature: hexBytes('Ed25519 signature'),
});

export const safetyNumber = v.pipe(v.string(), v.description('60 digits in groups of 5'));

export const contact = v.object({
  id: id(),
  conversation: id(),
  nick: v.pipe(v.string(), v.description('own choice, else what the contact calls itself')),
  claimedNick: v.string(),
  phase: v.pipe(
    v.picklist(['requested', 'accepted']),
    v.description('requested: we asked, the other side has not answered'),
  ),
  trust,
  online: v.boolean(),
  addable: v.pipe(v.boolean(), v.description('has given what it takes to add it to a group')),
  safetyNumber,
  addedAt: timeMs(),
  lastSeenAt: v.nullable(timeMs()),
});

export const contactRequest = v.object({
  id: id(),
  nick: v.string(),
  safetyNumber,
  receivedAt: timeMs(),
});

export const profile = v.object({ id: id(), nick: v.string(), createdAt: timeMs() });

export const verification = v.object({
  contact: id(),
  role: v.pipe(v.picklist(['shows', 'types']), v.description('which side shows the code, which types it')),
  phase: v.pipe(
    v.picklist(['exchanging', 'ready', 'matched', 'verified', 'cancelled', 'burnt', 'expired']),
    v.description(
      'matched: the other side reports a match, which the person on the side that shows still has to confirm; ' +
        'verified, cancelled, burnt and expired are ends',
    ),
  ),
  code: v.nullable(v.pipe(v.string(), v.description('12 base32 characters, for the side that shows'))),
  triesLeft: count(),
  expiresAt: timeMs(),
});

export const custody = v.object({
  holds: v.pipe(v.boolean(), v.description('takes envelopes for contacts that are away')),
  helper: v.pipe(v.boolean(), v.description('started as a helper: holds whatever the setting says')),
  envelopes: count(),
  bytes: count(),
  limitBytes: count(),
});

/** Choices that are no secret and hold for the locked page too; they stand in `settings.json`. */
export const settings = v.object({
  theme: v.pipe(v.picklist(['auto', 'light', 'dark']), v.description('auto follows the system')),
  custody: v.pipe(v.optional(v.boolean(), true), v.description('hold envelopes for contacts that are away')),
});

export const status = v.object({
  version: v.string(),
  state: coreState,
  pid: count(),
  dataDirectory: v.string(),
  startedAt: timeMs(),
  unlockAllowedAt: v.pipe(timeMs(), v.description('before this no passphrase is tried')),
  profile: v.nullable(profile),
  network: v.object({
    online: v.boolean(),
    offlineMode: v.boolean(),
    peerId: v.nullable(v.string()),
    addresses: v.array(v.string()),
    peers: count(),
  }),
  keychain: v.object({ available: v.boolean(), enabled: v.boolean(), reason: v.nullable(v.string()) }),
  hardening: v.object({
    addon: v.pipe(v.picklist(['loaded', 'missing']), v.description('the native addon')),
    coreDumps: v.picklist(['off', 'unknown']),
    memory: v.picklist(['locked', 'unlocked']),
    missing: v.pipe(v.array(v.string()), v.description('what is missing and what to do, a sentence each')),
  }),
  settings,
  queued: v.pipe(count(), v.description('own messages not yet delivered')),
  restoredAt: v.nullable(
    v.pipe(timeMs(), v.description('when this run found that the profile is an old copy, and began its sessions anew')),
  ),
  memoryBytes: count(),
});

export type MessageState = v.InferOutput<typeof messageState>;
export type Trust = v.InferOutput<typeof trust>;
export type CoreState = v.InferOutput<typeof coreState>;
export type Notice = v.InferOutput<typeof notice>;
export type Reach = v.InferOutput<typeof reach>;
export type Message = v.InferOutput<typeof message>;
export type Proof = v.InferOutput<typeof proof>;
export type Contact = v.InferOutput<typeof contact>;
export type ContactRequest = v.InferOutput<typeof contactRequest>;
export type Profile = v.InferOutput<typeof profile>;
export type Verification = v.InferOutput<typeof verification>;
export type Custody = v.InferOutput<typeof custody>;
export type Settings = v.InferOutput<typeof settings>;
export type Status = v.InferOutput<typeof status>;
