import { css, html, LitElement, nothing } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import { addressParts } from '../links.ts';
import type { Model } from '../model.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { Dialog } from './dialog.ts';

/** Asks before an address in a message leaves Molva, and shows all of it as the browser would read it. Fires `dismiss`. */
export class LinkDialog extends LitElement {
  static override properties = { model: { attribute: false }, url: {} };
  declare model: Model;
  declare url: string;
  #open = new ActionController(this);

  static override styles = [
    shared,
    css`
      .address {
        max-height: 40dvh;
        padding: var(--s3) var(--s4);
        border: 1px solid var(--line);
        border-radius: var(--round);
        background: var(--raised);
        color: var(--ink-soft);
        font-family: var(--mono);
        overflow-y: auto;
        overflow-wrap: anywhere;
        unicode-bidi: isolate;
        user-select: all;
        -webkit-user-select: all;
      }
      strong {
        color: var(--ink);
      }
    `,
  ];

  #close(): void {
    this.renderRoot.querySelector<Dialog>('molva-dialog')?.close();
  }

  async #go(): Promise<void> {
    if (await this.#open.run(() => this.model.call('link.open', { url: this.url }))) this.#close();
  }

  protected override render() {
    const { link } = text;
    const { before, host, after } = addressParts(this.url);
    return html`<molva-dialog heading=${link.openTitle} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">
        <p class="address" dir="ltr">${before}<strong>${host}</strong>${after}</p>
        ${/(^|\.)xn--/.test(host) ? html`<p class="note warn small" role="alert">${link.foreignLetters}</p>` : nothing}
        <p class="small soft">${link.openHint}</p>
        <p class="error small" role="alert">${this.#open.error}</p>
        <div class="row">
          <button class="primary" ?disabled=${this.#open.busy} @click=${this.#go}>${link.open}</button>
          <button @click=${this.#close}>${text.cancel}</button>
        </div>
      </div>
    </molva-dialog>`;
  }
}
