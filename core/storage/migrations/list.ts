import { initial } from './0001-initial.ts';
import { conversationClocks } from './0002-conversation-clocks.ts';
import type { Migration } from './migrate.ts';

export const MIGRATIONS: readonly Migration[] = [initial, conversationClocks];
