import { html, nothing, type TemplateResult } from 'lit';
import type { Contact, Conversation, Group, Verification } from '../../../core/commands/schema.ts';
import { listTime } from '../format.ts';
import { named } from '../named.ts';
import type { State } from '../state.ts';
import { faceOf, nameOf, onlineIn } from '../talks.ts';
import { text } from '../text.ts';

/** With whom one talks: circle, name and how they stand. */
export function renderWho(conversation: Conversation, state: State) {
  const { contact, group } = conversation;
  return html`<molva-avatar
      .nick=${nameOf(conversation)}
      .contactId=${faceOf(conversation)}
      ?group=${group !== null}
      ?online=${contact?.online}
    ></molva-avatar>
    <div class="who">
      <h2>
        <bdi class="cut">${nameOf(conversation)}</bdi>${contact === null ? nothing : html`<molva-trust-mark worded .trust=${contact.trust}></molva-trust-mark>`}
      </h2>
      <p class="small soft cut">${contact === null ? groupStanding(group, state) : contactStanding(contact, state)}</p>
    </div>`;
}

function groupStanding(group: Group | null, { link, group: details }: State): string {
  if (group === null) return '';
  if (group.phase !== 'member') return text.group.standing[group.phase];
  if (link.kind !== 'open' || details?.id !== group.id) return text.group.members(group.members);
  return text.group.membersOnline(group.members, onlineIn(details));
}

function contactStanding(contact: Contact, { link, syncs }: State) {
  if (link.kind !== 'open') return text.conversation.unknown;
  const sync = syncs.findLast(other => other.contact === contact.id);
  if (sync === undefined) return presence(contact);
  const { fetching, handing } = text.conversation;
  const words = sync.direction === 'in' ? fetching(sync.queued) : handing(sync.queued);
  return html`${presence(contact)}<span class="sync"> · ${words}</span>`;
}

/**
 * What a person should know of a contact before writing.
 * @param verification the one under way, where its panel is closed
 * @param open shows that panel
 */
export function renderNotices(contact: Contact, verification: Verification | undefined, open: () => void) {
  const { conversation } = text;
  const asked = asking(contact, verification);
  return html`${
    contact.trust === 'changed'
      ? html`<div class="note warn notice" role="alert">
            <span>${conversation.changed}</span><button @click=${open}>${conversation.compare}</button>
          </div>`
      : nothing
  }
    ${contact.phase === 'requested' ? html`<p class="note notice small">${named(conversation.requested, contact.nick)}</p>` : nothing}
    ${
      asked !== null
        ? html`<div class="note notice" role="status">
            <span>${asked.words}</span><button class="primary" @click=${open}>${asked.button}</button>
          </div>`
        : nothing
    }`;
}

function presence(contact: Contact): string {
  if (contact.online) return text.conversation.online;
  if (contact.lastSeenAt === null) return text.conversation.offline;
  return text.conversation.lastSeen(listTime(contact.lastSeenAt, Date.now()));
}

/** What a verification under way wants from the person, when its panel is closed. */
function asking(
  contact: Contact,
  verification: Verification | undefined,
): { words: TemplateResult; button: string } | null {
  if (verification === undefined || verification.expiresAt <= Date.now()) return null;
  const { conversation } = text;
  const { role, phase } = verification;
  if (role === 'types' && phase === 'ready') {
    return { words: named(conversation.theyShow, contact.nick), button: conversation.enterCode };
  }
  if (role === 'shows' && phase === 'matched') {
    return { words: named(conversation.theyReport, contact.nick), button: conversation.confirm };
  }
  return null;
}
