import type { EventData, Message, Result } from '../../core/commands/schema.ts';

export type MessagePage = Result<'messages.list'>;

/** The messages of the open conversation in the core's order, as far back as they were read from it. */
export interface Thread {
  readonly conversation: string;
  readonly messages: readonly Message[];
  readonly more: boolean;
  readonly loading: 'first' | 'older' | 'no' | 'failed';
  /** The first message that was unread when the conversation was opened. */
  readonly unreadFrom: string | null;
  /** Behind this message something is missing; it counts only while `missing` is above 0. */
  readonly completeUpTo: string | null;
  readonly missing: number;
}

export function emptyThread(conversation: string): Thread {
  const nothing = { messages: [], more: false, unreadFrom: null, completeUpTo: null, missing: 0 };
  return { conversation, loading: 'first', ...nothing };
}

/** Adds a page of older messages before those known, or the newest page to an empty or overlapping thread. */
export function withPage(thread: Thread, page: MessagePage, where: 'older' | 'newest'): Thread {
  const { messages, more } = page;
  const next = { ...withGaps(thread, page), loading: 'no' } as const;
  if (where === 'older') {
    const known = new Set(thread.messages.map(message => message.id));
    const older = messages.filter(message => !known.has(message.id));
    return { ...next, messages: [...older, ...thread.messages], more };
  }
  const joins = thread.messages.findIndex(message => message.id === messages[0]?.id);
  if (joins <= 0) return { ...next, messages, more };
  return { ...next, messages: [...thread.messages.slice(0, joins), ...messages] };
}

/** What the core says is missing, which no event tells. */
export function withGaps(
  thread: Thread,
  { completeUpTo, missing }: Pick<MessagePage, 'completeUpTo' | 'missing'>,
): Thread {
  return { ...thread, completeUpTo, missing };
}

/** The id of the first message behind the first gap; null when nothing is missing, or the gap lies further back. */
export function firstAfterGap({ messages, more, completeUpTo, missing }: Thread): string | null {
  if (missing === 0) return null;
  if (completeUpTo === null) return more ? null : (messages[0]?.id ?? null);
  const complete = messages.findIndex(message => message.id === completeUpTo);
  return complete < 0 ? null : (messages[complete + 1]?.id ?? null);
}

/** The id of the first of the newest `unread` messages of the other side. */
export function firstUnread(messages: readonly Message[], unread: number): string | null {
  let left = unread;
  for (let i = messages.length - 1; i >= 0 && left > 0; i--) {
    const message = messages[i];
    if (message !== undefined && !message.outgoing && message.notice === null && --left === 0) return message.id;
  }
  return null;
}

/** Puts a message where the core has it, or brings on the one that is there. */
export function inserted(messages: readonly Message[], message: Message): readonly Message[] {
  const known = messages.findIndex(old => old.id === message.id);
  if (known >= 0) return messages.with(known, further(messages[known] as Message, message.state));
  let at = messages.length;
  while (at > 0 && (messages[at - 1] as Message).place > message.place) at--;
  return messages.toSpliced(at, 0, message);
}

export function newer(old: Message | null, message: Message): Message {
  if (old === null) return message;
  if (old.id === message.id) return further(old, message.state);
  return old.place > message.place ? old : message;
}

/**
 * An event of a later state can overtake the answer to `messages.send`: a state never goes back.
 */
const PROGRESS = { received: 0, queued: 0, held: 0, sent: 0, expired: 1, delivered: 2, read: 3 } as const;

function further(old: Message, state: Message['state']): Message {
  return PROGRESS[state] > PROGRESS[old.state] ? { ...old, state } : old;
}

/** What waits may be held by more custodians than before, or by fewer. */
export function told(old: Message, event: EventData<'message-state'>): Message {
  const { id, state, heldBy, until, reach } = event;
  if (old.id !== id || PROGRESS[state] < PROGRESS[old.state]) return old;
  return { ...old, state, heldBy, until, reach };
}
