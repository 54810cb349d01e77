import { html, LitElement, nothing } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { grouped, shortDate } from '../format.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { problemWithNick } from '../nick.ts';
import { detailsStyles } from '../styles/details.ts';
import { numbers } from '../styles/numbers.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** Beside the conversation: who this is, whether it is really them, and the way to remove them. Fires `dismiss`. */
export class ContactDetails extends LitElement {
  static override properties = {
    model: { attribute: false },
    contact: { attribute: false },
    qr: { state: true },
    removing: { state: true },
  };
  declare model: Model;
  declare contact: Contact;
  declare private qr: boolean;
  declare private removing: boolean;
  #rename = new ActionController(this);
  #remove = new ActionController(this);

  static override styles = [shared, numbers, detailsStyles];

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>('header button')?.focus();
    // A core that does not answer shows itself in the banner; the panel works without an answer.
    this.model.loadVerification(this.contact.id).catch(() => {});
  }

  #save(event: Event): void {
    event.preventDefault();
    const nick = this.renderRoot.querySelector<HTMLInputElement>('#nick')?.value.trim() ?? '';
    if (nick === this.contact.nick) return;
    const odd = problemWithNick(nick);
    if (odd !== null) {
      this.#rename.refuse(odd);
      return;
    }
    void this.#rename.run(async () => {
      const contact = await this.model.call('contacts.rename', { who: this.contact.id, nick });
      this.model.apply({ event: 'contact-changed', contact });
    });
  }

  protected override render() {
    const { details } = text;
    const { contact } = this;
    return html`<aside class="stack" aria-label=${details.title}>
      <header>
        <h2>${details.title}</h2>
        <button class="icon" aria-label=${text.close} title=${text.close} @click=${() => this.dispatchEvent(new Event('dismiss'))}>
          ${icons.close}
        </button>
      </header>
      <div class="face">
        <molva-avatar .nick=${contact.nick} .contactId=${contact.id}></molva-avatar>
        <bdi>${contact.nick}</bdi>
        <molva-trust-mark worded .trust=${contact.trust}></molva-trust-mark>
        ${contact.trust === 'changed' ? html`<p class="note warn small">${text.trustMeaning.changed}</p>` : nothing}
        ${contact.claimedNick === contact.nick ? nothing : html`<p class="small soft">${named(details.claims, contact.claimedNick)}</p>`}
      </div>
      <section>
        <molva-verification .model=${this.model} .contact=${contact}></molva-verification>
      </section>
      ${this.#renderSafety()} ${this.#renderRename()} ${this.#renderRemove()}
    </aside>`;
  }

  #renderSafety() {
    const { details } = text;
    const groups = grouped(this.contact.safetyNumber, 5);
    return html`<section>
      <h3>${details.safetyNumber}</h3>
      <p class="small soft">${details.safetyHint}</p>
      <div class="numbers digits">${groups.map(group => html`<span>${group}</span>`)}</div>
      <button
        class="quiet small"
        aria-expanded=${this.qr === true}
        @click=${() => {
          this.qr = !this.qr;
        }}
      >
        ${this.qr ? details.hideQr : details.showQr}
      </button>
      ${this.qr ? html`<molva-qr-code .value=${groups.join('')} label=${details.safetyQr}></molva-qr-code>` : nothing}
    </section>`;
  }

  #renderRename() {
    const { details } = text;
    return html`<section>
      <label for="nick">${details.nick}</label>
      <form @submit=${this.#save}>
        <input id="nick" maxlength="64" autocomplete="off" dir="auto" .value=${this.contact.nick} />
        <button ?disabled=${this.#rename.busy}>${text.save}</button>
      </form>
      <p class="error small" role="alert">${this.#rename.error}</p>
      <p class="small soft">${details.added(shortDate(this.contact.addedAt))}</p>
    </section>`;
  }

  #renderRemove() {
    const { details } = text;
    const ask = (removing: boolean) => () => {
      this.removing = removing;
    };
    if (!this.removing) {
      return html`<section><button class="danger" @click=${ask(true)}>${details.remove}</button></section>`;
    }
    return html`<section class="ask" role="alertdialog" aria-label=${details.remove}>
      <p class="small">${details.removeAsk}</p>
      <div class="row">
        <button
          class="danger"
          ?disabled=${this.#remove.busy}
          @click=${() => this.#remove.run(() => this.model.removeContact(this.contact.id))}
        >
          ${details.removeYes}
        </button>
        <button @click=${ask(false)}>${text.cancel}</button>
      </div>
      <p class="error small" role="alert">${this.#remove.error}</p>
    </section>`;
  }
}
