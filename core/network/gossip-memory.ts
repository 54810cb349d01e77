import { InternalError } from '../base/errors.ts';

/** What gossipsub remembers of every message for two minutes, however many there are; its type shows none of it. */
export interface GossipCaches {
  readonly seenCache: { readonly entries: Map<string, unknown> };
  readonly score: {
    readonly deliveryRecords: {
      readonly records: Map<string, unknown>;
      readonly queue: { readonly length: number; shift(): { readonly msgId: string } | undefined };
    };
  };
}

/** @throws InternalError another version of gossipsub, which keeps it elsewhere */
export function cachesOf(router: object): GossipCaches {
  const { seenCache, score } = router as Partial<GossipCaches>;
  const { records, queue } = score?.deliveryRecords ?? {};
  if (seenCache?.entries instanceof Map && records instanceof Map && typeof queue?.shift === 'function') {
    return router as GossipCaches;
  }
  throw new InternalError('gossip.memory');
}

/** Forgets the oldest past so many: a copy that comes later is judged once more, and known to the layer above. */
export function boundCaches({ seenCache, score }: GossipCaches, most: number): void {
  const { records, queue } = score.deliveryRecords;
  for (const oldest of seenCache.entries.keys()) {
    if (seenCache.entries.size <= most) break;
    seenCache.entries.delete(oldest);
  }
  while (queue.length > most) {
    const oldest = queue.shift();
    if (oldest) records.delete(oldest.msgId);
  }
}
