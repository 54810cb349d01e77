import { css, html, LitElement } from 'lit';
import { icons } from '../icons.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** A modal dialog: the browser's own, which keeps the focus inside and closes on Escape. Fires `dismiss`. */
export class Dialog extends LitElement {
  static override properties = { heading: {} };
  declare heading: string;

  static override styles = [
    shared,
    css`
      dialog {
        width: min(560px, 100vw - 32px);
        max-height: calc(100dvh - 48px);
        padding: 0;
        border: 1px solid var(--line);
        border-radius: var(--round-large);
        background: var(--side);
        color: var(--ink);
        box-shadow: var(--float);
        overflow: hidden;
      }
      dialog[open] {
        display: grid;
        grid-template-rows: auto minmax(0, 1fr);
      }
      dialog::backdrop {
        background: var(--shade);
      }
      header {
        display: flex;
        align-items: center;
        justify-content: space-between;
        padding: var(--s4) var(--s4) var(--s3) var(--s5);
      }
      h2 {
        font-size: var(--title);
        letter-spacing: -0.01em;
      }
      .body {
        padding: 0 var(--s5) var(--s5);
        overflow-y: auto;
      }
      @media (max-width: 719px) {
        dialog {
          width: 100vw;
          max-width: none;
          height: 100dvh;
          max-height: none;
          border: 0;
          border-radius: 0;
        }
      }
    `,
  ];

  close(): void {
    this.renderRoot.querySelector('dialog')?.close();
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector('dialog')?.showModal();
  }

  #backdrop(event: MouseEvent): void {
    if (event.target === event.currentTarget) this.close();
  }

  protected override render() {
    return html`<dialog
      aria-labelledby="heading"
      @close=${() => this.dispatchEvent(new Event('dismiss'))}
      @mousedown=${this.#backdrop}
    >
      <header>
        <h2 id="heading">${this.heading}</h2>
        <button class="icon" aria-label=${text.close} title=${text.close} @click=${this.close}>${icons.close}</button>
      </header>
      <div class="body"><slot></slot></div>
    </dialog>`;
  }
}
