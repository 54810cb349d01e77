const RESTORED_KEY = 'molva.restored-seen';

/** Whether this window was told of the restore found at that moment, also before a reload. */
export function isRestoreSeen(atMs: number): boolean {
  return sessionStorage.getItem(RESTORED_KEY) === String(atMs);
}

export function seeRestore(atMs: number): void {
  sessionStorage.setItem(RESTORED_KEY, String(atMs));
}
