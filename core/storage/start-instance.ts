import { equalBytes } from '../base/bytes.ts';
import { LIMITS } from '../base/limits.ts';
import { MAX_STARTS, runOf, startsOf } from '../wire/stamp.ts';
import type { StartMark } from './instances.ts';
import type { RowReader, Tx } from './port.ts';
import type { FormerRuns, Instance } from './records.ts';
import type { Store } from './store.ts';

/** The small file beside the database. `write` replaces it whole, and is durable when it returns. */
export interface StartsFile {
  read(): Buffer | undefined;
  write(bytes: Uint8Array): void;
  /**
   * What no copy of the file has, and the file itself has until it is written again or put back: the file system's own
   * note of its last change. Null where there is none to rely on.
   */
  place(): string | null;
}

export interface InstanceOptions {
  readonly file: StartsFile;
  /** Makes the instance of a start of this number. */
  readonly make: (starts: number) => Instance;
  /** Runs in the write that begins the instance when the profile was put back or copied: drops what must not be used. */
  readonly dropStale: (tx: Tx) => void;
}

/**
 * Begins the next instance of the profile, at every start. The file goes first, so a database put back without it is
 * noticed; the file says whether the database was yet to follow, so a start cut short is not taken for that. Last, the
 * database is told what the file system says of the file, so that both put back together are noticed. To be called
 * before anything is sealed, opened or sent.
 * @returns the instance, and whether this is a profile that was put back or copied
 * @throws StorageError disk-full, disk-failed
 */
export async function beginInstance(
  store: Store,
  { file, make, dropStale }: InstanceOptions,
): Promise<{ readonly instance: Instance; readonly restored: boolean }> {
  const { instances } = store;
  const own = instances.own();
  const bytes = file.read();
  const mark = bytes && instances.openMark(bytes);
  const restored = wasPutBack(own, mark, bytes !== undefined) || wasMoved(mark, instances.place(), file);
  const last = Math.max(own?.starts ?? 0, mark?.instance.starts ?? 0, instances.former().floor);
  const instance = make(Math.min(last + 1, MAX_STARTS));
  const begun: StartMark = { instance, begun: true, before: own?.incarnation ?? null, restored };
  file.write(instances.sealMark(begun));
  await store.write(tx => {
    if (restored) dropStale(tx);
    const none = { runs: [], floor: instance.starts };
    instances.putFormer(tx, restored ? none : formerAfter(store, own, tx));
    instances.putOwn(tx, instance);
    instances.putCount(tx, 0);
    instances.putPlace(tx, null);
  });
  file.write(instances.sealMark({ ...begun, begun: false, restored: false }));
  const place = file.place();
  if (place !== null) await store.write(tx => instances.putPlace(tx, place));
  return { instance, restored };
}

/** The name of a start in stamps. */
export function runOfInstance({ starts, incarnation }: Instance): Buffer {
  return runOf(starts, incarnation);
}

/** The run that ends joins those before it; what is too many is forgotten, and so is everything up to it. */
function formerAfter(store: Store, ended: Instance | undefined, tx: RowReader): FormerRuns {
  const { runs, floor } = store.instances.former(tx);
  if (!ended) return { runs, floor };
  const all = [{ run: runOfInstance(ended), count: store.instances.count(tx) }, ...runs];
  const forgotten = all[LIMITS.formerRuns];
  return {
    runs: all.slice(0, LIMITS.formerRuns),
    floor: Math.max(floor, forgotten ? startsOf(forgotten.run) : 0),
  };
}

/** Whether file and database are not of one and the same last start. */
function wasPutBack(own: Instance | undefined, mark: StartMark | undefined, hasFile: boolean): boolean {
  if (!mark) return own !== undefined || hasFile;
  if (own && sameInstance(own, mark.instance)) return false;
  if (!mark.begun) return true;
  const asBefore = own && mark.before ? equalBytes(own.incarnation, mark.before) : !own && !mark.before;
  return asBefore ? mark.restored : true;
}

/** Whether the file is not the one that the last start wrote, but a copy with the same bytes. A start cut short left no note. */
function wasMoved(mark: StartMark | undefined, noted: string | null, file: StartsFile): boolean {
  if (!mark || mark.begun || noted === null) return false;
  const place = file.place();
  return place !== null && place !== noted;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return a.starts === b.starts && equalBytes(a.incarnation, b.incarnation);
}
