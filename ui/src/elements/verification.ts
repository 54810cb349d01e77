import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import type { Contact, Verification as VerificationState } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { TickController } from '../controllers/tick-controller.ts';
import { countdown, grouped } from '../format.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** The core judges the characters; it takes look-alikes for what they are meant to be. */
const CODE_CHARACTERS = 12;
/** How long after its time an ended code is still spoken of. */
const REMEMBERED_MS = 10 * 60_000;

/** The one-time code: one side shows it, the other types it, the first confirms what it was told. */
export class Verification extends LitElement {
  static override properties = {
    model: { attribute: false },
    contact: { attribute: false },
    denied: { state: true },
    hinted: { state: true },
  };
  declare model: Model;
  declare contact: Contact;
  /** The person said that the codes did not match. */
  declare private denied: boolean;
  /** The person wants to type before the other side shows. */
  declare private hinted: boolean;
  #action = new ActionController(this);

  static override styles = [
    shared,
    css`
      h3 {
        font-size: var(--body);
      }
      .code {
        display: flex;
        justify-content: center;
        gap: 0.5em;
        padding: var(--s3);
        border-radius: var(--round);
        background: var(--accent-soft);
        font-size: 1.5rem;
        letter-spacing: 0.06em;
      }
      input.digits:not([type='checkbox']) {
        font-size: 1.25rem;
        letter-spacing: 0.08em;
      }
      .stack {
        gap: var(--s3);
      }
      .row button {
        flex: 1;
      }
      .between {
        display: flex;
        justify-content: space-between;
      }
    `,
  ];

  constructor() {
    super();
    new ModelController(this);
    new TickController(this, () => this.#current?.expiresAt ?? 0);
  }

  get #current(): VerificationState | undefined {
    return this.model?.state.verifications.get(this.contact.id);
  }

