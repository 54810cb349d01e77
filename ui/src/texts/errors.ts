import type { MethodName, Methods } from '../../../core/commands/schema.ts';

/** Every error a call can end with: what the core answers, and what the page itself notices. */
export type CallErrorCode =
  | Methods[MethodName]['errors'][number]
  | 'bad-bytes'
  | 'bad-request'
  | 'too-large'
  | 'unauthorized'
  | 'internal'
  | 'core-lost'
  | 'timed-out';

/** What is said of each. */
export const errors: Record<CallErrorCode, string> = {
  'bad-request': 'That is not something Molva can do. Check what you entered.',
  'bad-bytes': 'This does not have the right form. Check that you pasted all of it.',
  'too-large': 'This is too long. Send it in parts.',
  unauthorized: 'This window is no longer allowed in. Close it and open Molva again.',
  internal: 'Something went wrong inside Molva. Try again; if it stays, restart Molva.',
  'core-lost': 'Molva’s core is not answering. Nothing was sent; try again when it is back.',
  'timed-out': 'Molva’s core took too long to answer. Look at the result before you try again.',
  locked: 'Molva is locked. Unlock it first.',
  'no-profile': 'There is no profile here yet.',
  'already-exists': 'You already have this contact or profile.',
  'not-found': 'This no longer exists.',
  ambiguous: 'More than one contact has this name. Rename one of them.',
  refused: 'That was refused.',
  unreachable: 'The other side cannot be reached now. Ask them to open Molva, then try again.',
  busy: 'Too much is waiting right now. Try again in a moment.',
  'limit-reached': 'A limit is reached. Remove something old first.',
  'disk-full': 'The disk is full. Free some space; nothing you had is lost.',
  'disk-failed': 'The disk did not accept the data. Check the disk; nothing you had is lost.',
  'wrong-passphrase': 'This is not the passphrase. Check capital letters and the keyboard’s language.',
  'unlock-delayed': 'Too many wrong passphrases. Wait until the time is over.',
  'vault-damaged': 'The key file is damaged. Put back vault.key from a backup; do not delete anything.',
  'database-damaged': 'The database is damaged. Put it back from a backup; do not delete anything.',
  'keychain-unavailable': 'The system keychain did not open the profile. Use the passphrase.',
  'newer-format': 'This profile was written by a newer Molva. Update Molva to open it.',
  'code-mismatch': 'The codes differ. Read it aloud once more, slowly.',
  'code-burnt': 'Three wrong codes: this code is burnt. Ask for a new one.',
};
