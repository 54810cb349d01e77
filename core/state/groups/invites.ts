import { equalBytes } from '../../base/bytes.ts';
import { HOUR_MS } from '../../base/clock.ts';
import { UsageError } from '../../base/errors.ts';
import { blake2b } from '../../base/hash.ts';
import { type ContactId, type GroupId, idBytes } from '../../base/ids.ts';
import { LABEL } from '../../base/labels.ts';
import { encodeCbor } from '../../wire/cbor.ts';
import { encodeContent } from '../../wire/content.ts';
import {
  decodeGroupInvite,
  decodeJoinAsk,
  encodeGroupInvite,
  encodeJoinAsk,
  type JoinAsk,
  PASS_BYTES,
} from '../../wire/group-invite.ts';
import { PARCEL_ID_BYTES } from '../../wire/group-parcel.ts';
import { decodeInvite, encodeInvite, inviteExpired } from '../../wire/invite.ts';
import type { Context } from '../context.ts';
import type { Messenger } from '../messenger.ts';

/**
 * A link by which whoever holds it asks to be added: an invite of one's own with the group in it.
 * @throws UsageError not an admin of it
 */
export async function inviteToGroup(
  messenger: Messenger,
  group: GroupId,
): Promise<{ invite: string; expiresAtMs: number }> {
  const { name, phase, admin } = messenger.groups.get(group);
  if (phase !== 'member' || !admin) throw refused('groups.invite', 'Only an admin of the group can do that.');
  const { invite: text, expiresAtMs } = await messenger.createInvite();
  const invite = decodeInvite(text);
  const pass = passFor(messenger.context, group, invite.expiresAtHours);
  return { invite: encodeGroupInvite({ group, name, pass, invite }), expiresAtMs };
}

/**
 * Asks whoever made a link to be added, once it is a contact.
 * @throws DecodeError a mistyped link; UsageError expired, one's own, or of a group one is in; TransientError nobody answers
 */
export async function askToJoin(messenger: Messenger, text: string): Promise<{ contact: ContactId; name: string }> {
  const { group, name, pass, invite } = decodeGroupInvite(text);
  const { store, clock, random, sequence, pendingAdded } = messenger.context;
  if (inviteExpired(invite, clock())) throw refused('groups.join', 'The invite has expired; ask for a new one.');
  if (messenger.groups.list().some(({ id, phase }) => id === group && phase === 'member')) {
    throw new UsageError('already-exists', 'groups.join', 'You are in this group already.');
  }
  const known = store.contacts.byIdentity(invite.identity);
  const contact = known ? known.id : await messenger.addContact(encodeInvite(invite), '');
  const bytes = encodeJoinAsk({ expiresAtHours: invite.expiresAtHours, pass });
  const parcel = { what: 'join', id: random(PARCEL_ID_BYTES), index: 0, count: 1, bytes } as const;
  const content = encodeContent({ kind: 'group', group, parcel });
  await store.write(tx => store.pending.add(tx, contact, sequence.next(), content));
  pendingAdded(contact);
  return { contact, name };
}

/** Whether what somebody asks with is of a link made here that still holds. @throws DecodeError */
export function isOwnLink(context: Context, group: GroupId, bytes: Uint8Array): boolean {
  const { expiresAtHours, pass }: JoinAsk = decodeJoinAsk(bytes);
  return expiresAtHours * HOUR_MS > context.clock() && equalBytes(passFor(context, group, expiresAtHours), pass);
}

/** Ed25519 signatures are the same each time (RFC 8032): a hash of one is a secret that need not be kept. */
function passFor({ account }: Context, group: GroupId, expiresAtHours: number): Buffer {
  return blake2b(PASS_BYTES, account.identity.sign(LABEL.groupLink, encodeCbor([idBytes(group), expiresAtHours])));
}

function refused(operation: string, message: string): UsageError {
  return new UsageError('refused', operation, message);
}