  #start(): void {
    this.denied = false;
    this.hinted = false;
    void this.#action.run(async () => {
      const verification = await this.model.call('verification.start', { who: this.contact.id });
      this.model.apply({ event: 'verification-changed', verification });
    });
  }

  #confirm(): void {
    void this.#action.run(async () => {
      const contact = await this.model.call('verification.confirm', { who: this.contact.id });
      this.model.apply({ event: 'contact-changed', contact });
    });
  }

  #cancel(): void {
    void this.#action.run(() => this.model.cancelVerification(this.contact.id));
  }

  /** What the other side reported is not taken, and cannot be taken later by mistake. */
  #deny(): void {
    this.denied = true;
    this.#cancel();
  }

  #enter(event: Event): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector('input');
    const code = (input?.value ?? '').toUpperCase().replaceAll(/[\s-]/g, '');
    if (code.length !== CODE_CHARACTERS) {
      this.#action.refuse(text.verify.codeLength);
      return;
    }
    void this.#action.run(async () => {
      try {
        const verification = await this.model.call('verification.enter', { who: this.contact.id, code });
        this.model.apply({ event: 'verification-changed', verification });
      } finally {
        if (input) input.value = '';
        await this.model.loadVerification(this.contact.id);
      }
    });
  }

  protected override render() {
    return html`<div class="stack">
      <h3>${text.verify.title}</h3>
      ${this.#renderPhase()}
      <p class="error small" role="alert">${this.#action.error}</p>
    </div>`;
  }

  #renderPhase(): TemplateResult {
    const { verify } = text;
    const current = this.#current;
    if (current === undefined || Date.now() > current.expiresAt + REMEMBERED_MS) return this.#renderChoice(null);
    const denied = this.denied && current.role === 'shows' && ['matched', 'cancelled'].includes(current.phase);
    if (denied) return this.#renderDenied();
    const over = current.expiresAt <= Date.now();
    switch (current.phase) {
      case 'exchanging':
        return over ? this.#renderChoice(verify.expired) : this.#renderExchanging();
      case 'ready':
        if (over) return this.#renderChoice(verify.expired);
        return current.role === 'shows' ? this.#renderShown(current) : this.#renderTyping(current);
      case 'matched':
        return over ? this.#renderChoice(verify.expired) : this.#renderConfirm();
      case 'verified':
        return current.role === 'types' && !over ? this.#renderMatched() : this.#renderChoice(null);
      case 'burnt':
        return this.#renderChoice(verify.burnt[current.role]);
      case 'cancelled':
      case 'expired':
        return this.#renderChoice(verify[current.phase]);
    }
  }

  #renderExchanging() {
    return html`<p class="note small" role="status">${text.verify.exchanging}</p>
      ${this.#renderCancel()}`;
  }

  #renderCancel() {
    return html`<div><button ?disabled=${this.#action.busy} @click=${this.#cancel}>${text.cancel}</button></div>`;
  }

  #renderMatched() {
    return html`<p class="note small" role="status">${text.verify.matched}</p>`;
  }

  #renderChoice(problem: string | null) {
    const { verify } = text;
    return html`${problem === null ? nothing : html`<p class="note ${problem === verify.cancelled ? '' : 'bad'} small" role="alert">${problem}</p>`}
      <p class="small soft">${this.contact.trust === 'verified' ? verify.again : verify.intro}</p>
      <div class="row">
        <button
          class=${this.contact.trust === 'verified' ? '' : 'primary'}
          ?disabled=${this.#action.busy}
          @click=${this.#start}
        >
          ${verify.show}
        </button>
        <button
          aria-expanded=${this.hinted === true}
          @click=${() => {
            this.hinted = !this.hinted;
          }}
        >
          ${verify.type}
        </button>
      </div>
      ${this.hinted ? html`<p class="note small" role="status">${named(verify.typeHint, this.contact.nick)}</p>` : nothing}`;
  }

  #renderShown(current: VerificationState) {
    const { verify } = text;
    return html`<p class="small">${verify.readAloud}</p>
      <p class="code digits">${grouped(current.code ?? '', 4).map(part => html`<span>${part}</span>`)}</p>
      ${this.#renderLeft(current)}
      <p class="small soft">${verify.waiting}</p>
      ${this.#renderCancel()}`;
  }

  #renderDenied() {
    const { verify } = text;
    return html`<p class="note warn small" role="alert">${verify.noText}</p>
      <button ?disabled=${this.#action.busy} @click=${this.#start}>${verify.showNew}</button>`;
  }

  /** The report of a match came over the network; only the other person's own word counts. */
  #renderConfirm() {
    const { verify } = text;
    return html`<p class="note small" role="status">${verify.reported}</p>
      <p>${verify.ask}</p>
      <div class="row">
        <button class="primary" ?disabled=${this.#action.busy} @click=${this.#confirm}>${verify.yes}</button>
        <button ?disabled=${this.#action.busy} @click=${this.#deny}>${verify.no}</button>
      </div>`;
  }

  #renderTyping(current: VerificationState) {
    const { verify } = text;
    return html`<form class="stack" @submit=${this.#enter}>
      <div>
        <label for="code">${verify.codeLabel}</label>
        <input
          id="code"
          class="digits"
          maxlength="20"
          autocomplete="off"
          autocapitalize="off"
          spellcheck="false"
          placeholder="ABCD EFGH IJKL"
        />
      </div>
      ${this.#renderLeft(current)}
      <div class="row">
        <button class="primary" ?disabled=${this.#action.busy}>${verify.check}</button>
        <button type="button" ?disabled=${this.#action.busy} @click=${this.#cancel}>${text.cancel}</button>
      </div>
    </form>`;
  }

  #renderLeft(current: VerificationState) {
    const { verify } = text;
    return html`<p class="between small soft">
      <span role="timer">${verify.left(countdown(current.expiresAt - Date.now()))}</span>
      <span>${verify.tries(current.triesLeft)}</span>
    </p>`;
  }
}
