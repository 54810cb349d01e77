import type {
  ApiEvent,
  Contact,
  ContactRequest,
  Conversation,
  EventData,
  Message,
  Status,
  Verification,
} from '../../core/commands/schema.ts';

/** How the page stands with the core. `no-key`: neither a one-use code nor a token that the core accepts. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost'; readonly retryAt: number }
  | { readonly kind: 'no-key' };

/** The messages of the open conversation, oldest first, as far back as they were read from the core. */
export interface Thread {
  readonly conversation: string;
  readonly messages: readonly Message[];
  readonly more: boolean;
  readonly loading: 'first' | 'older' | 'no' | 'failed';
  /** The first message that was unread when the conversation was opened. */
  readonly unreadFrom: string | null;
}

/** All that the page knows. Never changed in place: every step gives a new value. */
export interface State {
  readonly link: LinkState;
  readonly status: Status | null;
  readonly conversations: readonly Conversation[];
  readonly requests: readonly ContactRequest[];
  readonly verifications: ReadonlyMap<string, Verification>;
  readonly thread: Thread | null;
  /** The message that arrived last while this window was open. */
  readonly arrived: Message | null;
  /** What went wrong when everything was read from the core, in words; null when all is well. */
  readonly loadError: string | null;
  /** Set by a wipe: what the core said, or null when it stopped before it could say. */
  readonly wiped: { readonly keysGoneMs: number | null } | null;
}

export const EMPTY: State = {
  link: { kind: 'connecting' },
  status: null,
  conversations: [],
  requests: [],
  verifications: new Map(),
  thread: null,
  arrived: null,
  loadError: null,
  wiped: null,
};

/** Forgets everything that is under the lock. */
export function closed(state: State): State {
  return { ...EMPTY, link: state.link, status: state.status, wiped: state.wiped };
}

/** Without the core nobody is known to be online. */
export function withLink(state: State, link: LinkState): State {
  if (link.kind === 'open') return { ...state, link };
  const offline = (row: Conversation) => ({ ...row, contact: { ...row.contact, online: false } });
  return { ...state, link, conversations: state.conversations.map(offline) };
}

/** The state after an event of the core. Events that change nothing shown leave the state as it is. */
export function applyEvent(state: State, event: ApiEvent): State {
  switch (event.event) {
    case 'message-received':
      return { ...withMessage(state, event.message, 1), arrived: event.message };
    case 'message-sent':
      return withMessage(state, event.message, 0);
    case 'message-state':
      return withMessageState(state, event);
    case 'contact-changed':
      return withContact(state, event.contact);
    case 'contact-removed':
      return withoutContact(state, event.id);
    case 'contact-request':
      return { ...state, requests: [event.request, ...state.requests.filter(other => other.id !== event.request.id)] };
    case 'request-closed':
      return { ...state, requests: state.requests.filter(request => request.id !== event.id) };
    case 'conversation-read':
      return updateConversation(state, event.conversation, old => ({ ...old, unread: 0 }));
    case 'peer-connected':
      return withOnline(state, event.contact, true);
    case 'peer-disconnected':
      return withOnline(state, event.contact, false);
    case 'verification-changed':
      return withVerification(state, event.verification);
    case 'network-changed': {
      const { online, peers, addresses } = event;
      const status = state.status;
      return status === null
        ? state
        : { ...state, status: { ...status, network: { ...status.network, online, peers, addresses } } };
    }
    case 'core-state':
    case 'offline-sync-started':
    case 'offline-sync-finished':
      return state;
    default:
      return state;
  }
}

export function withVerification(state: State, verification: Verification): State {
  return { ...state, verifications: new Map(state.verifications).set(verification.contact, verification) };
}

/** Adds a page of older messages before those known, or the newest page to an empty or overlapping thread. */
export function withPage(
  thread: Thread,
  messages: readonly Message[],
  more: boolean,
  where: 'older' | 'newest',
): Thread {
  if (where === 'older') {
    const known = new Set(thread.messages.map(message => message.id));
    const older = messages.filter(message => !known.has(message.id));
    return { ...thread, messages: [...older, ...thread.messages], more, loading: 'no' };
  }
  const joins = thread.messages.findIndex(message => message.id === messages[0]?.id);
  if (joins <= 0) return { ...thread, messages, more, loading: 'no' };
  return { ...thread, messages: [...thread.messages.slice(0, joins), ...messages], loading: 'no' };
}

