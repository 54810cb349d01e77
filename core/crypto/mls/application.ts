import { concat } from '../../base/bytes.ts';
import type { RandomSource } from '../../base/clock.ts';
import { DecodeError } from '../../base/errors.ts';
import { refused } from './failure.ts';
import { type GroupState, groupSuite, type Member, memberAt, requireLeaf } from './group-state.ts';
import { applicationToSign, CONTENT, openPrivate, readPrivateMessage, sealPrivate } from './private-message.ts';
import { wipeConsumed, wipeMade } from './secret-tree.ts';
import { Reader, varBytes } from './wire.ts';

const NOTHING = new Uint8Array();
const TBS_LABEL = 'FramedContentTBS';

export interface SealedApplication {
  readonly message: Buffer;
  /** Takes the place of the state that was passed in; stored before the message leaves. */
  readonly state: GroupState;
}

export interface OpenedApplication {
  readonly sender: Member;
  readonly data: Uint8Array;
  readonly authenticatedData: Uint8Array;
  /** Takes the place of the state that was passed in. */
  readonly state: GroupState;
}

/**
 * Seals application data to the members of an epoch (RFC 9420 §15). Proposals that wait do not stand in the way,
 * whatever §12.4 says: with no server to order commits they may wait for days (docs/decisions/0013).
 * @param authenticatedData readable by whoever carries the message, and authentic
 */
export function sealApplication(
  state: GroupState,
  data: Uint8Array,
  random: RandomSource,
  authenticatedData: Uint8Array = NOTHING,
): SealedApplication {
  const toSign = applicationToSign(state, state.path.leafIndex, data, authenticatedData);
  const signature = groupSuite(state).sign(state.signatureSecret, TBS_LABEL, toSign);
  const plaintext = concat(varBytes(data), varBytes(signature));
  const { message, taken } = sealPrivate(state, CONTENT.application, plaintext, authenticatedData, random);
  wipeConsumed(taken);
  return { message, state: { ...state, secretTree: taken.tree } };
}

/**
 * Opens application data of any epoch whose state is at hand, in whatever order it comes, and each message once.
 * @throws DecodeError not such a message; AuthError not of this epoch, not authentic, or opened before. The state is
 *   then as it was.
 */
export function openApplication(state: GroupState, bytes: Uint8Array): OpenedApplication {
  const message = readPrivateMessage(bytes);
  if (message.contentType !== CONTENT.application) throw new DecodeError('mls.application');
  const { sender, plaintext, taken } = openPrivate(state, message);
  try {
    const { authenticatedData } = message;
    const data = readSigned(state, sender, plaintext, authenticatedData);
    const opened = { sender: memberAt(state, sender), data, authenticatedData };
    wipeConsumed(taken);
    return { ...opened, state: { ...state, secretTree: taken.tree } };
  } catch (cause) {
    wipeMade(taken);
    throw cause;
  }
}

/** RFC 9420 §6.3.1, PrivateMessageContent of application data. */
function readSigned(state: GroupState, sender: number, plaintext: Uint8Array, authenticatedData: Uint8Array) {
  const leaf = requireLeaf(state, sender);
  const reader = new Reader(plaintext);
  const [data, signature] = [reader.varBytes(), reader.varBytes()];
  if (reader.rest().some(byte => byte !== 0)) throw new DecodeError('mls.padding');
  const signed = applicationToSign(state, sender, data, authenticatedData);
  if (!groupSuite(state).verify(leaf.signaturePublicKey, TBS_LABEL, signed, signature)) throw refused('mls.signature');
  return data;
}
