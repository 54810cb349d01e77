import { css, html, LitElement, nothing } from 'lit';
import type { Contact } from '../../../core/commands/schema.ts';
import { ActionController } from '../controllers/action-controller.ts';
import type { Model } from '../model.ts';
import { named } from '../named.ts';
import { problemWithNick } from '../nick.ts';
import { CallError } from '../rpc.ts';
import { shared } from '../styles/shared.ts';
import { text } from '../text.ts';
import type { Dialog } from './dialog.ts';

const INVITE_START = 'molva:1/';
const GROUP_INVITE_START = 'molva:g1/';
const INVITE_CHARACTERS = 2048;

/** Both ways to meet: show one's own invite, or paste the other's. */
export class AddContact extends LitElement {
  static override properties = {
    model: { attribute: false },
    invite: { state: true },
    added: { state: true },
    group: { state: true },
  };
  declare model: Model;
  declare private invite: { invite: string; expiresAt: number } | undefined;
  declare private added: Contact | undefined;
  /** Into which group the contact is asked to add this person. */
  declare private group: string | undefined;
  #make = new ActionController(this);
  #add = new ActionController(this);

  static override styles = [
    shared,
    css`
      h3 {
        margin-bottom: var(--s1);
        font-size: var(--large);
      }
      section + section {
        padding-top: var(--s5);
        border-top: 1px solid var(--line);
      }
      molva-invite-text {
        margin-top: var(--s3);
      }
      form {
        margin-top: var(--s3);
        gap: var(--s3);
      }
    `,
  ];

  protected override firstUpdated(): void {
    void this.#make.run(async () => {
      this.invite = await this.model.call('invite.create', {});
    });
  }

  #submit(event: Event): void {
    event.preventDefault();
    const value = (id: string) => this.renderRoot.querySelector<HTMLInputElement>(id)?.value.trim() ?? '';
    const invite = value('#theirs').replaceAll(/\s/g, '');
    const nick = value('#nick');
    const problem = problemWith(invite) ?? (nick === '' ? null : problemWithNick(nick));
    if (problem !== null) {
      this.#add.refuse(problem);
      return;
    }
    void this.#add.run(() => this.#ask(invite, nick));
  }

  async #ask(invite: string, nick: string): Promise<void> {
    try {
      this.added = isGroupInvite(invite) ? await this.#join(invite) : await this.#addContact(invite, nick);
    } catch (error) {
      if (!(error instanceof CallError && error.code === 'already-exists')) throw error;
      this.#add.refuse(isGroupInvite(invite) ? text.group.already : text.add.exists);
    }
  }

  async #addContact(invite: string, nick: string): Promise<Contact> {
    const contact = await this.model.call('contacts.add', nick === '' ? { invite } : { invite, nick });
    this.model.apply({ event: 'contact-changed', contact });
    return contact;
  }

  async #join(invite: string): Promise<Contact> {
    const { name, contact } = await this.model.call('groups.join', { invite });
    this.model.apply({ event: 'contact-changed', contact });
    this.group = name;
    return contact;
  }

  #open(): void {
    const conversation = this.added?.conversation;
    this.renderRoot.querySelector<Dialog>('molva-dialog')?.close();
    if (conversation !== undefined) void this.model.select(conversation);
  }

  protected override render() {
    return html`<molva-dialog heading=${text.add.title} @dismiss=${() => this.dispatchEvent(new Event('dismiss'))}>
      <div class="stack">${this.added === undefined ? this.#renderOwn() : nothing} ${this.#renderTheirs()}</div>
    </molva-dialog>`;
  }

  #renderOwn() {
    const { add } = text;
    return html`<section>
      <h3>${add.yours}</h3>
      <p class="small soft">${add.yoursHint}</p>
      <p class="error" role="alert">${this.#make.error}</p>
      ${this.#make.busy ? html`<p class="soft">${add.making}</p>` : nothing}
      ${
        this.invite === undefined
          ? nothing
          : html`<molva-invite-text
              .invite=${this.invite.invite}
              .expiresAt=${this.invite.expiresAt}
              label=${add.inviteText}
              qrLabel=${add.qr}
            ></molva-invite-text>`
      }
    </section>`;
  }

  #renderTheirs() {
    const { add } = text;
    const { busy, error } = this.#add;
    if (this.added !== undefined) {
      return html`<section class="stack">
        <p class="note" role="status">
          ${this.group === undefined ? named(add.done, this.added.nick) : named(text.group.joined, this.added.nick, this.group)}
        </p>
        <div><button class="primary" @click=${this.#open}>${add.open}</button></div>
      </section>`;
    }
    return html`<section>
      <h3>${add.theirs}</h3>
      <form class="stack" @submit=${this.#submit} novalidate>
        <div>
          <label for="theirs">${add.theirsLabel}</label>
          <textarea id="theirs" rows="3" placeholder=${add.placeholder} spellcheck="false" autocomplete="off" ?disabled=${busy}></textarea>
        </div>
        <div>
          <label for="nick">${add.nick}</label>
          <input id="nick" maxlength="64" autocomplete="off" dir="auto" ?disabled=${busy} />
        </div>
        <p class="error" role="alert">${error}</p>
        <div><button class="primary" ?disabled=${busy}>${busy ? add.sending : add.send}</button></div>
      </form>
    </section>`;
  }
}

function problemWith(invite: string): string | null {
  if (invite === '') return text.add.empty;
  if (!invite.startsWith(INVITE_START) && !isGroupInvite(invite)) return text.add.shape;
  return invite.length > INVITE_CHARACTERS ? text.add.tooLong : null;
}

function isGroupInvite(invite: string): boolean {
  return invite.toLowerCase().startsWith(GROUP_INVITE_START);
}
