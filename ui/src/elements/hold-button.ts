import { css, html, LitElement } from 'lit';
import { HoldController } from '../controllers/hold-controller.ts';
import { shared } from '../styles/shared.ts';

const HOLD_MS = 2000;

/** A button that acts only after it was held for two seconds, by pointer, Enter or Space. Fires `held`. */
export class HoldButton extends LitElement {
  static override properties = { label: {}, holdingLabel: {}, disabled: { type: Boolean } };
  declare label: string;
  declare holdingLabel: string;
  declare disabled: boolean;
  #hold = new HoldController(this, HOLD_MS, () => this.dispatchEvent(new Event('held')));

  static override styles = [
    shared,
    css`
      :host {
        display: block;
      }
      button {
        position: relative;
        width: 100%;
        min-height: 46px;
        overflow: hidden;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }
      .fill {
        position: absolute;
        inset: 0;
        background: var(--danger-fill);
        transform: scaleX(var(--held, 0));
        transform-origin: left;
      }
      .words {
        position: relative;
      }
      button.danger.holding {
        color: var(--ink);
      }
      .words.over {
        position: absolute;
        inset: 0;
        display: grid;
        place-items: center;
        color: #fff;
        clip-path: inset(0 calc(100% - 100% * var(--held, 0)) 0 0);
      }
    `,
  ];

  protected override updated(): void {
    this.style.setProperty('--held', String(this.#hold.progress));
  }

  #begin(): void {
    if (!this.disabled) this.#hold.begin();
  }

  #key(event: KeyboardEvent): void {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    if (!event.repeat) this.#begin();
  }

  protected override render() {
    const words = this.#hold.holding ? this.holdingLabel : this.label;
    return html`<button
      type="button"
      class="danger ${this.#hold.holding ? 'holding' : ''}"
      ?disabled=${this.disabled}
      @pointerdown=${this.#begin}
      @pointerup=${() => this.#hold.cancel()}
      @pointerleave=${() => this.#hold.cancel()}
      @pointercancel=${() => this.#hold.cancel()}
      @contextmenu=${(event: Event) => event.preventDefault()}
      @keydown=${this.#key}
      @keyup=${() => this.#hold.cancel()}
      @blur=${() => this.#hold.cancel()}
    >
      <span class="fill" aria-hidden="true"></span><span class="words">${words}</span>
      <span class="words over" aria-hidden="true">${words}</span>
    </button>`;
  }
}
