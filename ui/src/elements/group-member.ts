import { html, LitElement, nothing } from 'lit';
import type { GroupDetails, GroupMember as Member } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { icons } from '../icons.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { groupStyles } from '../styles/group.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';

/** One member of a group: who it is, whether it is really them, its role; for an admin what can be changed. */
export class GroupMember extends LitElement {
  static override properties = {
    model: { attribute: false },
    group: { attribute: false },
    member: { attribute: false },
    changeable: { type: Boolean },
    open: { state: true },
    asking: { state: true },
  };
  static override styles = [shared, groupStyles];
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
    const { id, nick, you, online } = this.member;
    const label = words.actions(nick);
    return html`<div class="member" @keydown=${this.#keys}>
      <molva-avatar .nick=${nick} .contactId=${id} ?online=${online && !you}></molva-avatar>
      <div class="words">
        <p class="name"><bdi class="cut">${nick}</bdi>${you ? html`<span class="soft"> (${words.you})</span>` : nothing}</p>
        ${you ? nothing : html`<p class="small soft">${this.#renderTrust()}</p>`}
      </div>
      ${this.member.role === 'admin' ? html`<span class="role small">${words.admin}</span>` : nothing}
      ${
        this.changeable
          ? html`<button
              class="icon more"
              aria-label=${label}
              title=${label}
              aria-expanded=${this.open}
              @click=${() => {
                this.open = !this.open;
                this.asking = null;
              }}
            >
              ${icons.more}
            </button>`
          : nothing
      }
      ${this.member.equivocated ? html`<p class="warned small">${icons.changed}<span>${words.equivocated}</span></p>` : nothing}
      ${this.open ? this.#renderActions() : nothing}
    </div>`;
  }

  #renderTrust() {
    const { trust } = this.member;
    if (trust === null) return html`<span title=${text.group.noContactHint}>${text.group.noContact}</span>`;
    return html`<molva-trust-mark worded .trust=${trust}></molva-trust-mark>`;
  }

  #renderActions() {
    const { group: words } = text;
    const { you, role } = this.member;
    const { busy, error } = this.#change;
    const ask = (what: 'remove' | 'demote') => () => {
      this.asking = what;
    };
    if (this.asking !== null) return this.#renderAsk(this.asking);
    const alone = this.group.people.filter(person => person.role === 'admin').length === 1;
    return html`<div class="actions">
      ${
        role === 'member'
          ? html`<button ?disabled=${busy} @click=${() => this.#run('groups.promote')}>${words.promote}</button>`
          : html`<button
              ?disabled=${busy || alone}
              title=${alone ? words.lastAdmin : ''}
              @click=${you ? ask('demote') : () => this.#run('groups.demote')}
            >
              ${words.demote}
            </button>`
      }
      ${you ? nothing : html`<button class="danger" ?disabled=${busy} @click=${ask('remove')}>${words.remove}</button>`}
      ${alone && role === 'admin' ? html`<p class="small soft">${words.lastAdmin}</p>` : nothing}
      <p class="error small" role="alert">${error}</p>
    </div>`;
  }

  #renderAsk(what: 'remove' | 'demote') {
    const { group: words } = text;
    const { busy, error } = this.#change;
    const [yes, change] =
      what === 'remove' ? ([words.removeYes, 'groups.remove'] as const) : ([words.demote, 'groups.demote'] as const);
    return html`<div class="actions" role="alertdialog" aria-label=${yes}>
      <p class="small">${what === 'remove' ? named(words.removeAsk, this.member.nick) : words.demoteSelfAsk}</p>
      <div class="row">
        <button class="danger" ?disabled=${busy} @click=${() => this.#run(change)}>${yes}</button>
        <button @click=${this.#close}>${text.cancel}</button>
      </div>
      <p class="error small" role="alert">${error}</p>
    </div>`;
  }
}
