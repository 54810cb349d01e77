import { html, LitElement } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import { TickController } from '../controllers/tick-controller.ts';
import { countdown } from '../format.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { gate } from '../styles/gate.ts';
import { ripples, shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { PassphraseField } from './passphrase-field.ts';

/** The locked profile: passphrase or keychain, the delay after wrong tries, and the way out. */
export class Unlock extends LitElement {
  static override properties = { model: { attribute: false } };
  static override styles = [shared, ripples, gate];
  declare model: Model;
  #unlock = new ActionController(this);
  #erase = new ActionController(this);

  constructor() {
    super();
    new TickController(this, () => this.#allowedAt);
  }

  get #allowedAt(): number {
    return this.model.state.status?.unlockAllowedAt ?? 0;
  }

  get #field(): PassphraseField | null {
    return this.renderRoot.querySelector('molva-passphrase-field');
  }

  protected override firstUpdated(): void {
    void this.updateComplete.then(() => this.#field?.focus());
  }

  #submit(event: Event): void {
    event.preventDefault();
    const passphrase = this.#field?.value ?? '';
    if (passphrase === '' || Date.now() < this.#allowedAt) return;
    void this.#open(passphrase);
  }

  async #open(passphrase?: string): Promise<void> {
    const opened = await this.#unlock.run(() => this.model.unlock(passphrase));
    this.#field?.clear();
    if (opened) return;
    await this.updateComplete;
    this.#field?.focus();
  }

  protected override render() {
    const { busy, error } = this.#unlock;
    const waiting = this.#allowedAt - Date.now();
    const keychain = this.model.state.status?.keychain;
    return html`<main class="gate ripples">
      <form class="card stack" @submit=${this.#submit} novalidate>
        <div>${icons.mark}</div>
        <h1>${text.unlock.title}</h1>
        <molva-passphrase-field
          label=${text.welcome.passphrase}
          autocomplete="current-password"
          ?disabled=${busy}
        ></molva-passphrase-field>
        <p class="error" role="alert">${error}</p>
        ${waiting > 0 ? html`<p class="note warn" role="timer">${text.unlock.wait(countdown(waiting))}</p>` : ''}
        <button class="primary" ?disabled=${busy || waiting > 0}>
          ${busy ? text.unlock.unlocking : text.unlock.unlock}
        </button>
        ${
          keychain?.enabled && keychain.available
            ? html`<button type="button" ?disabled=${busy} @click=${() => this.#open()}>${text.unlock.keychain}</button>`
            : ''
        }
        ${this.#renderForgot()}
      </form>
    </main>`;
  }

  #renderForgot() {
    const { busy, error } = this.#erase;
    return html`<details class="small">
      <summary class="soft">${text.unlock.forgot}</summary>
      <div class="stack">
        <p class="hint">${text.unlock.forgotText}</p>
        <molva-hold-button
          label=${busy ? text.settings.wiping : text.settings.wipeHold}
          holdingLabel=${text.settings.wipeHolding}
          ?disabled=${busy}
          @held=${() => this.#erase.run(() => this.model.wipe())}
        ></molva-hold-button>
        <p class="error" role="alert">${error}</p>
      </div>
    </details>`;
  }
}
