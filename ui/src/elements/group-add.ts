import { html, LitElement, nothing } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import { ModelController } from '../controllers/model-controller.ts';
import { choiceFor, hindrance } from '../group-choice.ts';
import type { Model } from '../model.ts';
import { groupStyles } from '../styles/group.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { Dialog } from './dialog.ts';

/** Adds people to the open group: contacts, or whoever is given a link. Fires `dismiss`. */
export class GroupAdd extends LitElement {
  static override properties = {
    model: { attribute: false },
    chosen: { state: true },
    invite: { state: true },
  };
  static override styles = [shared, groupStyles];
  declare model: Model;
  /** Contact ids. */
  declare private chosen: ReadonlySet<string>;
  declare private invite: { invite: string; expiresAt: number } | undefined;
  #add = new ActionController(this);
  #make = new ActionController(this);

  constructor() {
    super();
    this.chosen = new Set();
    new ModelController(this);
  }

  /** Who is not in it. */
  get #people(): readonly Contact[] {
    const { group } = this.model.state;
    return choiceFor(this.model.state, new Set(group?.people.map(({ id }) => id)));
  }

  async #submit(event: Event): Promise<void> {
    event.preventDefault();
    const group = this.model.state.group?.id;
    if (group === undefined) return;
    if (this.chosen.size === 0) return this.#add.refuse(text.group.addNone);
    const done = await this.#add.run(async () => {
      for (const who of this.chosen) {
        this.model.applyGroup(await this.model.call('groups.add', { group, who }));
        // Should a later one be refused, this one is not asked for again.
        this.chosen = new Set([...this.chosen].filter(id => id !== who));
      }
    });
    if (done) this.renderRoot.querySelector<Dialog>('molva-dialog')?.close();
  }

  #makeInvite(): void {
    const group = this.model.state.group?.id;
    if (group === undefined) return;
    void this.#make.run(async () => {
      this.invite = await this.model.call('groups.invite', { group });
    });
  }

  protected override render() {
    const { group } = text;
    return html`<molva-dialog heading=${group.addTitle} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">${this.#renderContacts()} ${this.#renderInvite()}</div>
    </molva-dialog>`;
  }

  #renderContacts() {
    const { group } = text;
    const { busy, error } = this.#add;
    if (this.#people.length === 0) return html`<p class="soft">${group.noContacts}</p>`;
    const words = busy ? group.adding : group.addChosen(this.chosen.size);
    return html`<form class="stack" @submit=${this.#submit}>
      <fieldset>
        <legend>${group.addWhom}</legend>
        <molva-people-choice
          .people=${this.#people}
          .chosen=${this.chosen}
          .hindrance=${hindrance}
          label=${group.addWhom}
          @choose=${(event: CustomEvent<ReadonlySet<string>>) => {
            this.chosen = event.detail;
            this.#add.refuse('');
          }}
        ></molva-people-choice>
      </fieldset>
      <p class="error" role="alert">${error}</p>
      <div><button class="primary" ?disabled=${busy}>${words}</button></div>
    </form>`;
  }

  #renderInvite() {
    const { group } = text;
    const { busy, error } = this.#make;
    return html`<section>
      <h3>${group.invite}</h3>
      <p class="small soft">${group.inviteHint}</p>
      ${
        this.invite === undefined
          ? html`<button class="made" ?disabled=${busy} @click=${this.#makeInvite}>${group.inviteMake}</button>`
          : html`<molva-invite-text
              class="made"
              .invite=${this.invite.invite}
              .expiresAt=${this.invite.expiresAt}
              label=${group.inviteText}
              qrLabel=${group.inviteQr}
            ></molva-invite-text>`
      }
      ${error === '' ? nothing : html`<p class="error" role="alert">${error}</p>`}
    </section>`;
  }
}
