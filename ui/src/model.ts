import type {
  ApiEvent,
  CoreState,
  GroupDetails,
  Message,
  MethodName,
  Params,
  Result,
  Settings,
} from '../../core/commands/schema.ts';
import { messageOf } from './rpc.ts';
import {
  applyEvent,
  closed,
  EMPTY,
  type LinkState,
  openConversation,
  type State,
  withDetails,
  withLink,
  withVerification,
} from './state.ts';
import { emptyThread, firstUnread, withGaps, withPage } from './thread.ts';

/** The part of the link that the model needs; a test can stand in for it. */
export interface Link {
  onState: (state: LinkState) => void;
  onEvent: (event: ApiEvent) => void;
  start(): Promise<void>;
  retryNow(): void;
  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>>;
  /** Sends what is no call, a bundle, with the token; any answer of the core is one. */
  post(
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Blob | string,
    signal: AbortSignal,
  ): Promise<Response>;
}

const FIRST_PAGE = 60;
const OLDER_PAGE = 200;

/** Holds the state, carries out what a person asks for, and tells its subscribers of each new state. */
export class Model {
  #link: Link;
  #state: State = EMPTY;
  #listeners = new Set<() => void>();
  #gapsStale = false;
  #readingGaps = false;
  #membersStale = false;
  #readingMembers = false;
  /** Texts not sent yet, by conversation. In memory only. */
  readonly drafts = new Map<string, string>();

  constructor(link: Link) {
    this.#link = link;
    link.onState = state => this.#linkChanged(state);
    link.onEvent = event => this.#received(event);
  }

  get state(): State {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): Promise<void> {
    return this.#link.start();
  }

  retryNow(): void {
    this.#link.retryNow();
  }

  call<M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> {
    return this.#link.call(method, params);
  }

  /** Hands a bundle over or asks for one; `state.bundle` tells how far it is. */
  post(path: string, type: string, body: Blob | string, signal: AbortSignal): Promise<Response> {
    const transfer = String(crypto.getRandomValues(new Uint32Array(1))[0]);
    this.#set({ ...this.#state, transfer, bundle: null });
    return this.#link.post(path, { 'content-type': type, 'molva-transfer': transfer }, body, signal);
  }

  /** Brings in what a call answered, as if it had come as an event; events may say the same again. */
  apply(event: ApiEvent): void {
    this.#set(applyEvent(this.#state, event));
  }

  async refreshStatus(): Promise<void> {
    const status = await this.call('status.get', {});
    this.#set({ ...this.#state, status });
  }

  async createProfile(nick: string, passphrase: string): Promise<void> {
    await this.call('profile.create', { nick, passphrase });
    await this.#reload();
  }

  /** Opens the profile; without a passphrase the system keychain is asked. */
  async unlock(passphrase?: string): Promise<void> {
    try {
      await this.call('vault.unlock', passphrase === undefined ? {} : { passphrase });
    } finally {
      await this.#reload();
    }
  }

  async lock(): Promise<void> {
    await this.call('vault.lock', {});
    await this.#reload();
  }

