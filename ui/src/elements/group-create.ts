import { html, LitElement } from 'lit';
import { ActionController } from '../controllers/action-controller.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { choiceFor, hindrance } from '../group-choice.ts';
import type { Model } from '../model.ts';
import { problemWithGroupName } from '../nick.ts';
import { groupStyles } from '../styles/group.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { Dialog } from './dialog.ts';

/** Makes a group: its name, and who is in it from the start. Fires `dismiss`. */
export class GroupCreate extends LitElement {
  static override properties = { model: { attribute: false }, chosen: { state: true } };
  static override styles = [shared, groupStyles];
  declare model: Model;
  /** Contact ids. */
  declare private chosen: ReadonlySet<string>;
  #create = new ActionController(this);

  constructor() {
    super();
    this.chosen = new Set();
    new ModelController(this);
  }

  protected override firstUpdated(): void {
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>('#name')?.focus());
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const name = this.renderRoot.querySelector<HTMLInputElement>('#name')?.value.trim() ?? '';
    const problem = problemWithGroupName(name);
    if (problem !== null) return this.#create.refuse(problem);
    const done = await this.#create.run(() => this.model.createGroup(name, [...this.chosen]));
    if (done) this.renderRoot.querySelector<Dialog>('molva-dialog')?.close();
  }

  protected override render() {
    const { group } = text;
    const { busy, error } = this.#create;
    return html`<molva-dialog heading=${group.new} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <form class="stack" novalidate @submit=${this.#submit}>
        <div>
          <label for="name">${group.name}</label>
          <input id="name" maxlength="128" autocomplete="off" dir="auto" ?disabled=${busy} />
        </div>
        ${this.#renderPeople()}
        <p class="error" role="alert">${error}</p>
        <div><button class="primary" ?disabled=${busy}>${busy ? group.creating : group.create}</button></div>
      </form>
    </molva-dialog>`;
  }

  #renderPeople() {
    const { group } = text;
    const people = choiceFor(this.model.state);
    if (people.length === 0) return html`<p class="soft">${group.noContacts}</p>`;
    return html`<fieldset>
      <legend>${group.whom}</legend>
      <p class="small soft hint">${group.whomHint}</p>
      <molva-people-choice
        .people=${people}
        .chosen=${this.chosen}
        .hindrance=${hindrance}
        label=${group.whom}
        @choose=${(event: CustomEvent<ReadonlySet<string>>) => {
          this.chosen = event.detail;
        }}
      ></molva-people-choice>
    </fieldset>`;
  }
}
