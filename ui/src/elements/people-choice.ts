import { html, LitElement } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { bundleStyles } from '../styles/bundle.ts';
import { shared } from '../styles/shared.ts';

/** A list of contacts to choose from. Fires `choose` with the ids chosen. */
export class PeopleChoice extends LitElement {
  static override properties = { people: { attribute: false }, chosen: { attribute: false }, label: {} };
  static override styles = [shared, bundleStyles];
  declare people: readonly Contact[];
  /** Contact ids. */
  declare chosen: ReadonlySet<string>;
  declare label: string;

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

  #renderPerson({ id, nick, trust }: Contact) {
    const change = (event: Event) => this.#choose(id, (event.target as HTMLInputElement).checked);
    return html`<label class="one"
      ><input type="checkbox" .checked=${this.chosen.has(id)} @change=${change} /><bdi class="cut">${nick}</bdi
      ><molva-trust-mark .trust=${trust}></molva-trust-mark
    ></label>`;
  }
}
