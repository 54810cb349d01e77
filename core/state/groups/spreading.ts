import type { ContactId, EnvelopeId, GroupId } from '../../base/ids.ts';
import type { WriteTx } from '../../storage/store.ts';

/** A sealed envelope of a group, to be brought to its members. */
export interface Published {
  readonly group: GroupId;
  readonly envelope: Uint8Array;
  /** 32 */
  readonly envelopeId: EnvelopeId;
  readonly expiresAtMs: number;
}

/** An envelope that is to be kept for other members: an own one, or one that came. */
export interface KeptEnvelope extends Pick<Published, 'group' | 'envelope'> {
  /** Who sealed it; null when that is not known. */
  readonly by: ContactId | null;
}

/** Inside the write that makes an envelope durable: what is kept here is never less than what was said. */
export type KeepEnvelope = (tx: WriteTx, kept: KeptEnvelope) => void;

/** `deaf`: it is connected and takes no part in the group's topic; it may have lost the group. */
export type Hearing = 'hears' | 'deaf' | 'away';

/** After that write. */
export type PublishListener = (group: GroupId, envelope: Uint8Array) => void;
