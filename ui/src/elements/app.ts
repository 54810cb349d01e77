import { css, html, LitElement, nothing } from 'lit';
import type { Message } from '../../../core/commands/schema.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { TickController } from '../controllers/tick-controller.ts';
import { countdown } from '../format.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { noticeText } from '../notice-words.ts';
import { isRestoreSeen, seeRestore } from '../notices.io.ts';
import { gate } from '../styles/gate.ts';
import { ripples, shared } from '../styles/shared.ts';
import { nameOf } from '../talks.ts';
import { text } from '../text.ts';
import { showTheme } from '../theme.io.ts';

/** What stands above the conversations; a link waits for the person's word. */
export type DialogKind =
  | 'add'
  | 'new-group'
  | 'add-to-group'
  | 'settings'
  | 'export'
  | 'import'
  | { readonly link: string };

/** Chooses the screen by what the core says of itself, and holds what stands above every screen. */
export class App extends LitElement {
  static override properties = { model: { attribute: false }, dialog: { state: true }, announced: { state: true } };
  declare model: Model;
  declare private dialog: DialogKind | null;
  declare private announced: string;
  #arrived: Message | null = null;

  static override styles = [
    shared,
    ripples,
    gate,
    css`
      :host {
        position: relative;
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
        background: var(--page);
      }
      .screen {
        grid-row: 2;
        min-height: 0;
      }
      .columns {
        display: grid;
        grid-template-columns: 320px minmax(0, 1fr);
        grid-template-rows: minmax(0, 1fr);
        height: 100%;
      }
      molva-sidebar {
        border-right: 1px solid var(--line);
        min-height: 0;
      }
      .banner {
        display: flex;
        gap: var(--s3);
        align-items: center;
        justify-content: center;
        padding: var(--s1) var(--s4);
        background: var(--warn-soft);
        color: var(--warn);
        font-weight: 600;
      }
      .banner button {
        min-height: 30px;
        padding: 2px var(--s3);
        border-color: currentColor;
        background: none;
      }
      .gate.whole {
        height: 100%;
      }
      @media (max-width: 719px) {
        .columns {
          grid-template-columns: minmax(0, 1fr);
        }
        .columns.talking molva-sidebar,
        .columns:not(.talking) molva-conversation {
          display: none;
        }
      }
    `,
  ];

  constructor() {
    super();
    this.dialog = null;
    this.announced = '';
    new ModelController(this);
    new TickController(this, () => {
      const link = this.model.state.link;
      return link.kind === 'lost' ? link.retryAt : 0;
    });
  }

  protected override willUpdate(): void {
    const { status, conversations, requests } = this.model.state;
    if (status?.state !== 'unlocked') this.dialog = null;
    if (status !== null) showTheme(status.settings.theme);
    const total = conversations.reduce((sum, conversation) => sum + conversation.unread, requests.length);
    document.title = total > 0 ? `(${total}) ${text.app}` : text.app;
    this.#announce();
  }

  /** Says for a screen reader what has just arrived: the words in the open conversation, else only from whom. */
  #announce(): void {
    const { arrived, conversations, status, thread } = this.model.state;
    if (arrived === this.#arrived) return;
    this.#arrived = arrived;
    const from = conversations.find(conversation => conversation.id === arrived?.conversation);
    if (arrived === null || from === undefined) return;
    const { announce, announceElsewhere } = text.conversation;
    const open = thread?.conversation === from.id;
    if (arrived.notice !== null) {
      // What happens in a group that is not looked at can be read there.
      if (open) this.announced = noticeText(arrived.notice, status?.profile?.id ?? '');
      return;
    }
    this.announced = open ? announce(arrived.fromNick, arrived.text) : announceElsewhere(nameOf(from));
  }

