import { css, html, LitElement } from 'lit';
import { shortDate } from '../format.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** An invite that was made, as a QR code and as text to copy, with until when it is good. */
export class InviteText extends LitElement {
  static override properties = {
    invite: {},
    expiresAt: { type: Number },
    label: {},
    qrLabel: {},
    copied: { state: true },
  };
  declare invite: string;
  declare expiresAt: number;
  /** Of the text. */
  declare label: string;
  declare qrLabel: string;
  declare private copied: string | undefined;

  static override styles = [
    shared,
    css`
      :host {
        display: grid;
        grid-template-columns: 212px minmax(0, 1fr);
        gap: var(--s4);
      }
      .words {
        display: grid;
        grid-template-rows: minmax(0, 1fr) auto auto;
        gap: var(--s2);
        align-content: start;
      }
      textarea {
        display: block;
        height: 100%;
        min-height: 118px;
        font-family: var(--mono);
        font-size: var(--small);
        resize: none;
        word-break: break-all;
      }
      @media (max-width: 719px) {
        :host {
          grid-template-columns: minmax(0, 1fr);
          justify-items: center;
        }
        .words {
          width: 100%;
        }
      }
    `,
  ];

  async #copy(): Promise<void> {
    this.renderRoot.querySelector('textarea')?.select();
    try {
      await navigator.clipboard.writeText(this.invite);
      this.copied = text.copied;
    } catch {
      this.copied = text.copyFailed;
    }
  }

  protected override render() {
    return html`<molva-qr-code .value=${this.invite} label=${this.qrLabel}></molva-qr-code>
      <div class="words">
        <textarea readonly aria-label=${this.label} .value=${this.invite}></textarea>
        <button @click=${this.#copy}><span role="status">${this.copied ?? text.copy}</span></button>
        <p class="small soft">${text.add.until(shortDate(this.expiresAt))}</p>
      </div>`;
  }
}
