import { equalBytes } from '../base/bytes.ts';
import { AuthError, TransientError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';
import { openCard } from '../crypto/card.ts';
import { openCardSeal, rendezvousLookup, sealCard } from '../crypto/rendezvous.ts';
import { addressesFromCard } from '../network/card-addresses.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import type { ContactCard } from '../wire/card.ts';
import type { Invite } from '../wire/invite.ts';
import { decodeAnswer, decodeQuestion, encodeAnswer, encodeQuestion, RENDEZVOUS_PROTOCOL } from '../wire/rendezvous.ts';
import type { Context } from './context.ts';

const CHALLENGE_BYTES = 16;

/** Hands the own card to whoever holds an open invite; anybody else gets no answer. */
export async function serveCards(context: Context, swarm: Swarm): Promise<void> {
  await swarm.serve(RENDEZVOUS_PROTOCOL, channel => void answerOne(context, channel), { maxInbound: 1 });
}

async function answerOne(context: Context, channel: FrameChannel): Promise<void> {
  const giveUp = context.scheduler(LIMITS.rendezvousMs, () => void channel.close());
  try {
    const { lookup, challenge } = decodeQuestion(await firstFrame(channel));
    const { store, account, clock, random } = context;
    const nowMs = clock();
    const invite = store.invites
      .list()
      .find(item => item.expiresAtMs > nowMs && equalBytes(rendezvousLookup(item.secret), lookup));
    if (invite) await channel.send(encodeAnswer(sealCard(invite.secret, challenge, account.card, random)));
  } catch {
    // One opaque failure for everything: the stream closes.
  } finally {
    giveUp();
    await channel.close();
  }
}

/**
 * Fetches and checks the card of the person behind an invite.
 * @throws TransientError `unreachable` nobody is there, or the invite is not open any more
 * @throws AuthError the answer was made by somebody else
 */
export async function fetchCard(
  context: Pick<Context, 'scheduler' | 'random'>,
  swarm: Swarm,
  invite: Invite,
): Promise<{ card: ContactCard; bytes: Buffer }> {
  const { transport } = invite;
  await swarm.dial({ transportKey: transport, addresses: addressesFromCard(invite.addresses) });
  const channel = await swarm.channel(transport, RENDEZVOUS_PROTOCOL);
  const giveUp = context.scheduler(LIMITS.rendezvousMs, () => void channel.close());
  try {
    const challenge = context.random(CHALLENGE_BYTES);
    await channel.send(encodeQuestion({ lookup: rendezvousLookup(invite.secret), challenge }));
    const bytes = openCardSeal(invite.secret, challenge, decodeAnswer(await firstFrame(channel)));
    const card = openCard(bytes);
    if (!equalBytes(card.identityKey, invite.identity) || !equalBytes(card.transportKey, transport)) {
      throw new AuthError('not-authentic', 'rendezvous.card', 'The card is not that of the invite.');
    }
    return { card, bytes };
  } finally {
    giveUp();
    await channel.close();
  }
}

async function firstFrame(channel: FrameChannel): Promise<Uint8Array> {
  for await (const frame of channel.frames) return frame;
  const message = 'The invite is not open any more, or the other side closed the connection.';
  throw new TransientError('unreachable', 'rendezvous', message);
}
