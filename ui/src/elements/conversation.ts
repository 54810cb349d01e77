import { html, LitElement, nothing } from 'lit';
import { live } from 'lit/directives/live.js';
import type { Contact, Conversation as ConversationRow, GroupMember } from '../../../core/commands/schema.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { messageOf } from '../rpc.ts';
import { openConversation } from '../state.ts';
import { conversationStyles } from '../styles/conversation.ts';
import { ripples, shared } from '../styles/shared.ts';
import { nameOf } from '../talks.ts';
import { text } from '../text.ts';
import type { Composer } from './composer.ts';
import { renderNotices, renderWho } from './conversation-head.ts';
import type { MessageList } from './message-list.ts';

const NOBODY: readonly GroupMember[] = [];

/** The open conversation: head, notices, messages, composer, and the details beside it. */
export class Conversation extends LitElement {
  static override properties = {
    model: { attribute: false },
    covered: { type: Boolean },
    details: { state: true },
    error: { state: true },
  };
  static override styles = [shared, ripples, conversationStyles];
  declare model: Model;
  /** A dialog stands above; Escape is its own. */
  declare covered: boolean;
  declare private details: boolean;
  declare private error: string;
  #shown: string | undefined;

  constructor() {
    super();
    this.details = false;
    this.error = '';
    new ModelController(this);
  }

  #onAttention = () => this.#see();

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.#keys);
    window.addEventListener('focus', this.#onAttention);
    document.addEventListener('visibilitychange', this.#onAttention);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.#keys);
    window.removeEventListener('focus', this.#onAttention);
    document.removeEventListener('visibilitychange', this.#onAttention);
  }

  protected override willUpdate(): void {
    const id = this.model.state.thread?.conversation;
    if (id === this.#shown) return;
    this.#shown = id;
    this.details = false;
    this.error = '';
    void this.updateComplete.then(() => this.renderRoot.querySelector<Composer>('molva-composer')?.focus());
  }

  protected override updated(): void {
    void this.updateComplete.then(() => this.#see());
  }

  get #list(): MessageList | null {
    return this.renderRoot.querySelector('molva-message-list');
  }

  /** Marks the conversation read once its newest message is in front of a person: window visible and focused. */
  #see(): void {
    const { link, thread } = this.model.state;
    const conversation = openConversation(this.model.state);
    if (conversation === undefined || conversation.unread === 0 || link.kind !== 'open') return;
    if (thread?.loading === 'first' || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    if (!this.#list?.following) return;
    this.model.markRead(conversation.id).catch(error => {
      this.error = messageOf(error);
    });
  }

  async #send(conversation: string, body: string): Promise<void> {
    this.model.drafts.delete(conversation);
    this.error = '';
    this.requestUpdate();
    try {
      await this.model.send(conversation, body);
      this.#list?.toEnd();
    } catch (error) {
      // What was not accepted goes back to where it was written, before anything typed since.
      const since = this.model.drafts.get(conversation);
      this.model.drafts.set(conversation, since === undefined ? body : `${body}\n${since}`);
      this.error = messageOf(error);
    }
  }

  async #sendAgain(id: string): Promise<void> {
    this.error = '';
    try {
      await this.model.sendAgain(id);
      this.#list?.toEnd();
    } catch (error) {
      this.error = messageOf(error);
    }
  }

  /** Heard on the window: a button that vanishes when pressed takes the focus with it, and Escape still works. */
  #keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing || this.covered) return;
    if (this.details) this.#closeDetails();
    else void this.model.select(null);
  };

  #closeDetails(): void {
    this.details = false;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('#details')?.focus());
  }

  protected override render() {
    const conversation = openConversation(this.model.state);
    if (conversation === undefined) return this.#renderNothing();
    return html`<div class="columns ${this.details ? 'with-details' : ''}">
      <main class="talk">
        ${this.#renderHead(conversation)}
        ${conversation.contact === null ? nothing : this.#renderNotices(conversation.contact)}
        ${this.#renderMessages(conversation)}
        ${this.error ? html`<p class="note bad small problem" role="alert">${this.error}</p>` : nothing}
        ${this.#renderComposer(conversation)}
      </main>
      ${this.details ? this.#renderDetails(conversation) : nothing}
    </div>`;
  }

  #renderNothing() {
    const { conversations, requests } = this.model.state;
    const [title, words] = invitation(conversations.length, requests.length);
    return html`<main class="nothing ripples">
      <div>
        ${icons.mark}
        <h2>${title}</h2>
        <p class="soft">${words}</p>
      </div>
    </main>`;
  }

  #renderHead(conversation: ConversationRow) {
    const { back } = text;
    const { group } = conversation;
    const words = group === null ? text.conversation.details : text.group.details;
    return html`<header>
      <button class="icon back" aria-label=${back} title=${back} @click=${() => this.model.select(null)}>${icons.back}</button>
      ${renderWho(conversation, this.model.state)}
      <button
        class="icon"
        id="details"
        aria-label=${words}
        title=${words}
        aria-expanded=${this.details}
        @click=${() => {
          this.details = !this.details;
        }}
      >
        ${icons.info}
      </button>
    </header>`;
  }

  #renderNotices(contact: Contact) {
    const open = () => {
      this.details = true;
    };
    return renderNotices(contact, this.details ? undefined : this.model.state.verifications.get(contact.id), open);
  }

  #renderDetails({ contact, group }: ConversationRow) {
    const { model } = this;
    if (contact !== null) {
      return html`<molva-contact-details .model=${model} .contact=${contact} @dismiss=${this.#closeDetails}></molva-contact-details>`;
    }
    return html`<molva-group-details .model=${model} .group=${group} @dismiss=${this.#closeDetails}></molva-group-details>`;
  }

  #renderMessages(conversation: ConversationRow) {
    const { thread, resent, status, group } = this.model.state;
    return html`<molva-message-list
      .thread=${thread}
      .nick=${nameOf(conversation)}
      .ownId=${status?.profile?.id ?? ''}
      ?group=${conversation.group !== null}
      .people=${group?.conversation === conversation.id ? group.people : NOBODY}
      .unread=${conversation.unread}
      .resent=${resent}
      @older=${() => this.model.loadOlder()}
      @following=${() => this.#see()}
      @send-again=${(event: CustomEvent<string>) => this.#sendAgain(event.detail)}
    ></molva-message-list>`;
  }

  #renderComposer(conversation: ConversationRow) {
    const { id, group } = conversation;
    if (group !== null && group.phase !== 'member') {
      return html`<p class="note notice small closed" role="note">${text.group.closed[group.phase]}</p>`;
    }
    const { link } = this.model.state;
    return html`<molva-composer
      .nick=${nameOf(conversation)}
      .draft=${live(this.model.drafts.get(id) ?? '')}
      .blocked=${link.kind === 'open' ? '' : text.link.composer}
      @draft=${(event: CustomEvent<string>) => this.model.drafts.set(id, event.detail)}
      @send=${(event: CustomEvent<string>) => this.#send(id, event.detail)}
    ></molva-composer>`;
  }
}

/** What stands where no conversation is open. */
function invitation(conversations: number, requests: number): readonly [title: string, words: string] {
  const { firstTitle, firstWords, requestTitle, requestWords, chooseTitle, choose } = text.conversation;
  if (requests > 0) return [requestTitle, requestWords];
  return conversations === 0 ? [firstTitle, firstWords] : [chooseTitle, choose];
}
