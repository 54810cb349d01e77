import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import type { Contact, Conversation as ConversationRow, Verification } from '../../../core/commands/schema.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { listTime } from '../format.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { messageOf } from '../rpc.ts';
import { openConversation } from '../state.ts';
import { conversationStyles } from '../styles/conversation.ts';
import { ripples, shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { Composer } from './composer.ts';
import type { MessageList } from './message-list.ts';

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
        ${this.#renderHead(conversation)} ${this.#renderNotices(conversation)} ${this.#renderMessages(conversation)}
        ${this.error ? html`<p class="note bad small problem" role="alert">${this.error}</p>` : nothing}
        ${this.#renderComposer(conversation)}
      </main>
      ${
        this.details
          ? html`<molva-contact-details
              .model=${this.model}
              .contact=${conversation.contact}
              @dismiss=${this.#closeDetails}
            ></molva-contact-details>`
          : nothing
      }
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

  #renderHead({ contact }: ConversationRow) {
    const { back, conversation } = text;
    return html`<header>
      <button class="icon back" aria-label=${back} title=${back} @click=${() => this.model.select(null)}>${icons.back}</button>
      <molva-avatar .nick=${contact.nick} .contactId=${contact.id} ?online=${contact.online}></molva-avatar>
      <div class="who">
        <h2><bdi class="cut">${contact.nick}</bdi><molva-trust-mark worded .trust=${contact.trust}></molva-trust-mark></h2>
        <p class="small soft cut">${this.#renderPresence(contact)}</p>
      </div>
      <button
        class="icon"
        id="details"
        aria-label=${conversation.details}
        title=${conversation.details}
        aria-expanded=${this.details}
        @click=${() => {
          this.details = !this.details;
        }}
      >
        ${icons.info}
      </button>
    </header>`;
  }

  #renderPresence(contact: Contact) {
    const { link, syncs } = this.model.state;
    if (link.kind !== 'open') return text.conversation.unknown;
    const sync = syncs.findLast(other => other.contact === contact.id);
    if (sync === undefined) return presence(contact);
    const { fetching, handing } = text.conversation;
    const words = sync.direction === 'in' ? fetching(sync.queued) : handing(sync.queued);
    return html`${presence(contact)}<span class="sync"> · ${words}</span>`;
  }

  #renderNotices({ contact }: ConversationRow) {
    const { conversation } = text;
    const open = () => {
      this.details = true;
    };
    const asked = this.details ? null : asking(contact, this.model.state.verifications.get(contact.id));
    return html`${
      contact.trust === 'changed'
        ? html`<div class="note warn notice" role="alert">
            <span>${conversation.changed}</span><button @click=${open}>${conversation.compare}</button>
          </div>`
        : nothing
    }
    ${contact.phase === 'requested' ? html`<p class="note notice small">${named(conversation.requested, contact.nick)}</p>` : nothing}
    ${
      asked !== null
        ? html`<div class="note notice" role="status">
            <span>${asked.words}</span><button class="primary" @click=${open}>${asked.button}</button>
          </div>`
        : nothing
    }`;
  }

  #renderMessages({ contact, unread }: ConversationRow) {
    const { thread } = this.model.state;
    return html`<molva-message-list
      .thread=${thread}
      .nick=${contact.nick}
      .unread=${unread}
      .resent=${this.model.state.resent}
      @older=${() => this.model.loadOlder()}
      @following=${() => this.#see()}
      @send-again=${(event: CustomEvent<string>) => this.#sendAgain(event.detail)}
    ></molva-message-list>`;
  }

  #renderComposer({ id, contact }: ConversationRow) {
    const { link } = this.model.state;
    return html`<molva-composer
      .nick=${contact.nick}
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

function presence(contact: Contact): string {
  if (contact.online) return text.conversation.online;
  if (contact.lastSeenAt === null) return text.conversation.offline;
  return text.conversation.lastSeen(listTime(contact.lastSeenAt, Date.now()));
}

/** What a verification under way wants from the person, when its panel is closed. */
function asking(
  contact: Contact,
  verification: Verification | undefined,
): { words: TemplateResult; button: string } | null {
  if (verification === undefined || verification.expiresAt <= Date.now()) return null;
  const { conversation } = text;
  const { role, phase } = verification;
  if (role === 'types' && phase === 'ready') {
    return { words: named(conversation.theyShow, contact.nick), button: conversation.enterCode };
  }
  if (role === 'shows' && phase === 'matched') {
    return { words: named(conversation.theyReport, contact.nick), button: conversation.confirm };
  }
  return null;
}
