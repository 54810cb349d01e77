import { equalBytes, wipe } from '../base/bytes.ts';
import { AuthError, UsageError } from '../base/errors.ts';
import type { IdentityKey } from '../base/ids.ts';
import {
  type Ceremony,
  type CeremonyInput,
  type CeremonyKeys,
  type CeremonyOutput,
  type CeremonyWorld,
  decodeCeremony,
  encodeCeremony,
  NO_CEREMONY,
  shownCode,
  stepCeremony,
} from '../crypto/verification.ts';
import type { ContactRecord, SessionRecord } from '../storage/records.ts';
import type { Context } from './context.ts';
import { sendControl } from './sending.ts';
import type { Turn } from './turn.ts';

/** What a person does; messages of the other side come in through `receiveVerification`. */
export type VerificationInput =
  | { readonly kind: 'start' | 'confirm' | 'cancel' }
  | { readonly kind: 'enter'; readonly code: string };

/**
 * Takes a person's step in the one-time code of this conversation.
 * @throws UsageError `refused` the step has no place now; `not-found` there is no session yet
 * @throws AuthError `code-mismatch` or `code-burnt`, after the try was counted
 */
export function stepVerification(turn: Turn, input: VerificationInput): void {
  const outputs = advance(turn, ceremonyInput(turn, input));
  for (const output of outputs) {
    if (output.kind === 'mismatch') turn.failAfter(mismatch(output.triesLeft));
    if (output.kind === 'burnt' && input.kind === 'enter') turn.failAfter(burnt());
  }
}

function ceremonyInput(turn: Turn, input: VerificationInput): CeremonyInput {
  switch (input.kind) {
    case 'start': {
      const { live } = turn.sessions;
      if (live) return { kind: 'start', sessionId: live.sessionId };
      throw new UsageError('refused', 'verification.start', 'The contact has not answered yet; try again then.');
    }
    case 'enter':
      return { kind: 'enter', code: input.code };
    case 'confirm':
    case 'cancel':
      return { kind: input.kind };
  }
}

export function receiveVerification(turn: Turn, bytes: Uint8Array): void {
  advance(turn, { kind: 'message', bytes });
}

/** The ceremony with a contact as it is stored. */
export function ceremonyWith(context: Context, contact: ContactRecord): Ceremony {
  const bytes = context.store.verifications.get(contact.id);
  return bytes ? decodeCeremony(bytes) : NO_CEREMONY;
}

/** The one-time code to be shown to a person now, if there is one. */
export function codeShown(context: Context, contact: ContactRecord, ceremony: Ceremony): string | undefined {
  const sessions = context.store.sessions.listOf(contact.id);
  try {
    const keysOf = (sessionId: Uint8Array) => keysFrom(context, contact, sessions, sessionId);
    return shownCode(ceremony, { nowMs: context.clock(), keysOf });
  } finally {
    for (const { state, verificationKey } of sessions) wipe(state, verificationKey);
  }
}

function advance(turn: Turn, input: CeremonyInput): readonly CeremonyOutput[] {
  const { context, contact } = turn;
  const world: CeremonyWorld = {
    nowMs: turn.nowMs,
    random: context.random,
    keysOf: sessionId => keysFrom(context, contact, turn.sessions.records, sessionId),
  };
  turn.ceremony ??= ceremonyWith(context, contact);
  const { state, outputs } = stepCeremony(turn.ceremony, input, world);
  if (state === turn.ceremony && outputs.length === 0) return outputs;
  turn.ceremony = state;
  turn.put(tx => context.store.verifications.put(tx, contact.id, encodeCeremony(state)));
  for (const output of outputs) {
    if (output.kind === 'send') sendControl(turn, { kind: 'verification', body: output.bytes });
    if (output.kind === 'match' || output.kind === 'confirmed') verified(turn);
  }
  turn.event({ type: 'verification-changed', contact: contact.id });
  return outputs;
}

function verified(turn: Turn): void {
  turn.changeContact({ trust: 'verified' });
  turn.event({ type: 'contact-changed', id: turn.contact.id });
}

function keysFrom(
  context: Context,
  contact: ContactRecord,
  sessions: readonly SessionRecord[],
  sessionId: Uint8Array,
): CeremonyKeys | undefined {
  const session = sessions.find(record => equalBytes(record.sessionId, sessionId));
  if (!session) return undefined;
  return {
    verificationKey: session.verificationKey,
    own: context.account.public.identity,
    peer: contact.identity as IdentityKey,
    ownCardHash: session.ownCardHash,
    peerCardHash: session.peerCardHash,
  };
}

function mismatch(triesLeft: number): AuthError {
  const tries = triesLeft === 1 ? 'One try is left.' : `${triesLeft} tries are left.`;
  return new AuthError('code-mismatch', 'verification.enter', `The code is not the one shown here. ${tries}`);
}

function burnt(): AuthError {
  const message =
    'The code did not match three times and is burnt. Somebody may be in between: meet, or compare safety numbers.';
  return new AuthError('code-burnt', 'verification.enter', message);
}
