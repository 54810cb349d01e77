import { hex } from '../../base/bytes.ts';
import { currentTags, type MailboxKeys, mailboxTag } from '../../crypto/mailbox-seal.ts';
import type { Post } from '../../groups/act-codec.ts';
import { NO_ORIGIN, type Origin } from '../../groups/waiting.ts';
import { decodeEnvelope } from '../../wire/envelope.ts';
import type { GroupDraft } from './draft.ts';
import type { Carried } from './group-actor.ts';
import { secretOf } from './outer.ts';

/** A day that was over before there were mailboxes: its tag names a secret, tells nothing of it, and is never sent. */
const NO_DAY = 0;

/** How a post came: by which envelope, and under which of the group's outer secrets. Asked only of what has to wait. */
export function originOf<State>(draft: GroupDraft<State>, post: Post, carried: Carried | undefined): Origin {
  if (!carried || draft.state.lineage.tree.epochs.has(post.epoch)) return NO_ORIGIN;
  return { ref: hex(carried.envelopeId), share: shareOf(draft, carried) };
}

/** Names the outer secret that an envelope was sealed under. */
export function shareOf<State>(draft: GroupDraft<State>, { envelope }: Carried): string {
  const { tag } = decodeEnvelope(envelope);
  const keys = draft.record.outer
    .map(({ secret }) => draft.keys.of(secret))
    .find(each => currentTags(each, draft.nowMs).some(known => known.equals(tag)));
  return keys ? nameOf(keys) : '';
}

/** Names the secret of the head: whoever was removed from it does not know it. */
export function headShare<State>({ record, state, keys }: GroupDraft<State>): string | undefined {
  const secret = secretOf(record.outer, state.head);
  return secret && nameOf(keys.of(secret));
}

function nameOf(keys: MailboxKeys): string {
  return hex(mailboxTag(keys, NO_DAY));
}
