import { css, html, LitElement } from 'lit';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** Says that the profile was found to be a copy, what that means and what to do. Fires `dismiss`. */
export class RestoredNotice extends LitElement {
  static override styles = [
    shared,
    css`
      section {
        display: flex;
        gap: var(--s3) var(--s5);
        align-items: center;
        justify-content: space-between;
        padding: var(--s3) var(--s5);
        border-bottom: 1px solid var(--warn);
        background: var(--warn-soft);
        color: var(--warn);
      }
      h2 {
        margin-bottom: 2px;
        font-size: var(--body);
      }
      p + p {
        margin-top: var(--s1);
      }
      button {
        flex: none;
        border-color: currentColor;
        background: none;
        color: inherit;
      }
      @media (max-width: 719px) {
        section {
          display: grid;
          justify-items: start;
          padding: var(--s3) var(--s4);
        }
      }
    `,
  ];

  protected override render() {
    const { title, what, todo, dismiss } = text.restored;
    return html`<section role="alert" aria-labelledby="title">
      <div class="small">
        <h2 id="title">${title}</h2>
        <p>${what}</p>
        <p>${todo}</p>
      </div>
      <button @click=${() => this.dispatchEvent(new Event('dismiss'))}>${dismiss}</button>
    </section>`;
  }
}
