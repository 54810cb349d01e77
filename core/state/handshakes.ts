import { equalBytes } from '../base/bytes.ts';
import { AuthError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { openCard } from '../crypto/card.ts';
import {
  type ConsumedInitiation,
  consumeSessionResponse,
  createSessionInitiation,
  initiationWins,
} from '../crypto/session.ts';
import { decodeCard } from '../wire/card.ts';
import { contentsThatFit, decodeGreeting, decodeReply, encodeGreeting, encodeReply } from '../wire/greeting.ts';
import { lastHeard } from './again.ts';
import { applyCard } from './cards.ts';
import { readLately, sendReceipts } from './receipts.ts';
import { type Opened, receiveContent } from './receiving.ts';
import { sendControl, waitingContents } from './sending.ts';
import type { Turn } from './turn.ts';

const NOTHING = new Uint8Array();

/**
 * Begins a session with the contact (docs/protocol/session.md): message 1 goes into the outbox, and what its answer
 * needs is kept, sealed, in a row of its own.
 * @param proof that an invite was held; empty between people who know each other
 */
export function initiate(turn: Turn, proof: Uint8Array = NOTHING): void {
  const { account, random } = turn.context;
  const known = turn.contact.phase === 'accepted';
  const contents = known ? waitingContents(turn) : [];
  // The contact takes one that is not later than the last for a replay, and refuses one of a clock far ahead.
  const formerMs = turn.contact.initiation?.atMs ?? -1;
  const nowMs = formerMs > turn.nowMs + LIMITS.clockSkewMs ? turn.nowMs : Math.max(turn.nowMs, formerMs + 1);
  const { initiation, initiationId, pending } = createSessionInitiation({
    self: account.identity,
    selfCardBytes: account.card,
    peerCard: decodeCard(turn.contact.card),
    payload: encodeGreeting({ proof, contents: contentsThatFit(contents) }),
    nowMs,
    random,
  });
  turn.changeContact({ initiation: { id: initiationId, atMs: nowMs } });
  turn.wipeAtEnd(pending);
  const { contacts } = turn.context.store;
  turn.put(tx => contacts.putInitiationSecret(tx, turn.contact.id, pending));
  if (proof.length > 0) turn.put(tx => contacts.putProof(tx, turn.contact.id, proof));
  turn.post('initiation', initiation, null);
}

/** A contact without a session, or one under way: the profile was put back, and all of them were dropped. */
export function beginIfNone(turn: Turn): void {
  const { id, phase, initiation } = turn.contact;
  if (initiation || turn.sessions.live) return;
  const proof = phase === 'accepted' ? NOTHING : turn.context.store.contacts.proof(id);
  if (proof) initiate(turn, proof);
}

/** This profile is a copy: nothing that another copy may have used is used again. */
export function startAnew(turn: Turn): void {
  turn.put(tx => turn.context.store.contacts.putInitiationSecret(tx, turn.contact.id, null));
  turn.sessions.dropAll();
  turn.dropOutbox();
  turn.changeContact({ initiation: null });
  if (turn.contact.phase === 'accepted') {
    const { store } = turn.context;
    sendControl(turn, lastHeard(store, turn.conversationId));
    sendReceipts(turn, 'read', readLately(store, turn.conversation));
  }
  beginIfNone(turn);
}

/**
 * Answers an initiation of this contact, or leaves it when it is a replay or lost the crossing
 * (docs/protocol/session.md, "Crossed initiations"). What it carries is received either way.
 * @throws DecodeError a payload of another form; nothing is changed
 */
export function receiveInitiation(turn: Turn, initiation: ConsumedInitiation, opened: Opened | null): void {
  const { account, random } = turn.context;
  const { contact } = turn;
  const payload = decodeGreeting(initiation.payload);
  if (initiation.createdAtMs > turn.nowMs + LIMITS.clockSkewMs) {
    throw new AuthError('not-authentic', 'handshake.time', 'The clock of the other side is far ahead.');
  }
  if (opened) turn.markSeen(opened);
  const superseded = contact.superseded !== null && equalBytes(contact.superseded, initiation.initiationId);
  if (superseded || initiation.createdAtMs <= contact.lastInitiationMs) return;
  applyCard(turn, initiation.peerCard, initiation.peerCardBytes);
  const own = contact.initiation;
  turn.changeContact({ lastInitiationMs: initiation.createdAtMs });
  if (!own || !ownWins(turn, own.atMs, initiation.createdAtMs)) {
    const answer = { superseded: own?.id ?? NOTHING, card: account.card };
    const { response, session } = initiation.respond({ payload: encodeReply(answer), random });
    turn.sessions.adopt(session, 'responder', turn.nowMs);
    turn.post('response', response, null);
    established(turn);
  }
  for (const content of payload.contents) receiveContent(turn, Buffer.from(content));
}

/**
 * Both have initiated: the lower identity key's stands. But an initiation made long after ours was made by somebody
 * whom ours never reached, or who has lost it: waiting for an answer would be waiting for ever.
 */
function ownWins(turn: Turn, ownAtMs: number, peerAtMs: number): boolean {
  const crossed = peerAtMs < ownAtMs + LIMITS.crossingMs;
  return crossed && initiationWins(turn.context.account.public.identity, turn.contact.identity);
}

/**
 * Takes the answer to the own initiation: the session is made and what waited is sealed.
 * @returns false when no initiation is open, or the answer is to another one
 * @throws AuthError the answer was not made by the contact; nothing is changed
 */
export function receiveResponse(turn: Turn, initiationId: Uint8Array, opened: Opened): boolean {
  const own = turn.contact.initiation;
  if (!own || !equalBytes(own.id, initiationId)) return false;
  const { account, random, store } = turn.context;
  const pending = store.contacts.initiationSecret(turn.contact.id);
  if (!pending) return false;
  turn.wipeAtEnd(pending);
  const answer = consumeSessionResponse({ self: account.identity, pending, frame: opened.body, random });
  const { superseded, card } = decodeReply(answer.payload);
  turn.markSeen(opened);
  applyCard(turn, openCard(card), card);
  turn.sessions.adopt(answer.session, 'initiator', turn.nowMs);
  turn.changeContact({ superseded: superseded.length > 0 ? superseded : null });
  established(turn);
  return true;
}

function established(turn: Turn): void {
  const { contacts } = turn.context.store;
  turn.put(tx => {
    contacts.putInitiationSecret(tx, turn.contact.id, null);
    contacts.putProof(tx, turn.contact.id, null);
  });
  turn.changeContact({ phase: 'accepted', initiation: null });
  turn.event({ type: 'contact-changed', id: turn.contact.id });
  turn.sessionMade = true;
}
