import { judgeDeadline } from '../base/deadline.ts';
import { LIMITS } from '../base/limits.ts';
import type { Context } from './context.ts';

/** Removes requests so old that the prekey they were made with may be gone: they could not be accepted any more. */
export async function expireRequests({ store, bus, clock }: Context): Promise<void> {
  const nowMs = clock();
  const judged = store.requests.list().map(request => {
    return {
      request,
      verdict: judgeDeadline(request.receivedAtMs + LIMITS.requestKeepMs, LIMITS.requestKeepMs, nowMs),
    };
  });
  const due = judged.filter(({ verdict }) => verdict !== 'waits');
  if (due.length === 0) return;
  await store.write(tx => {
    for (const { request, verdict } of due) {
      if (verdict === 'over') store.requests.remove(tx, request.id);
      else store.requests.put(tx, { ...request, receivedAtMs: nowMs });
    }
  });
  for (const { request, verdict } of due) if (verdict === 'over') bus.emit({ type: 'request-closed', id: request.id });
}
