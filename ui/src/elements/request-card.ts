import { css, html, LitElement } from 'lit';
import type { ContactRequest } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import type { Model } from '../model.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** Someone who asks to become a contact. What they call themselves is a claim, shown as text and nothing else. */
export class RequestCard extends LitElement {
  static override properties = { model: { attribute: false }, request: { attribute: false } };
  declare model: Model;
  declare request: ContactRequest;
  #answer = new ActionController(this);

  static override styles = [
    shared,
    css`
      :host {
        display: block;
        margin: 0 var(--s3) var(--s2);
      }
      article {
        display: grid;
        gap: var(--s3);
        padding: var(--s3);
        border: 1px solid var(--line);
        border-radius: 14px;
        background: var(--raised);
        --around: var(--raised);
      }
      .top {
        display: flex;
        gap: var(--s3);
        align-items: center;
      }
      bdi {
        font-weight: 600;
      }
      .digits {
        margin-top: var(--s2);
        letter-spacing: 0.02em;
        word-spacing: 0.2em;
      }
      button {
        flex: 1;
      }
    `,
  ];

  protected override render() {
    const { id, nick, safetyNumber } = this.request;
    const { busy, error } = this.#answer;
    return html`<article aria-label=${nick}>
      <div class="top">
        <molva-avatar .nick=${nick} .contactId=${id}></molva-avatar>
        <p><bdi>${nick}</bdi> <span class="soft">${text.list.wants}</span></p>
      </div>
      <details class="small">
        <summary class="soft">${text.list.safetyNumber}</summary>
        <p class="digits">${safetyNumber}</p>
      </details>
      <p class="error small" role="alert">${error}</p>
      <div class="row">
        <button class="primary" ?disabled=${busy} @click=${() => this.#answer.run(() => this.model.accept(id))}>
          ${text.list.accept}
        </button>
        <button
          title=${text.list.declineHint}
          ?disabled=${busy}
          @click=${() => this.#answer.run(() => this.model.decline(id))}
        >
          ${text.list.decline}
        </button>
      </div>
    </article>`;
  }
}
