import { errors } from './texts/errors.ts';
import { groupText } from './texts/groups.ts';
import { peopleText } from './texts/people.ts';
import { settingsText } from './texts/settings.ts';
import { startText } from './texts/start.ts';
import { talkText } from './texts/talk.ts';

/** Every word the page shows, by subject in `texts/`, so that a translation replaces this object and nothing else. */
export const text = {
  app: 'Molva',
  close: 'Close',
  back: 'Back to conversations',
  cancel: 'Cancel',
  save: 'Save',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Select the text and copy it by hand',
  errors,
  ...startText,
  ...talkText,
  ...peopleText,
  ...settingsText,
  group: groupText,
  time: { today: 'Today', yesterday: 'Yesterday', seconds: (n: number) => `${n} s` },
} as const;
