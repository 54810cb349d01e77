import { hex } from '../../base/bytes.ts';
import { CoreError, TransientError } from '../../base/errors.ts';
import type { ContactId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import { decodePost } from '../../groups/act-codec.ts';
import { decodeParcel } from '../../wire/group-parcel.ts';
import { decodeForward, decodeGroupWelcome } from '../../wire/group-welcome.ts';
import { add } from './changes.ts';
import type { GroupDraft } from './draft.ts';
import type { GroupTask, WholeParcel } from './group-actor.ts';
import { isOwnLink } from './invites.ts';
import { keepCards } from './member-cards.ts';
import { headShare, originOf, shareOf } from './origin.ts';
import { giveInfo, takeInfo } from './returning.ts';
import { step } from './taking.ts';
import { openedWith } from './welcomes.ts';

/** What came in the group's own outer layer. @returns whether it completes a parcel that waits in the inbox */
export async function takePart<State>(
  draft: GroupDraft<State>,
  { body, carried }: GroupTask & { kind: 'part' },
): Promise<boolean> {
  const { store, sequence } = draft.context;
  const { what, bytes, count, ...part } = decodeParcel(body);
  const { envelope, envelopeId, expiresAtMs } = carried;
  const { chains } = draft.state.lineage;
  const seen = (): void => {
    draft.put(tx => store.seen.add(tx, envelopeId, expiresAtMs));
    draft.received.push({ group: draft.record.id, envelope, by: speakerSince(draft, chains) });
  };
  if (count === 1) {
    await takeParcel(draft, { what, bytes, from: null, carried, taken: () => undefined });
    seen();
    return false;
  }
  const parcel = { what, bytes, count, ...part };
  const layer = { envelopeId, share: shareOf(draft, carried) };
  const record = { group: draft.record.id, from: null, layer, seq: sequence.next(), expiresAtMs, parcel };
  const newest = headShare(draft);
  draft.put(tx => {
    for (const gone of store.groupInbox.put(tx, record, newest)) {
      if (gone.layer) draft.dropped.add(hex(gone.layer.envelopeId));
    }
  });
  seen();
  return true;
}

/** Whose chain of acts has grown; null: nobody's, or those of several. */
function speakerSince<State>({ state }: GroupDraft<State>, before: ReadonlyMap<ContactId, unknown>): ContactId | null {
  const { chains } = state.lineage;
  if (chains === before) return null;
  const grown = [...chains].filter(([member, chain]) => before.get(member) !== chain);
  return grown.length === 1 ? (grown[0]?.[0] ?? null) : null;
}

/** What cannot be read is dropped, with its parts. */
export async function takeParcel<State>(draft: GroupDraft<State>, parcel: WholeParcel): Promise<void> {
  try {
    await openParcel(draft, parcel);
  } catch (error) {
    if (!(error instanceof CoreError) || !['bad-bytes', 'not-authentic'].includes(error.code)) throw error;
  }
  draft.put(parcel.taken);
}

async function openParcel<State>(draft: GroupDraft<State>, { what, bytes, from, carried }: WholeParcel): Promise<void> {
  switch (what) {
    case 'post': {
      const post = decodePost(bytes);
      return step(draft, { kind: 'post', post, origin: originOf(draft, post, carried) });
    }
    case 'welcome':
      return from === null ? undefined : takeWelcome(draft, bytes, from);
    case 'forward':
      return handOn(draft, bytes, from);
    case 'info-ask':
      return from === null ? undefined : giveInfo(draft, from, bytes);
    case 'join':
      return from === null ? undefined : letIn(draft, bytes, from);
    case 'info':
      return from === null ? undefined : takeInfo(draft, bytes, from);
  }
}

/**
 * Somebody asks to be added by a link made here. Who was removed is let in by no link, but by an admin's own choice.
 * @throws TransientError what it is to be added with has not come yet: it is asked again with the next sweep
 */
async function letIn<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { context, record, head, crypto } = draft;
  const mayAdd = record.phase === 'member' && head.data.admins.includes(crypto.self);
  if (record.removed.includes(from)) return;
  if (!mayAdd || head.members.includes(from) || !isOwnLink(context, record.id, bytes)) return;
  if (!context.store.peerKeyPackages.get(from)) {
    throw new TransientError('busy', 'groups.join', 'What they are to be added with has not come yet.');
  }
  await add(draft, from);
}

/** Let in once more: on another branch, or after having been put out. */
async function takeWelcome<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId): Promise<void> {
  const { welcome, secrets, cards, asks } = decodeGroupWelcome(bytes);
  const { store } = draft.context;
  const opened = await openedWith(store, from, secret =>
    step(draft, { kind: 'welcome', welcome, asks, secret }, secrets),
  );
  if (!opened) return;
  keepCards(draft, cards);
  if (opened.used.contact !== null) draft.put(tx => store.keyPackages.remove(tx, opened.used.id));
}

/**
 * A welcome for someone whose adding was asked for here. It is handed on as it is, and so are others until one has let them in: whether
 * it is true only its reader can tell.
 */
function handOn<State>(draft: GroupDraft<State>, bytes: Uint8Array, from: ContactId | null): void {
  const { to, welcome } = decodeForward(bytes);
  const { forwards } = draft.memory;
  for (const contact of to.filter(member => draft.record.adding.includes(member))) {
    const handed = forwards.get(contact) ?? [];
    if (handed.filter(sender => sender === from).length >= LIMITS.groupForwards) continue;
    draft.give(contact, 'welcome', welcome);
    forwards.set(contact, [...handed, from]);
  }
}
