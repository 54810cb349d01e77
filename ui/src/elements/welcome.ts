import { html, LitElement } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { problemWithNick } from '../nick.ts';
import { MIN_PASSPHRASE } from '../strength.ts';
import { gate } from '../styles/gate.ts';
import { ripples, shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { PassphraseField } from './passphrase-field.ts';

/** First start: a name and a passphrase. */
export class Welcome extends LitElement {
  static override properties = { model: { attribute: false } };
  static override styles = [shared, ripples, gate];
  declare model: Model;
  #create = new ActionController(this);

  protected override firstUpdated(): void {
    this.renderRoot.querySelector('input')?.focus();
  }

  #submit(event: Event): void {
    event.preventDefault();
    const nick = this.renderRoot.querySelector('input')?.value.trim() ?? '';
    const [first, second] = this.renderRoot.querySelectorAll<PassphraseField>('molva-passphrase-field');
    if (first === undefined || second === undefined || this.#create.busy) return;
    const problem = problemWith(nick, first.value, second.value);
    if (problem !== null) {
      this.#create.refuse(problem);
      return;
    }
    void this.#create.run(async () => {
      await this.model.createProfile(nick, first.value);
      first.clear();
      second.clear();
    });
  }

  protected override render() {
    const { busy, error } = this.#create;
    return html`<main class="gate ripples">
      <form class="card stack" @submit=${this.#submit} novalidate>
        <div>${icons.mark}</div>
        <div>
          <h1>${text.welcome.title}</h1>
          <p class="soft lead">${text.welcome.lead}</p>
        </div>
        <div>
          <label for="nick">${text.welcome.nick}</label>
          <input id="nick" autocomplete="off" maxlength="64" aria-describedby="nick-hint" ?disabled=${busy} />
          <p id="nick-hint" class="small soft hint">${text.welcome.nickHint}</p>
        </div>
        <molva-passphrase-field
          label=${text.welcome.passphrase}
          autocomplete="new-password"
          hint
          ?disabled=${busy}
        ></molva-passphrase-field>
        <molva-passphrase-field
          label=${text.welcome.again}
          autocomplete="new-password"
          ?disabled=${busy}
        ></molva-passphrase-field>
        <p class="note warn small">${text.welcome.lost}</p>
        <p class="error" role="alert">${error}</p>
        <button class="primary" ?disabled=${busy}>${busy ? text.welcome.creating : text.welcome.create}</button>
      </form>
    </main>`;
  }
}

function problemWith(nick: string, passphrase: string, again: string): string | null {
  const odd = problemWithNick(nick);
  if (odd !== null) return odd;
  if (passphrase.length < MIN_PASSPHRASE) return text.welcome.tooShort;
  return passphrase === again ? null : text.welcome.differ;
}
