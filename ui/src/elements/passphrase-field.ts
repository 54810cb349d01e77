import { css, html, LitElement } from 'lit';
import { icons } from '../icons.ts';
import { strengthOf } from '../strength.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** A passphrase input with show and hide, and with `hint` an estimate of its strength. The value stays in the input. */
export class PassphraseField extends LitElement {
  static override properties = {
    label: {},
    autocomplete: {},
    hint: { type: Boolean },
    disabled: { type: Boolean },
    shown: { state: true },
    strength: { state: true },
  };
  declare label: string;
  declare autocomplete: string;
  declare hint: boolean;
  declare disabled: boolean;
  declare private shown: boolean;
  declare private strength: ReturnType<typeof strengthOf>;

  static override shadowRootOptions = { ...LitElement.shadowRootOptions, delegatesFocus: true };
  static override styles = [
    shared,
    css`
      .box {
        position: relative;
      }
      input:not([type='checkbox']) {
        padding-right: 46px;
      }
      button.icon {
        position: absolute;
        top: 1px;
        right: 1px;
      }
      .hint {
        display: flex;
        gap: var(--s2);
        align-items: center;
        margin-top: var(--s2);
        min-height: 1.5em;
      }
      .bars {
        display: flex;
        gap: 3px;
      }
      .bars i {
        width: 18px;
        height: 4px;
        border-radius: 2px;
        background: var(--line);
      }
      .weak i:nth-child(-n + 1) {
        background: var(--danger);
      }
      .fair i:nth-child(-n + 2) {
        background: var(--warn);
      }
      .strong i {
        background: var(--good);
      }
    `,
  ];

  constructor() {
    super();
    this.shown = false;
    this.strength = 'empty';
  }

  get value(): string {
    return this.#input?.value ?? '';
  }

  /** Takes the passphrase out of the page as soon as it is used. */
  clear(): void {
    if (this.#input) this.#input.value = '';
    this.strength = 'empty';
    this.shown = false;
  }

  get #input(): HTMLInputElement | null {
    return this.renderRoot?.querySelector('input') ?? null;
  }

  #submit(event: KeyboardEvent): void {
    // The input stands in this element's own tree, so the form around it does not hear Enter by itself.
    if (event.key === 'Enter' && !event.isComposing) this.closest('form')?.requestSubmit();
  }

  protected override render() {
    const words = this.shown ? text.passphrase.hide : text.passphrase.show;
    return html`<label for="input">${this.label}</label>
      <div class="box">
        <input
          id="input"
          type=${this.shown ? 'text' : 'password'}
          autocomplete=${this.autocomplete ?? 'off'}
          autocapitalize="off"
          spellcheck="false"
          maxlength="1024"
          ?disabled=${this.disabled}
          @input=${() => {
            this.strength = strengthOf(this.value);
          }}
          @keydown=${this.#submit}
        />
        <button
          class="icon"
          type="button"
          aria-label=${words}
          title=${words}
          aria-pressed=${this.shown}
          @click=${() => {
            this.shown = !this.shown;
          }}
        >
          ${this.shown ? icons.hide : icons.show}
        </button>
      </div>
      ${this.hint ? this.#renderHint() : ''}`;
  }

  #renderHint() {
    return html`<div class="hint small soft" role="status">
      <span class="bars ${this.strength}" aria-hidden="true"><i></i><i></i><i></i></span>
      ${text.passphrase.strength[this.strength]}
    </div>`;
  }
}
