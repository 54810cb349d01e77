import { css, html, LitElement, nothing, type PropertyValues } from 'lit';
import { utf8Bytes } from '../format.ts';
import { icons } from '../icons.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

const MAX_BYTES = 32 * 1024;
const SHOW_LEFT_BELOW = 4 * 1024;
const MAX_HEIGHT_PX = 168;

/** Where a message is written. Enter fires `send` with the text, Shift+Enter begins a new line. */
export class Composer extends LitElement {
  static override properties = { nick: {}, draft: {}, blocked: {} };
  declare nick: string;
  /** The text, kept by the parent for each conversation. */
  declare draft: string;
  /** Why nothing can be sent now; empty when it can. */
  declare blocked: string;

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      form {
        display: flex;
        gap: var(--s2);
        align-items: flex-end;
        max-width: 860px;
        margin: 0 auto;
        padding: var(--s2) var(--s5) var(--s4);
      }
      textarea {
        flex: 1;
        display: block;
        min-height: 44px;
        padding: 10px var(--s4);
        border-radius: 22px;
        line-height: 1.45;
        resize: none;
      }
      button.send {
        display: grid;
        place-items: center;
        flex: none;
        width: 44px;
        height: 44px;
        padding: 0;
        border-radius: 50%;
      }
      p {
        max-width: 860px;
        margin: 0 auto;
        padding: 0 var(--s6) var(--s1);
      }
      .bad {
        color: var(--danger);
        font-weight: 600;
      }
      @media (max-width: 719px) {
        form {
          padding: var(--s2) var(--s3) var(--s3);
        }
      }
    `,
  ];

  get #area(): HTMLTextAreaElement | null {
    return this.renderRoot.querySelector('textarea');
  }

  override focus(): void {
    this.#area?.focus();
  }

  protected override updated(changed: PropertyValues<this>): void {
    const area = this.#area;
    if (!changed.has('draft') || area === null) return;
    area.style.height = 'auto';
    const borders = area.offsetHeight - area.clientHeight;
    area.style.height = `${Math.min(area.scrollHeight + borders, MAX_HEIGHT_PX)}px`;
  }

  #input(): void {
    this.draft = this.#area?.value ?? '';
    this.dispatchEvent(new CustomEvent('draft', { detail: this.draft }));
  }

  #keys(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #send(): void {
    if (this.#canSend) this.dispatchEvent(new CustomEvent('send', { detail: this.draft.trim() }));
  }

  get #canSend(): boolean {
    return this.blocked === '' && this.draft.trim() !== '' && utf8Bytes(this.draft) <= MAX_BYTES;
  }

  protected override render() {
    const { composer } = text;
    return html`${this.blocked ? html`<p class="small soft" id="why">${this.blocked}</p>` : this.#renderLeft()}
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          this.#send();
        }}
      >
        <textarea
          rows="1"
          aria-label=${composer.label(this.nick)}
          aria-describedby=${this.blocked ? 'why' : nothing}
          placeholder=${composer.placeholder}
          dir="auto"
          .value=${this.draft}
          ?disabled=${this.blocked !== ''}
          @input=${this.#input}
          @keydown=${this.#keys}
        ></textarea>
        <button class="primary send" aria-label=${composer.send} title=${composer.send} ?disabled=${!this.#canSend}>
          ${icons.send}
        </button>
      </form>`;
  }

  #renderLeft() {
    const left = MAX_BYTES - utf8Bytes(this.draft);
    if (left >= SHOW_LEFT_BELOW) return nothing;
    const kib = (Math.abs(left) / 1024).toFixed(1);
    return html`<p class="small ${left < 0 ? 'bad' : 'soft'}" role="status">
      ${left < 0 ? text.composer.tooLong(kib) : text.composer.left(kib)}
    </p>`;
  }
}