/** The id of the first of the newest `unread` messages of the other side. */
export function firstUnread(messages: readonly Message[], unread: number): string | null {
  let left = unread;
  for (let i = messages.length - 1; i >= 0 && left > 0; i--) {
    const message = messages[i];
    if (message !== undefined && !message.outgoing && --left === 0) return message.id;
  }
  return null;
}

export function byContact(state: State, contactId: string): Conversation | undefined {
  return state.conversations.find(conversation => conversation.contact.id === contactId);
}

export function openConversation(state: State): Conversation | undefined {
  return state.conversations.find(conversation => conversation.id === state.thread?.conversation);
}

function withMessage(state: State, message: Message, unread: number): State {
  const thread = state.thread;
  const isNew = thread?.conversation !== message.conversation || !thread.messages.some(old => old.id === message.id);
  const next =
    thread?.conversation === message.conversation
      ? { ...thread, messages: inserted(thread.messages, message) }
      : thread;
  const updated = updateConversation({ ...state, thread: next }, message.conversation, old => ({
    ...old,
    lastMessage: newer(old.lastMessage, message),
    unread: old.unread + (isNew && old.lastMessage?.id !== message.id ? unread : 0),
  }));
  return { ...updated, conversations: sorted(updated.conversations) };
}

/**
 * An event of a later state can overtake the answer to `messages.send`: a state never goes back.
 */
const PROGRESS = { received: 0, queued: 0, held: 0, expired: 1, delivered: 2, read: 3 } as const;

function further(old: Message, state: Message['state']): Message {
  return PROGRESS[state] > PROGRESS[old.state] ? { ...old, state } : old;
}

/** What waits may be held by more custodians than before, or by fewer. */
function told(old: Message, { state, heldBy, until }: Pick<Message, 'state' | 'heldBy' | 'until'>): Message {
  return PROGRESS[state] >= PROGRESS[old.state] ? { ...old, state, heldBy, until } : old;
}

function newer(old: Message | null, message: Message): Message {
  if (old === null) return message;
  if (old.id === message.id) return further(old, message.state);
  return old.sentAt > message.sentAt ? old : message;
}

function inserted(messages: readonly Message[], message: Message): readonly Message[] {
  const known = messages.findIndex(old => old.id === message.id);
  if (known >= 0) return messages.map(old => (old.id === message.id ? further(old, message.state) : old));
  let at = messages.length;
  while (at > 0 && (messages[at - 1]?.sentAt ?? 0) > message.sentAt) at--;
  return messages.toSpliced(at, 0, message);
}

function withMessageState(state: State, event: EventData<'message-state'>): State {
  const thread = state.thread;
  const change = (message: Message) => (message.id === event.id ? told(message, event) : message);
  const next =
    thread?.conversation === event.conversation ? { ...thread, messages: thread.messages.map(change) } : thread;
  return updateConversation({ ...state, thread: next }, event.conversation, old =>
    old.lastMessage === null ? old : { ...old, lastMessage: change(old.lastMessage) },
  );
}

function withContact(state: State, contact: Contact): State {
  if (byContact(state, contact.id) === undefined) {
    const fresh: Conversation = { id: contact.conversation, contact, lastMessage: null, unread: 0 };
    return { ...state, conversations: [fresh, ...state.conversations] };
  }
  return updateConversation(state, contact.conversation, old => ({ ...old, contact }));
}

function withoutContact(state: State, id: string): State {
  const gone = byContact(state, id);
  const verifications = new Map(state.verifications);
  verifications.delete(id);
  return {
    ...state,
    verifications,
    conversations: state.conversations.filter(conversation => conversation !== gone),
    thread: state.thread?.conversation === gone?.id ? null : state.thread,
  };
}

function withOnline(state: State, contactId: string, online: boolean): State {
  const conversation = byContact(state, contactId);
  return conversation === undefined ? state : withContact(state, { ...conversation.contact, online });
}

function updateConversation(state: State, id: string, change: (old: Conversation) => Conversation): State {
  return { ...state, conversations: state.conversations.map(old => (old.id === id ? change(old) : old)) };
}

function sorted(conversations: readonly Conversation[]): readonly Conversation[] {
  const latest = (conversation: Conversation) => conversation.lastMessage?.sentAt ?? conversation.contact.addedAt;
  return conversations.toSorted((a, b) => latest(b) - latest(a));
}
