import { hex } from '../../base/bytes.ts';
import { currentTags, mailboxTag } from '../../crypto/mailbox-seal.ts';
import type { Post } from '../../groups/act-codec.ts';
import { NO_ORIGIN, type Origin } from '../../groups/waiting.ts';
import { decodeEnvelope } from '../../wire/envelope.ts';
import type { GroupDraft } from './draft.ts';
import type { Carried } from './group-actor.ts';

/** A day that was over before there were mailboxes: its tag names a secret, tells nothing of it, and is never sent. */
const NO_DAY = 0;

/** How a post came: by which envelope, and under which of the group's outer secrets. Asked only of what has to wait. */
export function originOf<State>(draft: GroupDraft<State>, post: Post, carried: Carried | undefined): Origin {
  if (!carried || draft.state.lineage.tree.epochs.has(post.epoch)) return NO_ORIGIN;
  const { tag } = decodeEnvelope(carried.envelope);
  const keys = draft.record.outer
    .map(({ secret }) => draft.keys.of(secret))
    .find(each => currentTags(each, draft.nowMs).some(known => known.equals(tag)));
  return { ref: hex(carried.envelopeId), share: keys ? hex(mailboxTag(keys, NO_DAY)) : '' };
}