  #dismiss(): void {
    this.dialog = null;
  }

  protected override render() {
    return html`<div>${this.#renderBanner()} ${this.#renderRestored()}</div>
      <div
        class="screen"
        @show-dialog=${(event: CustomEvent<DialogKind>) => {
          this.dialog = event.detail;
        }}
      >
        ${this.#renderScreen()}
      </div>
      <div class="hidden" role="status" aria-live="polite" id="announcer">${this.announced}</div>`;
  }

  #renderScreen() {
    const { link, status, wiped } = this.model.state;
    if (wiped !== null) return this.#renderWiped(wiped.keysGoneMs);
    if (link.kind === 'no-key') return card(text.link.noKeyTitle, text.link.noKey);
    switch (status?.state) {
      case undefined:
        return card(text.app, text.link.connecting);
      case 'stopping':
        return card(text.app, link.kind === 'open' ? text.link.stopping : text.link.stopped);
      case 'no-profile':
        return html`<molva-welcome .model=${this.model}></molva-welcome>`;
      case 'locked':
        return html`<molva-unlock .model=${this.model}></molva-unlock>`;
      case 'unlocked':
        return this.#renderMain();
    }
  }

  #renderMain() {
    const { model, dialog } = this;
    return html`<div class="columns ${model.state.thread === null ? '' : 'talking'}">
        <molva-sidebar .model=${model}></molva-sidebar>
        <molva-conversation .model=${model} ?covered=${dialog !== null}></molva-conversation>
      </div>
      ${typeof dialog === 'object' && dialog !== null ? html`<molva-link-dialog .model=${model} .url=${dialog.link} @dismiss=${this.#dismiss}></molva-link-dialog>` : nothing}
      ${dialog === 'add' ? html`<molva-add-contact .model=${model} @dismiss=${this.#dismiss}></molva-add-contact>` : nothing}
      ${dialog === 'new-group' ? html`<molva-group-create .model=${model} @dismiss=${this.#dismiss}></molva-group-create>` : nothing}
      ${dialog === 'add-to-group' ? html`<molva-group-add .model=${model} @dismiss=${this.#dismiss}></molva-group-add>` : nothing}
      ${dialog === 'export' ? html`<molva-bundle-export .model=${model} @dismiss=${this.#dismiss}></molva-bundle-export>` : nothing}
      ${dialog === 'import' ? html`<molva-bundle-import .model=${model} @dismiss=${this.#dismiss}></molva-bundle-import>` : nothing}
      ${dialog === 'settings' ? html`<molva-settings .model=${model} @dismiss=${this.#dismiss}></molva-settings>` : nothing}`;
  }

  #renderRestored() {
    const { status } = this.model.state;
    const at = status?.state === 'unlocked' ? status.restoredAt : null;
    if (at === null || isRestoreSeen(at)) return nothing;
    const dismiss = () => {
      seeRestore(at);
      this.requestUpdate();
    };
    return html`<molva-restored-notice @dismiss=${dismiss}></molva-restored-notice>`;
  }

  #renderWiped(keysGoneMs: number | null) {
    const { wiped } = text;
    if (keysGoneMs === null) return card(wiped.unsureTitle, wiped.unsure);
    return card(wiped.title, wiped.text(Math.ceil(keysGoneMs)));
  }

  #renderBanner() {
    const { link, status, wiped, loadError } = this.model.state;
    // After a clean end there is nothing to wait for.
    if (wiped !== null || link.kind === 'no-key' || status?.state === 'stopping') return nothing;
    if (link.kind === 'open') {
      if (loadError === null) return nothing;
      return banner(loadError, () => this.model.reload());
    }
    if (link.kind === 'connecting') {
      return status === null ? nothing : banner(`${text.link.lost} ${text.link.retrying}`, null);
    }
    const wait = text.link.retryIn(countdown(link.retryAt - Date.now()));
    return banner(`${text.link.lost} ${wait}`, () => this.model.retryNow());
  }
}

function card(title: string, words: string) {
  return html`<main class="gate whole ripples">
    <div class="card stack">
      <div>${icons.mark}</div>
      <h1>${title}</h1>
      <p class="soft">${words}</p>
    </div>
  </main>`;
}

function banner(words: string, retry: (() => void) | null) {
  return html`<div class="banner small">
    <span role="alert">${words}</span>
    ${retry === null ? nothing : html`<button @click=${retry}>${text.link.retry}</button>`}
  </div>`;
}
