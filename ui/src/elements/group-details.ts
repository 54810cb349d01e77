import { html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import type { GroupDetails as Details, Group } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { problemWithGroupName } from '../nick.ts';
import { detailsStyles } from '../styles/details.ts';
import { groupStyles } from '../styles/group.ts';
import { shared } from '../styles/shared.ts';
import { groupName } from '../talks.ts';
import { text } from '../text.ts';

/** What is asked about before it is done: leaving, and once one is out of the group, deleting it. */
type Ending = 'leave' | 'delete';

/** Of a large group no more is shown at first. */
const SHOWN = 12;

/** Beside a group's conversation: who is in it, what one may change, and the way out. Fires `dismiss`. */
export class GroupDetails extends LitElement {
  static override properties = {
    model: { attribute: false },
    group: { attribute: false },
    asking: { state: true },
    all: { state: true },
  };
  static override styles = [shared, detailsStyles, groupStyles];
  declare model: Model;
  declare group: Group;
  /** What is asked about; when it can no longer be done, nothing is. */
  declare private asking: Ending | null;
  /** A long list is shown whole. */
  declare private all: boolean;
  #rename = new ActionController(this);
  #end = new ActionController(this);

  constructor() {
    super();
    this.asking = null;
    this.all = false;
    new ModelController(this);
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector<HTMLElement>('header button')?.focus();
  }

  /** With the members, once they are read. */
  get #details(): Details | null {
    const { group } = this.model.state;
    return group?.id === this.group.id ? group : null;
  }

  get #isAdmin(): boolean {
    return this.group.phase === 'member' && this.group.role === 'admin';
  }

  #save(event: Event): void {
    event.preventDefault();
    const name = this.renderRoot.querySelector<HTMLInputElement>('#name')?.value.trim() ?? '';
    if (name === this.group.name) return;
    const problem = problemWithGroupName(name);
    if (problem !== null) {
      this.#rename.refuse(problem);
      return;
    }
    void this.#rename.run(async () => {
      this.model.applyGroup(await this.model.call('groups.rename', { group: this.group.id, name }));
    });
  }

  #showAll(): void {
    this.all = true;
  }

  /** The button that was pressed is gone: the focus goes to the one that stands for it. */
  #ask(asking: Ending | null): void {
    this.asking = asking;
    const next = asking ? '.no' : '.ending';
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(next)?.focus());
  }

  #showAdd(): void {
    this.dispatchEvent(new CustomEvent('show-dialog', { detail: 'add-to-group', bubbles: true, composed: true }));
  }

  protected override render() {
    const { group: words } = text;
    const { id, phase } = this.group;
    const name = groupName(this.group);
    return html`<aside class="stack" aria-label=${words.details}>
      <header>
        <h2>${words.details}</h2>
        <button class="icon" aria-label=${text.close} title=${text.close} @click=${() => this.dispatchEvent(new Event('dismiss'))}>
          ${icons.close}
        </button>
      </header>
      <div class="face">
        <molva-avatar group .nick=${name} .contactId=${id}></molva-avatar>
        <bdi>${name}</bdi>
        ${phase === 'member' ? nothing : html`<p class="small soft">${words.standing[phase]}</p>`}
      </div>
      ${phase === 'unreadable' ? nothing : this.#renderMembers()} ${this.#isAdmin ? this.#renderRename() : nothing}
      ${this.#renderEnd()}
    </aside>`;
  }

  #renderMembers() {
    const { group: words } = text;
    const people = this.#details?.people ?? [];
    const shown = this.all ? people : people.slice(0, SHOWN);
    const title = this.group.phase === 'member' ? words.membersTitle : words.membersThen;
    return html`<section>
      <div class="titled">
        <h3 id="members">${title} <span class="soft">${this.group.members}</span></h3>
        ${this.#isAdmin ? html`<button class="quiet small" @click=${this.#showAdd}>${words.add}</button>` : nothing}
      </div>
      <ul aria-labelledby="members">
        ${repeat(
          shown,
          member => member.id,
          member => html`<li>
            <molva-group-member
              .model=${this.model}
              .group=${this.#details}
              .member=${member}
              ?changeable=${this.#isAdmin}
            ></molva-group-member>
          </li>`,
        )}
      </ul>
      ${shown.length < people.length ? html`<button class="quiet small" @click=${this.#showAll}>${words.membersAll(people.length)}</button>` : nothing}
    </section>`;
  }

  #renderRename() {
    const { group: words } = text;
    return html`<section>
      <label for="name">${words.rename}</label>
      <form @submit=${this.#save}>
        <input id="name" maxlength="128" autocomplete="off" dir="auto" .value=${this.group.name} />
        <button ?disabled=${this.#rename.busy}>${text.save}</button>
      </form>
      <p class="error small" role="alert">${this.#rename.error}</p>
    </section>`;
  }

  #renderEnd() {
    const { group: words } = text;
    const { phase, members } = this.group;
    const ending: Ending = phase === 'member' ? 'leave' : 'delete';
    if (this.asking === ending) return this.#renderAsk(ending);
    const admins = this.#details?.people.filter(({ role }) => role === 'admin').length;
    const last = this.#isAdmin && admins === 1 && members > 1;
    return html`<section class="ask">
      <div>
        <button class="danger ending" ?disabled=${last} aria-describedby=${last ? 'last' : nothing} @click=${() => this.#ask(ending)}>
          ${words[ending]}
        </button>
      </div>
      ${last ? html`<p id="last" class="small soft">${words.lastAdmin}</p>` : nothing}
    </section>`;
  }

  #renderAsk(ending: Ending) {
    const { group: words } = text;
    const { id, phase } = this.group;
    const [asked, yes] =
      ending === 'leave' ? [words.leaveAsk, words.leaveYes] : [words.deleteAsk[phase], words.deleteYes];
    const run = () =>
      this.#end.run(() => (ending === 'leave' ? this.model.leaveGroup(id) : this.model.deleteGroup(id)));
    return html`<section class="ask" role="alertdialog" aria-label=${words[ending]} aria-describedby="asked">
      <p id="asked" class="small">${asked}</p>
      <div class="row">
        <button class="danger" ?disabled=${this.#end.busy} @click=${run}>${yes}</button>
        <button class="no" @click=${() => this.#ask(null)}>${text.cancel}</button>
      </div>
      <p class="error small" role="alert">${this.#end.error}</p>
    </section>`;
  }
}
