import { LIMITS } from '../base/limits.ts';
import type { Context } from './context.ts';

/** Removes requests so old that the prekey they were made with may be gone: they could not be accepted any more. */
export async function expireRequests({ store, bus, clock }: Context): Promise<void> {
  const old = store.requests.list().filter(request => request.receivedAtMs + LIMITS.requestKeepMs <= clock());
  if (old.length === 0) return;
  await store.write(tx => {
    for (const { id } of old) store.requests.remove(tx, id);
  });
  for (const { id } of old) bus.emit({ type: 'request-closed', id });
}
