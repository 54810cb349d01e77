import type {
  ApiEvent,
  Contact,
  ContactRequest,
  Conversation,
  EventData,
  Group,
  GroupDetails,
  Message,
  Status,
  Verification,
} from '../../core/commands/schema.ts';
import { latestOf } from './talks.ts';
import { inserted, newer, type Thread, told } from './thread.ts';

/** How the page stands with the core. `no-key`: neither a one-use code nor a token that the core accepts. */
export type LinkState =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  | { readonly kind: 'lost'; readonly retryAt: number }
  | { readonly kind: 'no-key' };

/** What waited is on its way between this profile and a contact. */
export type Sync = Omit<EventData<'offline-sync-started'>, 'event'>;
/** How far the bundle is that is written or read. */
export type BundleProgress = Pick<EventData<'bundle-progress'>, 'direction' | 'bytes' | 'envelopes'>;

/** All that the page knows. Never changed in place: every step gives a new value. */
export interface State {
  readonly link: LinkState;
  readonly status: Status | null;
  readonly conversations: readonly Conversation[];
  readonly requests: readonly ContactRequest[];
  readonly verifications: ReadonlyMap<string, Verification>;
  readonly thread: Thread | null;
  /** The group of the open conversation with its members, once it is read. */
  readonly group: GroupDetails | null;
  /** The message that arrived last while this window was open. */
  readonly arrived: Message | null;
  /** Expired messages whose text was sent again from this window. */
  readonly resent: ReadonlySet<string>;
  readonly syncs: readonly Sync[];
  /** The name under which the core tells of the bundle this window is writing or reading. */
  readonly transfer: string | null;
  readonly bundle: BundleProgress | null;
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
  group: null,
  arrived: null,
  resent: new Set(),
  syncs: [],
  transfer: null,
  bundle: null,
  loadError: null,
  wiped: null,
};

/** Forgets everything that is under the lock. */
export function closed(state: State): State {
  return { ...EMPTY, link: state.link, status: state.status, wiped: state.wiped };
}

/** Without the core nobody is known to be online, and nothing to be on its way. */
export function withLink(state: State, link: LinkState): State {
  if (link.kind === 'open') return { ...state, link };
  const offline = (row: Conversation) => ({ ...row, contact: row.contact && { ...row.contact, online: false } });
  const alone = (group: GroupDetails) => ({
    ...group,
    people: group.people.map(person => ({ ...person, online: false })),
  });
  const group = state.group && alone(state.group);
  return { ...state, link, syncs: [], group, conversations: state.conversations.map(offline) };
}

/** The state after an event of the core. Events that change nothing shown leave the state as it is. */
export function applyEvent(state: State, event: ApiEvent): State {
  switch (event.event) {
    case 'message-received':
      return { ...withMessage(state, event.message, event.message.notice === null ? 1 : 0), arrived: event.message };
    case 'message-sent':
      return withMessage(state, event.message, 0);
    case 'message-state':
      return withMessageState(state, event);
    case 'contact-changed':
      return withContact(state, event.contact);
    case 'contact-removed':
      return withoutContact(state, event.id);
    case 'group-changed':
      return withGroup(state, event.group);
    case 'group-deleted':
      return withoutGroup(state, event.group);
    case 'contact-request':
      return { ...state, requests: [event.request, ...state.requests.filter(other => other.id !== event.request.id)] };
    case 'request-closed':
      return { ...state, requests: state.requests.filter(request => request.id !== event.id) };
    case 'conversation-read':
      return updateConversation(state, event.conversation, old => ({ ...old, unread: 0 }));
    case 'peer-connected':
      return withOnline(state, event.contact, true);
    case 'peer-disconnected':
      return withOnline(withoutSyncs(state, event.contact), event.contact, false);
    case 'verification-changed':
      return withVerification(state, event.verification);
    case 'network-changed': {
      const { online, peers, addresses } = event;
      const status = state.status;
      return status === null
        ? state
        : { ...state, status: { ...status, network: { ...status.network, online, peers, addresses } } };
    }
    case 'offline-sync-started': {
      const { contact, direction, queued } = event;
      const others = withoutSyncs(state, contact, direction).syncs;
      return { ...state, syncs: [...others, { contact, direction, queued }] };
    }
    case 'offline-sync-finished':
      return withoutSyncs(state, event.contact, event.direction);
    case 'bundle-progress': {
      const { transfer, direction, bytes, envelopes } = event;
      if (transfer !== state.transfer) return state;
      return { ...state, bundle: { direction, bytes, envelopes } };
    }
    case 'profile-restored':
      return state.status === null ? state : { ...state, status: { ...state.status, restoredAt: event.at } };
    case 'core-state':
      return state;
    default:
      return state;
  }
}