  /** Opens a conversation, or closes the open one. */
  async select(conversation: string | null): Promise<void> {
    if (conversation === null) return this.#set({ ...this.#state, thread: null, group: null });
    if (this.#state.thread?.conversation === conversation) return;
    this.#set({ ...this.#state, thread: emptyThread(conversation), group: null });
    await Promise.all([this.loadNewest(), this.#loadGroup()]);
  }

  /** Makes a group and opens it. */
  async createGroup(name: string, members: string[]): Promise<void> {
    const details = await this.call('groups.create', { name, members });
    this.applyGroup(details);
    await this.select(details.conversation);
  }

  async leaveGroup(group: string): Promise<void> {
    const left = await this.call('groups.leave', { group });
    this.apply({ event: 'group-changed', group: left });
  }

  async deleteGroup(group: string): Promise<void> {
    await this.call('groups.delete', { group });
    this.apply({ event: 'group-deleted', group });
  }

  /** Brings in what a call answered about a group. */
  applyGroup(details: GroupDetails): void {
    this.#set(withDetails(this.#state, details));
  }

  /**
   * The members of the open group. What is shown stays where they cannot be read; the next change reads them anew. Many
   * changes that come together are read once more, not one by one.
   */
  async #loadGroup(): Promise<void> {
    this.#membersStale = true;
    if (this.#readingMembers) return;
    this.#readingMembers = true;
    while (this.#membersStale) {
      this.#membersStale = false;
      const group = openConversation(this.#state)?.group?.id;
      const details = group === undefined ? null : await this.call('groups.get', { group }).catch(() => null);
      if (details !== null) this.applyGroup(details);
    }
    this.#readingMembers = false;
  }

  async loadNewest(): Promise<void> {
    const who = this.#state.thread?.conversation;
    if (who === undefined) return;
    const unread = openConversation(this.#state)?.unread ?? 0;
    try {
      const page = await this.call('messages.list', { who, limit: FIRST_PAGE + Math.min(unread, 1000) });
      const thread = this.#state.thread;
      if (thread?.conversation !== who) return;
      const unreadFrom = thread.unreadFrom ?? firstUnread(page.messages, unread);
      this.#set({ ...this.#state, thread: { ...withPage(thread, page, 'newest'), unreadFrom } });
    } catch {
      this.#threadLoading(who, 'failed');
    }
  }

  async loadOlder(): Promise<void> {
    const thread = this.#state.thread;
    const before = thread?.messages[0]?.id;
    if (thread === null || before === undefined || !thread.more || thread.loading !== 'no') return;
    const who = thread.conversation;
    this.#threadLoading(who, 'older');
    try {
      const page = await this.call('messages.list', { who, before, limit: OLDER_PAGE });
      const now = this.#state.thread;
      if (now?.conversation !== who) return;
      this.#set({ ...this.#state, thread: withPage(now, page, 'older') });
    } catch {
      this.#threadLoading(who, 'no');
    }
  }

  async send(who: string, text: string): Promise<void> {
    const message: Message = await this.call('messages.send', { who, text });
    this.apply({ event: 'message-sent', message });
  }

  /** Sends the text of an expired message as a new one. */
  async sendAgain(id: string): Promise<void> {
    if (this.#state.resent.has(id)) return;
    this.#set({ ...this.#state, resent: new Set(this.#state.resent).add(id) });
    try {
      const message = await this.call('messages.sendAgain', { id });
      this.apply({ event: 'message-sent', message });
    } catch (error) {
      const resent = new Set(this.#state.resent);
      resent.delete(id);
      this.#set({ ...this.#state, resent });
      throw error;
    }
  }

  async markRead(conversation: string): Promise<void> {
    this.apply({ event: 'conversation-read', conversation });
    await this.call('messages.markRead', { who: conversation });
  }

  async accept(id: string): Promise<void> {
    const contact = await this.call('requests.accept', { id });
    this.apply({ event: 'request-closed', id });
    this.apply({ event: 'contact-changed', contact });
    await this.select(contact.conversation);
  }

  async decline(id: string): Promise<void> {
    await this.call('requests.decline', { id });
    this.apply({ event: 'request-closed', id });
  }

  async removeContact(id: string): Promise<void> {
    await this.call('contacts.remove', { who: id });
    this.apply({ event: 'contact-removed', id });
  }

  async loadVerification(contact: string): Promise<void> {
    const verification = await this.call('verification.get', { who: contact });
    if (verification !== null) this.#set(withVerification(this.#state, verification));
  }

  /** Gives up the code under way; what came of it is shown like any other step. */
  async cancelVerification(contact: string): Promise<void> {
    const verification = await this.call('verification.cancel', { who: contact });
    if (verification !== null) this.#set(withVerification(this.#state, verification));
  }

  async changeSettings(chosen: Pick<Settings, 'theme'>): Promise<void> {
    const settings = await this.call('settings.set', chosen);
    const { status } = this.#state;
    if (status !== null) this.#set({ ...this.#state, status: { ...status, settings } });
  }

  /** Destroys the profile. The core stops by itself, so losing it meanwhile is not a failure but is not proof either. */
  async wipe(): Promise<void> {
    try {
      const { keysGoneMs } = await this.call('panic.wipe', { confirm: 'wipe' });
      this.#set({ ...closed(this.#state), wiped: { keysGoneMs } });
    } catch (error) {
      if (this.#state.link.kind === 'open') throw error;
      this.#set({ ...closed(this.#state), wiped: { keysGoneMs: null } });
    }
    this.drafts.clear();
  }

  #set(state: State): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of [...this.#listeners]) listener();
  }

  #linkChanged(link: LinkState): void {
    this.#set(withLink(this.#state, link));
    if (link.kind === 'open') this.reload();
  }

  #reloadFailed(error: unknown): void {
    // The link reports its own loss and connects again, which loads anew.
    if (this.#state.link.kind === 'open') this.#set({ ...this.#state, loadError: messageOf(error) });
  }

  #received(event: ApiEvent): void {
    if (event.event === 'core-state') this.#coreStateChanged(event.state);
    else this.apply(event);
    if (event.event === 'group-members' && event.group === openConversation(this.#state)?.group?.id) {
      void this.#loadGroup();
    }
    if (event.event === 'message-received' && event.message.conversation === this.#state.thread?.conversation) {
      this.#gapsStale = true;
      void this.#readGaps();
    }
  }

  /** A message can open a gap or close one. Many that come together are asked about once more, not one by one. */
  async #readGaps(): Promise<void> {
    if (this.#readingGaps) return;
    this.#readingGaps = true;
    try {
      while (this.#gapsStale) {
        this.#gapsStale = false;
        const who = this.#state.thread?.conversation;
        if (who === undefined) return;
        const page = await this.call('messages.list', { who, limit: 1 });
        const { thread } = this.#state;
        if (thread?.conversation === who) this.#set({ ...this.#state, thread: withGaps(thread, page) });
      }
    } catch {
      // What is shown stays; the next message or connection reads it anew.
    } finally {
      this.#readingGaps = false;
    }
  }

  #coreStateChanged(state: CoreState): void {
    const status = this.#state.status;
    if (status !== null) this.#set({ ...this.#state, status: { ...status, state } });
    if (state !== 'unlocked') this.#forget();
    this.reload();
  }

  #forget(): void {
    this.drafts.clear();
    this.#set(closed(this.#state));
  }

  /** Reads everything shown anew; a failure becomes part of the state. */
  reload(): void {
    this.#reload().catch(error => this.#reloadFailed(error));
  }

  /** After connecting, unlocking and locking. */
  async #reload(): Promise<void> {
    await this.refreshStatus();
    if (this.#state.status?.state !== 'unlocked') return this.#forget();
    const [conversations, requests] = await Promise.all([
      this.call('conversations.list', {}),
      this.call('requests.list', {}),
    ]);
    this.#set({ ...this.#state, conversations, requests, loadError: null });
    await Promise.all([this.loadNewest(), this.#loadGroup()]);
  }

  #threadLoading(conversation: string, loading: 'older' | 'no' | 'failed'): void {
    const thread = this.#state.thread;
    if (thread?.conversation === conversation) this.#set({ ...this.#state, thread: { ...thread, loading } });
  }
}
