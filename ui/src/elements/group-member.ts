import { html, LitElement, nothing } from 'lit';
import type { GroupDetails, GroupMember as Member } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { grouped } from '../format.ts';
import { icons } from '../icons.ts';
import { nameAmong } from '../member-names.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { byContact } from '../state.ts';
import { groupStyles } from '../styles/group.ts';
import { numbers } from '../styles/numbers.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** One member of a group: who it is, whether it is really them, its role; opened, how to make sure and what can be changed. */
export class GroupMember extends LitElement {
  static override properties = {
    model: { attribute: false },
    group: { attribute: false },
    member: { attribute: false },
    changeable: { type: Boolean },
    open: { state: true },
    asking: { state: true },
  };
  static override styles = [shared, numbers, groupStyles];
  declare model: Model;
  declare group: GroupDetails;
  declare member: Member;
  /** The person here is an admin. */
  declare changeable: boolean;
  declare private open: boolean;
  /** What waits for a yes. */
  declare private asking: 'remove' | 'demote' | null;
  #change = new ActionController(this);

  constructor() {
    super();
    this.open = false;
    this.asking = null;
  }

  async #run(change: 'groups.promote' | 'groups.demote' | 'groups.remove'): Promise<void> {
    const group = this.group.id;
    const done = await this.#change.run(async () => {
      this.model.applyGroup(await this.model.call(change, { group, member: this.member.id }));
    });
    if (done) this.#close();
  }

  /** The button that was pressed is gone: the focus goes to the answer that changes nothing. */
  #ask(what: 'remove' | 'demote'): void {
    this.asking = what;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('.no')?.focus());
  }

  #close(): void {
    this.open = false;
    this.asking = null;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>('.more')?.focus());
  }

  /** Escape closes what is open here, and nothing else. */
  #keys(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || !this.open) return;
    event.preventDefault();
    this.#close();
  }

  protected override render() {
    const { group: words } = text;
    const { id, nick, you, online, role, equivocated } = this.member;
    return html`<div class="member" @keydown=${this.#keys}>
      <molva-avatar .nick=${nick} .contactId=${id} ?online=${online && !you}></molva-avatar>
      <div class="words">
        <p class="name"><bdi class="cut">${nameAmong(this.group.people, this.member)}</bdi>${you ? html`<span class="soft"> (${words.you})</span>` : nothing}</p>
        ${you ? nothing : html`<p class="small soft">${this.#renderTrust()}</p>`}
      </div>
      ${role === 'admin' ? html`<span class="role small">${words.admin}</span>` : nothing}
      ${you && !this.changeable ? nothing : this.#renderMore(words.more(nick))}
      ${equivocated ? html`<p class="warned small">${icons.changed}<span>${words.equivocated}</span></p>` : nothing}
      ${this.open ? (this.asking === null ? this.#renderOpen() : this.#renderAsk(this.asking)) : nothing}
    </div>`;
  }

  #renderMore(label: string) {
    const toggle = () => {
      this.open = !this.open;
      this.asking = null;
    };
    return html`<button class="icon more" aria-label=${label} title=${label} aria-expanded=${this.open} @click=${toggle}>
      ${icons.more}
    </button>`;
  }

  #renderTrust() {
    const { trust } = this.member;
    if (trust === null) return html`<span title=${text.group.noContactHint}>${text.group.noContact}</span>`;
    return html`<molva-trust-mark worded .trust=${trust}></molva-trust-mark>`;
  }

  #renderOpen() {
    const { group: words } = text;
    const talk = byContact(this.model.state, this.member.id);
    return html`<div class="actions">
      ${this.member.you ? nothing : this.#renderSafety()}
      ${talk === undefined ? nothing : html`<button @click=${() => this.model.select(talk.id)}>${words.talk}</button>`}
      ${this.changeable ? this.#renderChanges() : nothing}
      <p class="error small" role="alert">${this.#change.error}</p>
    </div>`;
  }

  /** Also of a member that is no contact: it can be compared with whoever one meets. */
  #renderSafety() {
    const { safetyNumber, nick } = this.member;
    if (safetyNumber === null) return html`<p class="small soft">${named(text.group.noCard, nick)}</p>`;
    return html`<div>
        <strong class="small">${text.details.safetyNumber}</strong>
        <p class="small soft">${named(text.group.safetyHint, nick)}</p>
      </div>
      <div class="numbers digits">${grouped(safetyNumber, 5).map(group => html`<span>${group}</span>`)}</div>`;
  }

  #renderChanges() {
    const { group: words } = text;
    const { you, role } = this.member;
    const { busy } = this.#change;
    const alone = this.group.people.filter(person => person.role === 'admin').length === 1;
    const last = alone && role === 'admin';
    return html`${
      role === 'member'
        ? html`<button ?disabled=${busy} @click=${() => this.#run('groups.promote')}>${words.promote}</button>`
        : html`<button
            ?disabled=${busy || last}
            aria-describedby=${last ? 'last' : nothing}
            @click=${() => (you ? this.#ask('demote') : this.#run('groups.demote'))}
          >
            ${words.demote}
          </button>`
    }
    ${you ? nothing : html`<button class="danger" ?disabled=${busy} @click=${() => this.#ask('remove')}>${words.remove}</button>`}
    ${last ? html`<p id="last" class="small soft">${words.lastAdmin}</p>` : nothing}`;
  }

  #renderAsk(what: 'remove' | 'demote') {
    const { group: words } = text;
    const { busy, error } = this.#change;
    const [yes, change] =
      what === 'remove' ? ([words.removeYes, 'groups.remove'] as const) : ([words.demote, 'groups.demote'] as const);
    return html`<div class="actions" role="alertdialog" aria-label=${yes} aria-describedby="asked">
      <p id="asked" class="small">${what === 'remove' ? named(words.removeAsk, this.member.nick) : words.demoteSelfAsk}</p>
      <div class="row">
        <button class="danger" ?disabled=${busy} @click=${() => this.#run(change)}>${yes}</button>
        <button class="no" @click=${this.#close}>${text.cancel}</button>
      </div>
      <p class="error small" role="alert">${error}</p>
    </div>`;
  }
}
