import { css, html, LitElement } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import type { Model } from '../model.ts';
import { MIN_PASSPHRASE } from '../strength.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { PassphraseField } from './passphrase-field.ts';

/** Seals the profile under another passphrase. */
export class ChangePassphrase extends LitElement {
  static override properties = { model: { attribute: false }, done: { state: true } };
  declare model: Model;
  declare private done: boolean;
  #change = new ActionController(this);

  static override styles = [
    shared,
    css`
      summary {
        padding: var(--s1) 0;
        font-weight: 600;
        cursor: pointer;
      }
      form {
        padding-top: var(--s3);
      }
    `,
  ];

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const fields = [...this.renderRoot.querySelectorAll<PassphraseField>('molva-passphrase-field')];
    const [current = '', next = '', again = ''] = fields.map(field => field.value);
    this.done = false;
    if (next.length < MIN_PASSPHRASE) return this.#change.refuse(text.welcome.tooShort);
    if (next !== again) return this.#change.refuse(text.welcome.differ);
    this.done = await this.#change.run(() => this.model.call('vault.changePassphrase', { current, next }));
    if (this.done) for (const field of fields) field.clear();
  }

  protected override render() {
    const { settings } = text;
    const { busy, error } = this.#change;
    return html`<details>
      <summary>${settings.passphrase}</summary>
      <form class="stack" @submit=${this.#submit} novalidate>
        <molva-passphrase-field label=${settings.current} autocomplete="current-password" ?disabled=${busy}></molva-passphrase-field>
        <molva-passphrase-field label=${settings.next} autocomplete="new-password" hint ?disabled=${busy}></molva-passphrase-field>
        <molva-passphrase-field label=${settings.again} autocomplete="new-password" ?disabled=${busy}></molva-passphrase-field>
        <p class="error" role="alert">${error}</p>
        <p class="small" role="status">${this.done ? settings.changed : ''}</p>
        <div><button ?disabled=${busy}>${settings.change}</button></div>
      </form>
    </details>`;
  }
}
