import { equalBytes, wipe } from '../base/bytes.ts';
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
import { applyCard } from './cards.ts';
import { type Opened, receiveContent } from './receiving.ts';
import { waitingContents } from './sending.ts';
import type { Turn } from './turn.ts';

const NOTHING = new Uint8Array();

/**
 * Begins a session with the contact (docs/protocol/session.md): message 1 goes into the outbox, and what its answer
 * needs is kept, sealed, with the contact.
 * @param proof that an invite was held; empty between people who know each other
 */
export function initiate(turn: Turn, proof: Uint8Array = NOTHING): void {
  const { account, random } = turn.context;
  const known = turn.contact.phase === 'accepted';
  const contents = known ? waitingContents(turn, LIMITS.actorBatch).map(item => item.content) : [];
  const { initiation, initiationId, pending } = createSessionInitiation({
    self: account.identity,
    selfCardBytes: account.card,
    peerCard: decodeCard(turn.contact.card),
    payload: encodeGreeting({ proof, contents: contentsThatFit(contents) }),
    nowMs: turn.nowMs,
    random,
  });
  turn.changeContact({ initiation: { id: initiationId, pending } });
  turn.post('initiation', initiation, null);
}

/** A contact without a session, or one under way: the profile was put back, and all of them were dropped. */
export function beginIfNone(turn: Turn): void {
  const { phase, initiation } = turn.contact;
  if (phase === 'accepted' && !initiation && !turn.sessions.live) initiate(turn);
}

/** This profile is a copy: nothing that another copy may have used is used again. */
export function startAnew(turn: Turn): void {
  if (turn.contact.initiation) wipe(turn.contact.initiation.pending);
  turn.sessions.dropAll();
  turn.dropOutbox();
  turn.changeContact({ initiation: null });
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
  if (opened) turn.markSeen(opened);
  const superseded = contact.superseded !== null && equalBytes(contact.superseded, initiation.initiationId);
  if (superseded || initiation.createdAtMs <= contact.lastInitiationMs) return;
  applyCard(turn, initiation.peerCard, initiation.peerCardBytes);
  const own = contact.initiation;
  if (!own || !initiationWins(account.public.identity, contact.identity)) {
    const answer = { superseded: own?.id ?? NOTHING, card: account.card };
    const { response, session } = initiation.respond({ payload: encodeReply(answer), random });
    turn.sessions.adopt(session, 'responder', turn.nowMs);
    turn.changeContact({ lastInitiationMs: initiation.createdAtMs });
    turn.post('response', response, null);
    established(turn);
  }
  for (const content of payload.contents) receiveContent(turn, Buffer.from(content));
}

/**
 * Takes the answer to the own initiation: the session is made and what waited is sealed.
 * @returns false when no initiation is open, or the answer is to another one
 * @throws AuthError the answer was not made by the contact; nothing is changed
 */
export function receiveResponse(turn: Turn, initiationId: Uint8Array, opened: Opened): boolean {
  const own = turn.contact.initiation;
  if (!own || !equalBytes(own.id, initiationId)) return false;
  const { account, random } = turn.context;
  const answer = consumeSessionResponse({ self: account.identity, pending: own.pending, frame: opened.body, random });
  const { superseded, card } = decodeReply(answer.payload);
  turn.markSeen(opened);
  applyCard(turn, openCard(card), card);
  turn.sessions.adopt(answer.session, 'initiator', turn.nowMs);
  turn.changeContact({ superseded: superseded.length > 0 ? superseded : null });
  wipe(own.pending);
  established(turn);
  return true;
}

function established(turn: Turn): void {
  turn.changeContact({ phase: 'accepted', initiation: null });
  turn.event({ type: 'contact-changed', id: turn.contact.id });
  turn.sessionMade = true;
}
