import { css, html, LitElement } from 'lit';
import { colourOf, initial, initials } from '../format.ts';
import { people } from '../styles/people.ts';
import { text } from '../text.ts';

/**
 * The circle with an initial, or for a group a rounded square with two; its colour comes from the id, so that a copied
 * name does not copy it.
 */
export class Avatar extends LitElement {
  static override properties = { nick: {}, contactId: {}, online: { type: Boolean }, group: { type: Boolean } };
  declare nick: string;
  declare contactId: string;
  declare online: boolean;
  declare group: boolean;

  static override styles = [
    people,
    css`
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
    .circle.many {
      border-radius: 32%;
      font-size: calc(var(--avatar, 42px) * 0.36);
      letter-spacing: 0.01em;
    }
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
  `,
  ];

  protected override render() {
    const colour = colourOf(this.contactId ?? '');
    const nick = this.nick ?? '';
    return html`<span class="circle person-${colour} ${this.group ? 'many' : ''}" aria-hidden="true"
        >${this.group ? initials(nick) : initial(nick)}</span
      >
      ${this.online ? html`<span class="dot" role="img" aria-label=${text.list.online} title=${text.list.online}></span>` : ''}`;
  }
}
