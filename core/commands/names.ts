import type { ContactRecord } from '../storage/records.ts';

export function nickOf(record: Pick<ContactRecord, 'nick' | 'claimedNick'>): string {
  return record.nick || record.claimedNick;
}

/** Case does not count in names. */
export function sameName(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase();
}
