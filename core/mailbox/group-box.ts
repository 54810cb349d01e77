import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';

/**
 * Room in the box where a member keeps a group's envelopes for the others (docs/protocol/mailbox.md §8). Whoever has put
 * most into it makes room: who floods a group displaces itself, and what the others said stays for its week.
 */
export interface KeptEnvelope {
  readonly envelopeId: EnvelopeId;
  /** Whoever sealed it, by a name that is the same for all its envelopes of the group. */
  readonly depositor: ContactId | null;
  readonly bytes: number;
}

export interface GroupRoom {
  /** What the box holds. */
  readonly envelopes: number;
  readonly bytes: number;
  /** Everything held here, for groups and others. */
  readonly totalBytes: number;
  /** The box by age, oldest first; read only when it is full. */
  readonly box: Iterable<KeptEnvelope>;
}

/** @returns what goes to make room; undefined: there is none, as others hold all there is */
export function makeGroupRoom(bytes: number, room: GroupRoom): readonly EnvelopeId[] | undefined {
  const over = {
    envelopes: room.envelopes + 1 - LIMITS.groupMailbox,
    bytes: Math.max(
      room.bytes + bytes - LIMITS.groupMailboxBytes,
      // Never another recipient's: when everything is full, the group's own box gives up what is needed.
      Math.min(room.totalBytes - LIMITS.mailboxBytes, room.bytes - LIMITS.groupMailboxLeastBytes) + bytes,
    ),
  };
  if (over.envelopes <= 0 && over.bytes <= 0) return [];
  // More at once than is needed now: the next ones need not look through the box again.
  const toFree = {
    envelopes: over.envelopes > 0 ? over.envelopes + LIMITS.groupMailbox / 64 : 0,
    bytes: over.bytes > 0 ? over.bytes + LIMITS.groupMailboxBytes / 64 : 0,
  };
  const { evict, freedBytes } = takeFromLargest([...room.box], toFree);
  return freedBytes >= over.bytes && evict.length >= over.envelopes ? evict : undefined;
}

function takeFromLargest(box: readonly KeptEnvelope[], toFree: { envelopes: number; bytes: number }) {
  const parts = new Map<ContactId | null, KeptEnvelope[]>();
  for (const kept of box) {
    const part = parts.get(kept.depositor);
    if (part) part.push(kept);
    else parts.set(kept.depositor, [kept]);
  }
  const sizes = new Map([...parts].map(([by, part]) => [by, part.reduce((sum, kept) => sum + share(kept), 0)]));
  const evict: EnvelopeId[] = [];
  let freedBytes = 0;
  while (sizes.size > 0 && (evict.length < toFree.envelopes || freedBytes < toFree.bytes)) {
    const [by, size] = [...sizes].reduce((most, one) => (one[1] > most[1] ? one : most));
    const oldest = size > 0 && parts.get(by)?.shift();
    if (!oldest) break;
    sizes.set(by, parts.get(by)?.length ? (sizes.get(by) ?? 0) - share(oldest) : 0);
    evict.push(oldest.envelopeId);
    freedBytes += oldest.bytes;
  }
  return { evict, freedBytes };
}

/** Many small envelopes take up a box as few large ones do. */
function share({ bytes }: KeptEnvelope): number {
  return 1 / LIMITS.groupMailbox + bytes / LIMITS.groupMailboxBytes;
}
