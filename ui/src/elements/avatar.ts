import { css, html, LitElement } from 'lit';
import { colourOf, initial } from '../format.ts';
import { text } from '../text.ts';

const COLOURS = 6;

/** The circle with an initial; its colour comes from the id, so that a copied name does not copy the circle. */
export class Avatar extends LitElement {
  static override properties = { nick: {}, contactId: {}, online: { type: Boolean } };
  declare nick: string;
  declare contactId: string;
  declare online: boolean;

  static override styles = css`
    :host {
      position: relative;
      display: inline-block;
      width: var(--avatar, 42px);
      height: var(--avatar, 42px);
      flex: none;
    }
    .circle {
      display: grid;
      place-items: center;
      width: 100%;
      height: 100%;
      border-radius: 50%;
      font-size: calc(var(--avatar, 42px) * 0.42);
      font-weight: 600;
    }
    .c0 { background: light-dark(#d3e8eb, #174049); color: light-dark(#0b4c5b, #a5dde7); }
    .c1 { background: light-dark(#e4e3f4, #302f52); color: light-dark(#403d85, #c3c0f2); }
    .c2 { background: light-dark(#f3e0d3, #4b3020); color: light-dark(#7b3d13, #f0c3a2); }
    .c3 { background: light-dark(#dcebd8, #223f27); color: light-dark(#2a5b2f, #a9d9ae); }
    .c4 { background: light-dark(#f3dce6, #4a2437); color: light-dark(#862b57, #f0b4cf); }
    .c5 { background: light-dark(#efe6c6, #423814); color: light-dark(#655000, #e3cd7d); }
    .dot {
      position: absolute;
      right: -1px;
      bottom: -1px;
      width: 12px;
      height: 12px;
      border: 2.5px solid var(--around, var(--side));
      border-radius: 50%;
      background: var(--good);
    }
  `;

  protected override render() {
    const colour = colourOf(this.contactId ?? '', COLOURS);
    return html`<span class="circle c${colour}" aria-hidden="true">${initial(this.nick ?? '')}</span>
      ${this.online ? html`<span class="dot" role="img" aria-label=${text.list.online} title=${text.list.online}></span>` : ''}`;
  }
}
