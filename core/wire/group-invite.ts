import { type GroupId, groupIdFromBytes, ID_BYTES, idBytes } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { isGroupName } from '../base/nick.ts';
import { decodeCbor, encodeCbor, Shape } from './cbor.ts';
import { decodeInviteBody, encodeInviteBody, type Invite, linkBytes, linkText } from './invite.ts';

/** By which someone asks to be added to a group: docs/protocol/group.md, "Links". */
export interface GroupInvite {
  readonly group: GroupId;
  readonly name: string;
  /** 16 bytes by which the maker knows its own links again. */
  readonly pass: Uint8Array;
  /** How the maker is reached; it says until when the link holds, too. */
  readonly invite: Invite;
}

/** What of it is given back to the maker. */
export interface JoinAsk {
  readonly expiresAtHours: number;
  readonly pass: Uint8Array;
}

export const GROUP_INVITE_PREFIX = 'molva:g1/';
export const PASS_BYTES = 16;
const VERSION = 1;
/** An invite, a name, the group's id, the pass, and CBOR heads. */
const MAX_BYTES = LIMITS.inviteBytes + LIMITS.groupNameBytes + 64;
const shape = new Shape('group-invite');

export function encodeGroupInvite({ group, name, pass, invite }: GroupInvite): string {
  return linkText(GROUP_INVITE_PREFIX, encodeCbor([VERSION, idBytes(group), name, pass, encodeInviteBody(invite)]));
}

/** Takes any case and surrounding space. @throws DecodeError not such a link, or mistyped */
export function decodeGroupInvite(link: string): GroupInvite {
  const body = linkBytes(GROUP_INVITE_PREFIX, link, MAX_BYTES);
  const [version, group, name, pass, invite] = shape.tuple(decodeCbor(body, MAX_BYTES, 'group-invite'), 5);
  shape.constant(version, VERSION);
  const text = shape.text(name, LIMITS.groupNameBytes);
  return {
    group: groupIdFromBytes(shape.bytes(group, ID_BYTES)),
    name: isGroupName(text) ? text : shape.fail(),
    pass: shape.bytes(pass, PASS_BYTES),
    invite: decodeInviteBody(shape.bytesUpTo(invite, LIMITS.inviteBytes)),
  };
}

export function encodeJoinAsk({ expiresAtHours, pass }: JoinAsk): Buffer {
  return encodeCbor([VERSION, expiresAtHours, pass]);
}

/** @throws DecodeError not the documented form */
export function decodeJoinAsk(bytes: Uint8Array): JoinAsk {
  const [version, expires, pass] = shape.tuple(decodeCbor(bytes, MAX_BYTES, 'group-invite'), 3);
  shape.constant(version, VERSION);
  return { expiresAtHours: shape.uint(expires, 0xffff_ffff), pass: shape.bytes(pass, PASS_BYTES) };
}
