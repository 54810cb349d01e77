import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from './limits.ts';

/** A collection's entry says which kind it was; the types of Node leave that open. */
type Collection = { readonly detail?: { readonly kind?: number } };

/**
 * Has garbage collected before much of it has gathered. What lives as long as a connection outlives the nursery, and
 * the engine, which knows nothing of a messenger's size, leaves it lying until the heap is several times as large. It
 * is looked at after a collection of the nursery only: a core that has nothing to do is not woken.
 */
export function collectEarly(): void {
  let collect: (() => void) | undefined;
  let leftBytes = bytesInUse();
  let notBeforeMs = 0;
  const observer = new PerformanceObserver(list => {
    const entries = list.getEntries() as Collection[];
    if (entries.some(({ detail }) => detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR)) leftBytes = bytesInUse();
    if (bytesInUse() - leftBytes < LIMITS.garbageBytes) return;
    const startedAtMs = performance.now();
    if (startedAtMs < notBeforeMs) return;
    collect ??= collector();
    collect();
    const endedAtMs = performance.now();
    leftBytes = bytesInUse();
    notBeforeMs = endedAtMs + (endedAtMs - startedAtMs) * LIMITS.collectionRest;
  });
  observer.observe({ entryTypes: ['gc'] });
}

/** Asked for when it is first needed: as a flag of the runtime it would cost every start 40 ms. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

/** Objects, and the buffers that lie outside the heap. */
function bytesInUse(): number {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return used_heap_size + external_memory;
}
