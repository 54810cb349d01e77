import type { Migration } from './migrate.ts';

/** The first layout: tables.ts as it stands. There is nothing to move. */
export const initial: Migration = { version: 1, name: 'initial', run: () => {} };
