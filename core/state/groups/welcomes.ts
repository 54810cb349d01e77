import { hex, wipe } from '../../base/bytes.ts';
import { CoreError } from '../../base/errors.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { EpochId } from '../../groups/group-crypto.ts';
import type { GroupOutput } from '../../groups/group-state.ts';
import type { KeyPackageRecord } from '../../storage/records.ts';
import type { Store } from '../../storage/store.ts';
import { encodeForward, encodeGroupWelcome } from '../../wire/group-welcome.ts';
import type { GroupDraft } from './draft.ts';
import { secretOf } from './outer.ts';

/** Those of the members that this profile has a session with, oneself not. */
export function contactsAmong<State>({ context }: GroupDraft<State>, members: readonly ContactId[]): ContactId[] {
  const { store, account } = context;
  return members.filter(member => member !== account.id && store.contacts.get(member)?.phase === 'accepted');
}

/** A post as contacts get it. */
interface ContactPost {
  /** It was sealed in. */
  readonly epoch: EpochId;
  readonly bytes: Uint8Array;
  /** The group's own envelope of it bears; undefined: there is none. */
  readonly tag: Uint8Array | undefined;
  /** It is worth room with custodians. */
  readonly lasting: boolean;
}

/**
 * Members who are contacts get what lasts through their session as well: it waits for them wherever their envelopes do,
 * and its stamp tells a profile that was put back how far it was. Of the rest, who is there and does not hear the group
 * learns that there is one to come back to.
 */
export function postToContacts<State>(draft: GroupDraft<State>, { epoch, bytes, tag, lasting }: ContactPost): void {
  const { lineage } = draft.state;
  const members = lineage.tree.epochs.get(epoch)?.members ?? draft.head.members;
  for (const contact of contactsAmong(draft, members)) {
    if (lasting || (tag && draft.context.hearing(contact, tag) === 'deaf')) draft.give(contact, 'post', bytes);
  }
}

/** Lets those in whom the last own commit has added; who is no contact gets it from whoever asked for the adding. */
export function giveWelcome<State>(
  draft: GroupDraft<State>,
  { to, welcome, asks }: GroupOutput & { kind: 'welcome' },
): void {
  const epoch = draft.state.renewedIn;
  if (epoch === null) return;
  const bytes = welcomeBytes(draft, epoch, welcome, asks);
  const contacts = contactsAmong(draft, to);
  for (const contact of contacts) draft.give(contact, 'welcome', bytes);
  const others = to.filter(member => !contacts.includes(member));
  if (others.length === 0) return;
  const forward = encodeForward({ to: others, welcome: bytes });
  draft.publish('forward', forward, epoch);
  const former = draft.state.lineage.tree.epochs.get(epoch)?.members ?? [];
  for (const contact of contactsAmong(draft, former)) draft.give(contact, 'forward', forward);
}

/** First the secret of the epoch that is joined, then those of which something may still be on its way. */
export function secretsFrom<State>(draft: GroupDraft<State>, epoch: EpochId): Uint8Array[] {
  const { outer } = draft.record;
  const first = secretOf(outer, epoch);
  const all = outer.map(({ secret }) => secret);
  return first ? [first, ...all.filter(secret => hex(secret) !== hex(first))] : all;
}

function welcomeBytes<State>(draft: GroupDraft<State>, epoch: EpochId, welcome: Uint8Array, asks: Uint8Array): Buffer {
  const { store, account } = draft.context;
  const cards = store.groupMembers.listOf(draft.record.id).map(({ card }) => card);
  const known = contactsAmong(draft, draft.head.members).flatMap(id => store.contacts.get(id)?.card ?? []);
  const all = new Map([account.card, ...cards, ...known].map(card => [hex(card), card]));
  return encodeGroupWelcome({
    welcome,
    secrets: secretsFrom(draft, epoch),
    cards: [...all.values()].slice(0, LIMITS.groupWelcomeCards),
    asks,
  });
}

/** The own key package that a welcome was made for: most likely one that was given to whoever brings it. */
export async function openedWith<R>(
  store: Store,
  from: ContactId,
  join: (secret: Uint8Array) => Promise<R>,
): Promise<{ readonly used: KeyPackageRecord; readonly joined: R } | undefined> {
  const own = store.keyPackages.list();
  const nearer = (record: KeyPackageRecord): number => (record.contact === from ? 0 : record.contact === null ? 1 : 2);
  try {
    for (const used of own.sort((a, b) => nearer(a) - nearer(b) || b.createdAtMs - a.createdAtMs)) {
      try {
        return { used: { ...used, secret: new Uint8Array() }, joined: await join(used.secret) };
      } catch (error) {
        if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
      }
    }
    return undefined;
  } finally {
    wipe(...own.map(({ secret }) => secret));
  }
}
