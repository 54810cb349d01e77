import { html, LitElement, nothing, type PropertyValues } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { GroupMember, Message, Notice } from '../../../core/commands/schema.ts';
import { WindowController } from '../controllers/window-controller.ts';
import { clockTime, colourOf, dayName, daysBetween, fullTime } from '../format.ts';
import { icons } from '../icons.ts';
import { linkParts, type Part } from '../links.ts';
import { nameAmong } from '../member-names.ts';
import { isWarning, noticeWords } from '../notice-words.ts';
import { messageStyles } from '../styles/messages.ts';
import { people } from '../styles/people.ts';
import { shared } from '../styles/shared.ts';
import { sameSender } from '../talks.ts';
import { text } from '../text.ts';
import { firstAfterGap, type Thread } from '../thread.ts';
import { renderLate, renderState, renderWaiting } from './message-state.ts';

/** Messages of one sender within this time stand together. */
const TOGETHER_MS = 5 * 60_000;

/**
 * The messages of the open conversation. Fires `older` when older ones are needed, `send-again` with the id of an expired one,
 * `following` when the newest message comes into sight, and `show-dialog` for a link in a message.
 */
export class MessageList extends LitElement {
  static override properties = {
    thread: { attribute: false },
    nick: {},
    ownId: {},
    group: { type: Boolean },
    people: { attribute: false },
    resent: { attribute: false },
    unread: { type: Number },
  };
  static override styles = [shared, people, messageStyles];
  declare thread: Thread;
  /** Of the contact or the group. */
  declare nick: string;
  declare ownId: string;
  /** Many speak: whoever begins is named. */
  declare group: boolean;
  /** The members of the group, once they are read. */
  declare people: readonly GroupMember[];
  /** Expired messages that were sent again. */
  declare resent: ReadonlySet<string>;
  declare unread: number;
  #window = new WindowController(this);
  #messages: readonly Message[] = [];
  #ids: readonly string[] = [];
  #newestOwn: string | undefined;
  #afterGap: string | null = null;
  #resized = new ResizeObserver(() => this.#window.hostUpdated());

  constructor() {
    super();
    this.people = [];
  }

  get scroller(): HTMLElement | null {
    return this.renderRoot.querySelector<HTMLElement>('.scroll');
  }

  get rows(): Iterable<HTMLElement> {
    return this.renderRoot.querySelectorAll<HTMLElement>('li[data-id]');
  }

  /** Whether the newest message is in sight. */
  get following(): boolean {
    return this.#window.following;
  }

  loadOlder(): void {
    this.dispatchEvent(new Event('older'));
  }

  /** Goes to the newest message, as after sending one. */
  toEnd(): void {
    this.#window.toEnd();
  }