export function withVerification(state: State, verification: Verification): State {
  return { ...state, verifications: new Map(state.verifications).set(verification.contact, verification) };
}

export function byContact(state: State, contactId: string): Conversation | undefined {
  return state.conversations.find(conversation => conversation.contact?.id === contactId);
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

function withMessageState(state: State, event: EventData<'message-state'>): State {
  const thread = state.thread;
  const change = (message: Message) => told(message, event);
  const next =
    thread?.conversation === event.conversation ? { ...thread, messages: thread.messages.map(change) } : thread;
  return updateConversation({ ...state, thread: next }, event.conversation, old =>
    old.lastMessage === null ? old : { ...old, lastMessage: change(old.lastMessage) },
  );
}

function withContact(state: State, contact: Contact): State {
  if (byContact(state, contact.id) === undefined) {
    const fresh: Conversation = { id: contact.conversation, contact, group: null, lastMessage: null, unread: 0 };
    return { ...state, conversations: [fresh, ...state.conversations] };
  }
  return updateConversation(state, contact.conversation, old => ({ ...old, contact }));
}

/** Brings in what a call answered about a group; its members too where the group is the open one. */
export function withDetails(state: State, details: GroupDetails): State {
  const { people: _, ...group } = details;
  const next = withGroup(state, group);
  return state.thread?.conversation === group.conversation ? { ...next, group: details } : next;
}

function withGroup(state: State, group: Group): State {
  const open = state.group?.id === group.id ? { ...state.group, ...group } : state.group;
  if (!state.conversations.some(({ id }) => id === group.conversation)) {
    const fresh: Conversation = { id: group.conversation, contact: null, group, lastMessage: null, unread: 0 };
    return { ...state, group: open, conversations: [fresh, ...state.conversations] };
  }
  return updateConversation({ ...state, group: open }, group.conversation, old => ({ ...old, group }));
}

function withoutContact(state: State, id: string): State {
  const gone = byContact(state, id);
  const verifications = new Map(state.verifications);
  verifications.delete(id);
  return {
    ...state,
    verifications,
    syncs: withoutSyncs(state, id).syncs,
    conversations: state.conversations.filter(conversation => conversation !== gone),
    thread: state.thread?.conversation === gone?.id ? null : state.thread,
  };
}

function withoutGroup(state: State, id: string): State {
  const gone = state.conversations.find(({ group }) => group?.id === id);
  const open = gone !== undefined && state.thread?.conversation === gone.id;
  const conversations = state.conversations.filter(conversation => conversation !== gone);
  return open ? { ...state, conversations, thread: null, group: null } : { ...state, conversations };
}

/** @param direction both when left out */
function withoutSyncs(state: State, contact: string, direction?: Sync['direction']): State {
  const syncs = state.syncs.filter(
    sync => sync.contact !== contact || (direction !== undefined && sync.direction !== direction),
  );
  return { ...state, syncs };
}

function withOnline(state: State, contactId: string, online: boolean): State {
  const contact = byContact(state, contactId)?.contact;
  if (!contact) return state;
  const present = (group: GroupDetails) => ({
    ...group,
    people: group.people.map(person => (person.id === contactId ? { ...person, online } : person)),
  });
  return withContact({ ...state, group: state.group && present(state.group) }, { ...contact, online });
}

function updateConversation(state: State, id: string, change: (old: Conversation) => Conversation): State {
  return { ...state, conversations: state.conversations.map(old => (old.id === id ? change(old) : old)) };
}

function sorted(conversations: readonly Conversation[]): readonly Conversation[] {
  return conversations.toSorted((a, b) => latestOf(b) - latestOf(a));
}
