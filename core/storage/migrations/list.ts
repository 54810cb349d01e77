import { initial } from './0001-initial.ts';
import { tails } from './0002-tails.ts';
import type { Migration } from './migrate.ts';

export const MIGRATIONS: readonly Migration[] = [initial, tails];