  protected override firstUpdated(): void {
    if (this.scroller) this.#resized.observe(this.scroller);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resized.disconnect();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.get('thread') !== undefined && changed.get('thread')?.conversation !== this.thread.conversation) {
      this.#window.reset();
    }
    if (this.thread.messages !== this.#messages) {
      this.#messages = this.thread.messages;
      this.#ids = this.#messages.map(message => message.id);
      this.#newestOwn = this.#messages.findLast(message => message.outgoing)?.id;
    }
    this.#afterGap = firstAfterGap(this.thread);
    this.#window.update(this.#ids);
  }

  #scrolled(): void {
    const was = this.following;
    this.#window.scrolled();
    if (!was && this.following) this.dispatchEvent(new Event('following'));
  }

  protected override render() {
    const { start, end } = this.#window.range;
    const { more, loading } = this.thread;
    return html`<div class="scroll" tabindex="0" role="log" aria-live="off" aria-label=${text.conversation.messages(this.nick)}
        @scroll=${this.#scrolled}>
        <ol>
          ${start === 0 && loading !== 'first' ? html`<li class="edge small soft">${this.#edge(more)}</li>` : nothing}
          ${repeat(
            this.#messages.slice(start, end),
            message => message.id,
            (message, i) => this.#renderMessage(message, this.#messages[start + i - 1]),
          )}
        </ol>
      </div>
      ${this.following ? nothing : this.#renderJump()}`;
  }

  #edge(more: boolean): string {
    if (this.thread.loading === 'failed') return text.conversation.loadFailed;
    if (more) return text.conversation.loadingOlder;
    return this.#messages.length === 0 ? text.conversation.first : text.conversation.beginning;
  }

  #renderMessage(message: Message, before: Message | undefined) {
    const newDay = before === undefined || daysBetween(before.sentAt, message.sentAt) !== 0;
    const marked = message.id === this.thread.unreadFrom;
    const gap = message.id === this.#afterGap;
    const together =
      !newDay && !marked && !gap && sameSender(before, message) && message.sentAt - before.sentAt < TOGETHER_MS;
    const side = message.notice !== null ? 'notice' : message.outgoing ? 'own' : 'other';
    return html`<li data-id=${message.id} class="${side} ${together ? 'together' : ''}">
      ${gap ? html`<p class="gap small" role="note"><span>${text.conversation.gap(this.thread.missing)}</span></p>` : nothing}
      ${newDay ? html`<p class="day" role="separator"><span>${dayName(message.sentAt, Date.now())}</span></p>` : nothing}
      ${marked ? html`<p class="fresh" role="separator"><span>${text.conversation.unreadMark}</span></p>` : nothing}
      ${message.notice === null ? this.#renderText(message, together) : this.#renderNotice(message.notice, message.sentAt)}
    </li>`;
  }

  /** A change of the group, between the texts. */
  #renderNotice(notice: Notice, sentAt: number) {
    const grave = isWarning(notice);
    return html`<p class="change small ${grave ? 'grave' : ''}" role="note" title=${fullTime(sentAt)}>
      ${grave ? icons.changed : nothing}<span>${noticeWords(notice, this.ownId, this.people)}</span>
    </p>`;
  }

  #renderText(message: Message, together: boolean) {
    const nick = this.group ? nameAmong(this.people, { id: message.from, nick: message.fromNick }) : this.nick;
    const named = this.group && !message.outgoing && !together;
    return html`<div class="bubble ${message.state}">
        ${
          named
            ? html`<span class="from person-${colourOf(message.from)}"><bdi>${nick}</bdi>${this.#renderStanding(message.from)}<span class="hidden">:</span></span>`
            : html`<span class="hidden">${message.outgoing ? text.conversation.you : nick}:</span>`
        }
        <span class="text" dir="auto">${linkParts(message.text).map(part => this.#renderPart(part))}</span>
        <span class="meta">
          ${message.late ? renderLate() : nothing}
          <time title=${fullTime(message.sentAt)}>${clockTime(message.sentAt)}</time>
          ${message.outgoing ? renderState(message) : nothing}
        </span>
      </div>
      ${message.state === 'expired' ? this.#renderExpired(message) : nothing}
      ${message.id === this.#newestOwn ? renderWaiting(message) : nothing}`;
  }

  /** A name can be taken by anybody: whoever is no contact is marked. */
  #renderStanding(from: string) {
    const member = this.people.find(({ id }) => id === from);
    return member && !member.contact ? html`<span class="stranger"> · ${text.group.stranger}</span>` : nothing;
  }

  /** Without an address of its own, so that no click or key reaches the browser past the question. */
  #renderPart({ text: words, url }: Part) {
    if (url === undefined) return words;
    const ask = () =>
      this.dispatchEvent(new CustomEvent('show-dialog', { detail: { link: url }, bubbles: true, composed: true }));
    const keys = (event: KeyboardEvent) => {
      if (event.key !== 'Enter') return;
      // Or the same press would go on to the dialog's first button.
      event.preventDefault();
      ask();
    };
    return html`<span class="link" role="link" tabindex="0" dir="ltr" title=${url} @click=${ask} @keydown=${keys}>${words}</span>`;
  }

  #renderExpired({ id }: Message) {
    const { sendAgain, sentAgain } = text.conversation;
    const again = () => this.dispatchEvent(new CustomEvent('send-again', { detail: id }));
    const done = this.resent.has(id);
    return html`<p class="again small">
      ${text.states.expired} ${done ? html`<span class="soft">${sentAgain}</span>` : html`<button class="quiet small" @click=${again}>${sendAgain}</button>`}
    </p>`;
  }

  #renderJump() {
    const { newest } = text.conversation;
    return html`<button class="jump" aria-label=${newest} title=${newest} @click=${this.toEnd}>
      ${icons.down}${this.unread > 0 ? html`<span class="count">${this.unread}</span>` : nothing}
    </button>`;
  }
}
