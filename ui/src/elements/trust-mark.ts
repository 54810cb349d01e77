import { css, html, LitElement } from 'lit';
import type { Trust } from '../../../core/commands/schema.ts';
import { icons } from '../icons.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** Verified, not verified or changed: a sign, with the words for a screen reader, or beside it with `worded`. */
export class TrustMark extends LitElement {
  static override properties = { trust: {}, worded: { type: Boolean } };
  declare trust: Trust;
  declare worded: boolean;

  static override styles = [
    shared,
    css`
      :host {
        display: inline-flex;
        vertical-align: -3px;
        flex: none;
      }
      span.mark {
        display: inline-flex;
        gap: var(--s1);
        align-items: center;
        font-size: var(--small);
        font-weight: 600;
      }
      svg.i {
        width: 17px;
        height: 17px;
        stroke-width: 2;
      }
      .verified {
        color: var(--accent);
      }
      .unverified {
        color: var(--ink-soft);
      }
      .changed {
        color: var(--warn);
      }
    `,
  ];

  protected override render() {
    const words = text.trust[this.trust];
    return html`<span class="mark ${this.trust}" title=${text.trustMeaning[this.trust]}
      >${icons[this.trust]}<span class=${this.worded ? '' : 'hidden'}>${words}</span></span
    >`;
  }
}
