import { equalBytes } from '../base/bytes.ts';
import type { StartMark } from './instances.ts';
import type { Tx } from './port.ts';
import type { Instance } from './records.ts';
import type { Store } from './store.ts';

/** The small file beside the database. `write` replaces it whole, and is durable when it returns. */
export interface StartsFile {
  read(): Buffer | undefined;
  write(bytes: Uint8Array): void;
}

export interface InstanceOptions {
  readonly file: StartsFile;
  /** Makes the instance of a start of this number. */
  readonly make: (starts: number) => Instance;
  /** Runs in the write that begins the instance when the profile was put back or copied: drops what must not be used. */
  readonly dropStale: (tx: Tx) => void;
  /** A contact has seen this many starts of the profile, which this copy knows nothing of. */
  readonly seenStarts?: number;
}

/**
 * Begins the next instance of the profile: at every start, and when a contact knows of a later one. The file goes
 * first, so a database put back without it is noticed; the file says whether the database was yet to follow, so a
 * start cut short is not taken for that. To be called before anything is sealed, opened or sent.
 * @returns the instance, and whether this is a profile that was put back or copied
 * @throws StorageError disk-full, disk-failed
 */
export async function beginInstance(
  store: Store,
  { file, make, dropStale, seenStarts }: InstanceOptions,
): Promise<{ readonly instance: Instance; readonly restored: boolean }> {
  const own = store.instances.own();
  const bytes = file.read();
  const mark = bytes && store.instances.openMark(bytes);
  const restored = seenStarts !== undefined || wasPutBack(own, mark, bytes !== undefined);
  const instance = make(Math.max(own?.starts ?? 0, mark?.instance.starts ?? 0, seenStarts ?? 0) + 1);
  const begun: StartMark = { instance, begun: true, before: own?.incarnation ?? null, restored };
  file.write(store.instances.sealMark(begun));
  await store.write(tx => {
    if (restored) dropStale(tx);
    store.instances.putOwn(tx, instance);
  });
  file.write(store.instances.sealMark({ ...begun, begun: false, restored: false }));
  return { instance, restored };
}

/** Whether file and database are not of one and the same last start. */
function wasPutBack(own: Instance | undefined, mark: StartMark | undefined, hasFile: boolean): boolean {
  if (!mark) return own !== undefined || hasFile;
  if (own && sameInstance(own, mark.instance)) return false;
  if (!mark.begun) return true;
  const asBefore = own && mark.before ? equalBytes(own.incarnation, mark.before) : !own && !mark.before;
  return asBefore ? mark.restored : true;
}

function sameInstance(a: Instance, b: Instance): boolean {
  return a.starts === b.starts && equalBytes(a.incarnation, b.incarnation);
}
