import type { ConversationId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Store } from '../storage/store.ts';
import type { AgainContent } from '../wire/content.ts';
import { answerWith } from './gaps.ts';
import type { Turn } from './turn.ts';

/** What a profile that was put back asks of a contact: the texts after the last one of the contact's that it still has. */
export function lastHeard(store: Store, conversation: ConversationId): AgainContent {
  const last = store.messages.newest(conversation, LIMITS.givenAgain).findLast(({ outgoing }) => !outgoing);
  return { kind: 'again', after: last?.id ?? null };
}

/**
 * Seals again the own texts that were confirmed and are lost now, the newest of them: those before are asked for by
 * their names. Those that wait are sealed without being asked for.
 */
export function giveAgain(turn: Turn, { after }: AgainContent): void {
  const { store } = turn.context;
  const newest = store.messages.newest(turn.conversationId, LIMITS.givenAgain);
  for (const message of newest.slice(newest.findIndex(({ id }) => id === after) + 1)) {
    const state = turn.stateOf(message.id)?.state;
    if (!message.outgoing || (state !== 'delivered' && state !== 'read')) continue;
    if (!answerWith(turn, message)) return;
  }
}
