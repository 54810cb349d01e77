import { html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { Conversation } from '../../../core/commands/schema.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { listTime } from '../format.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { noticeWords } from '../notice-words.ts';
import { byContact } from '../state.ts';
import { shared } from '../styles/shared.ts';
import { sidebarStyles } from '../styles/sidebar.ts';
import { contactsIn, faceOf, nameOf } from '../talks.ts';
import { text } from '../text.ts';

/** Requests and conversations; up and down move between them. Fires `show-dialog` with `add`, `new-group` or `settings`. */
export class Sidebar extends LitElement {
  static override properties = { model: { attribute: false } };
  static override styles = [shared, sidebarStyles];
  declare model: Model;

  constructor() {
    super();
    new ModelController(this);
  }

  #show(dialog: 'add' | 'new-group' | 'settings'): void {
    this.dispatchEvent(new CustomEvent('show-dialog', { detail: dialog, bubbles: true, composed: true }));
  }

  /** Arrow keys, Home and End move the focus through the list. */
  #keys(event: KeyboardEvent): void {
    const items = [...this.renderRoot.querySelectorAll<HTMLElement>('button.item')];
    const at = items.indexOf(event.target as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items[Math.max(0, Math.min(items.length - 1, to))]?.focus();
  }

  protected override render() {
    const { conversations, requests } = this.model.state;
    return html`<header>
        ${icons.mark}
        <h1>${text.app}</h1>
        <button class="icon" aria-label=${text.group.new} title=${text.group.new} @click=${() => this.#show('new-group')}>
          ${icons.group}
        </button>
        <button class="icon" aria-label=${text.list.add} title=${text.list.add} @click=${() => this.#show('add')}>
          ${icons.add}
        </button>
      </header>
      <div class="scroll">
        ${
          requests.length > 0
            ? html`<section aria-label=${text.list.requests}>
                <h2>${text.list.requests} <span class="badge">${requests.length}</span></h2>
                ${repeat(
                  requests,
                  request => request.id,
                  request => html`<molva-request-card .model=${this.model} .request=${request}></molva-request-card>`,
                )}
              </section>`
            : nothing
        }
        <nav aria-label=${text.list.title} @keydown=${this.#keys}>
          ${requests.length > 0 && conversations.length > 0 ? html`<h2>${text.list.title}</h2>` : nothing}
          <ul>
            ${repeat(
              conversations,
              conversation => conversation.id,
              conversation => this.#renderItem(conversation),
            )}
          </ul>
          ${conversations.length + requests.length === 0 ? this.#renderEmpty() : nothing}
        </nav>
      </div>
      ${this.#renderSync()} ${this.#renderFooter()}`;
  }

  #renderItem(conversation: Conversation) {
    const { id, contact, group, lastMessage, unread } = conversation;
    const current = this.model.state.thread?.conversation === id;
    return html`<li>
      <button
        class="item"
        data-id=${id}
        tabindex=${current || this.#isEntry(id) ? 0 : -1}
        aria-current=${current ? 'true' : nothing}
        @click=${() => this.model.select(id)}
      >
        <molva-avatar
          .nick=${nameOf(conversation)}
          .contactId=${faceOf(conversation)}
          ?group=${group !== null}
          ?online=${contact?.online}
        ></molva-avatar>
        <span class="who">
          <bdi class="cut">${nameOf(conversation)}</bdi>
          ${contact === null ? html`<span class="hidden">${text.list.group}</span>` : html`<molva-trust-mark .trust=${contact.trust}></molva-trust-mark>`}
        </span>
        <time class="small soft">${lastMessage === null ? '' : listTime(lastMessage.sentAt, Date.now())}</time>
        <span class="last cut soft">${preview(conversation, this.model.state.status?.profile?.id ?? '')}</span>
        ${unread > 0 ? html`<span class="badge" aria-label=${text.list.unread(unread)}>${unread > 99 ? '99+' : unread}</span>` : nothing}
      </button>
    </li>`;
  }

  /** One item of the list takes part in Tab order: the open one, else the first. */
  #isEntry(id: string): boolean {
    const { conversations, thread } = this.model.state;
    return thread === null && conversations[0]?.id === id;
  }

  #renderEmpty() {
    return html`<div class="empty">
      <p>${text.list.empty}</p>
      <p class="soft small">${text.list.emptyHint}</p>
      <button class="primary" @click=${() => this.#show('add')}>${text.list.add}</button>
    </div>`;
  }

  /** The open conversation says so itself. */
  #renderSync() {
    const { syncs, thread } = this.model.state;
    const rows = syncs.map(sync => ({ ...sync, row: byContact(this.model.state, sync.contact) }));
    const shown = rows.findLast(({ row }) => row !== undefined && row.id !== thread?.conversation);
    if (shown?.row === undefined) return nothing;
    const { fetching, handing } = text.list;
    const words = named(shown.direction === 'in' ? fetching : handing, nameOf(shown.row));
    return html`<p class="sync small soft"><span class="cut">${words} ${shown.queued}</span></p>`;
  }

  #renderFooter() {
    const { status } = this.model.state;
    const profile = status?.profile;
    const online = contactsIn(this.model.state).filter(contact => contact.online).length;
    const standing = online > 0 ? text.list.peers(online) : text.list.nobody;
    return html`<footer>
      <molva-avatar .nick=${profile?.nick ?? ''} .contactId=${profile?.id ?? ''}></molva-avatar>
      <span class="me">
        <bdi class="cut">${profile?.nick}</bdi>
        <span class="small soft cut">${standing}${status?.network.offlineMode ? ` · ${text.list.offlineMode}` : ''}</span>
      </span>
      <button
        class="icon"
        aria-label=${text.list.settings}
        title=${text.list.settings}
        @click=${() => this.#show('settings')}
      >
        ${icons.settings}
      </button>
    </footer>`;
  }
}

function preview({ contact, group, lastMessage }: Conversation, ownId: string) {
  if (lastMessage === null) {
    if (group !== null && group.phase !== 'member') return text.group.standing[group.phase];
    return contact?.phase === 'requested' ? text.list.waiting : text.list.noMessages;
  }
  const { notice, outgoing, fromNick } = lastMessage;
  if (notice !== null) return noticeWords(notice, ownId);
  const from = outgoing ? text.list.you : group === null ? '' : html`<bdi>${fromNick}</bdi>: `;
  return html`${from}<bdi>${lastMessage.text.slice(0, 120)}</bdi>`;
}
