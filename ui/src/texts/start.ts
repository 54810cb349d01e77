/** The words of the way in and of the end: first start, unlocking, a copy put back, erasing. */
export const startText = {
  welcome: {
    title: 'Welcome to Molva',
    lead: 'Messages go from your computer to theirs. There is no server, no account and no phone number.',
    nick: 'Your name',
    nickHint: 'What your contacts see. You can change it later.',
    passphrase: 'Passphrase',
    again: 'Passphrase again',
    lost: 'Nobody can recover a lost passphrase. Without it your messages and contacts stay closed for good.',
    create: 'Start using Molva',
    creating: 'Making your keys…',
    differ: 'The two passphrases are not the same.',
    tooShort: 'Use at least 8 characters.',
  },
  nick: {
    missing: 'Enter a name.',
    tooLong: 'This name is too long.',
    disguised: 'This name holds invisible characters. Type it anew.',
  },
  passphrase: {
    show: 'Show passphrase',
    hide: 'Hide passphrase',
    strength: {
      empty: 'Four or five unrelated words are strong, and easy to remember.',
      weak: 'Weak: a computer guesses this.',
      fair: 'Fair: another word makes it strong.',
      strong: 'Strong.',
    },
  },
  unlock: {
    title: 'Molva is locked',
    unlock: 'Unlock',
    unlocking: 'Unlocking…',
    keychain: 'Unlock with the system keychain',
    wait: (time: string) => `Wait ${time} before the next try.`,
    forgot: 'Forgot the passphrase?',
    forgotText: 'It cannot be recovered. You can only erase everything on this computer and begin anew.',
  },
  restored: {
    title: 'This profile is an older copy',
    what: 'It was put back from a backup, or is used in two places. Molva gave up its old keys, began every conversation anew, and sends again what was not delivered.',
    todo: 'Use it in one place only, and erase every other copy. If you neither put it back nor copied it, someone else has your keys: tell your contacts, and make a new profile.',
    dismiss: 'Understood',
  },
  wiped: {
    title: 'Everything is erased',
    text: (ms: number) => `The keys were gone after ${ms} ms. You can close this window.`,
    unsureTitle: 'Erasing was started',
    unsure: 'Molva stopped before it could confirm. If anything was left, it is finished at the next start.',
  },
} as const;
