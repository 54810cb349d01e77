import { html, LitElement, nothing } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { choiceStyles } from '../styles/choice.ts';
import { shared } from '../styles/shared.ts';

/** A list of contacts to choose from. Fires `choose` with the ids chosen. */
export class PeopleChoice extends LitElement {
  static override properties = {
    people: { attribute: false },
    chosen: { attribute: false },
    label: {},
    hindrance: { attribute: false },
  };
  static override styles = [shared, choiceStyles];
  declare people: readonly Contact[];
  /** Contact ids. */
  declare chosen: ReadonlySet<string>;
  declare label: string;
  /** Why somebody cannot be chosen; null for whoever can. */
  declare hindrance: (person: Contact) => string | null;

  constructor() {
    super();
    this.hindrance = () => null;
  }

  #choose(id: string, wanted: boolean): void {
    const chosen = new Set(this.chosen);
    if (wanted) chosen.add(id);
    else chosen.delete(id);
    this.dispatchEvent(new CustomEvent('choose', { detail: chosen }));
  }

  protected override render() {
    return html`<div class="people" role="group" aria-label=${this.label}>
      ${this.people.map(person => this.#renderPerson(person))}
    </div>`;
  }

  #renderPerson(person: Contact) {
    const { id, nick, trust } = person;
    const why = this.hindrance(person);
    const change = (event: Event) => this.#choose(id, (event.target as HTMLInputElement).checked);
    return html`<label class="one ${why === null ? '' : 'cannot'}"
      ><input type="checkbox" .checked=${this.chosen.has(id)} ?disabled=${why !== null} @change=${change} />
      <span class="who"
        ><bdi class="cut">${nick}</bdi><molva-trust-mark .trust=${trust}></molva-trust-mark
        >${why === null ? nothing : html`<span class="why small">${why}</span>`}</span
      ></label
    >`;
  }
}
