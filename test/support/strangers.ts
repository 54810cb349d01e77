import { setTimeout as delay } from 'node:timers/promises';
import { HOUR_MS } from '../../core/base/clock.ts';
import { Secret } from '../../core/base/secret.ts';
import { systemClock, systemRandom, systemScheduler } from '../../core/base/world.io.ts';
import { deriveMailboxKeys, type MailboxKeys, mailboxTag, sealEnvelope } from '../../core/crypto/mailbox-seal.ts';
import { addressesFromCard } from '../../core/network/card-addresses.ts';
import { createSwarm } from '../../core/network/swarm.io.ts';
import type { DialTarget, FrameChannel, Swarm } from '../../core/network/swarm.ts';
import { fetchCard } from '../../core/state/rendezvous.ts';
import { CUSTODY_PROTOCOL, decodeCustody, encodeCustody } from '../../core/wire/custody.ts';
import { decodeDelivery, ENVELOPE_PROTOCOL, encodeDelivery } from '../../core/wire/delivery.ts';
import { encodeEnvelope } from '../../core/wire/envelope.ts';
import { decodeInvite } from '../../core/wire/invite.ts';
import type { RealCore } from './real-core.ts';

/** What became of what strangers sent: answered one way or the other, or cut off before an answer. */
export interface FloodCounts {
  sent: number;
  accepted: number;
  refused: number;
  cut: number;
  connections: number;
}

type Protocol = typeof ENVELOPE_PROTOCOL | typeof CUSTODY_PROTOCOL;

/** Sent ahead of the answers. */
const AHEAD = 32;
/** Whoever cannot get in tries again after this; the core takes a bounded number of connections from one host. */
const AGAIN_MS = 50;

function newSwarm(): Swarm {
  const transportSeed = Secret.take(systemRandom(32));
  try {
    return createSwarm({ transportSeed, listen: ['/ip4/127.0.0.1/tcp/0'], lastPorts: [] });
  } finally {
    transportSeed.wipe();
  }
}

/** What a stranger learns of somebody from an invite: where it is, and its mailbox. */
export async function learn(core: RealCore): Promise<{ target: DialTarget; mailbox: MailboxKeys }> {
  const invite = decodeInvite((await core.call('invite.create', {})).invite);
  const swarm = newSwarm();
  await swarm.start();
  try {
    const { card } = await fetchCard({ scheduler: systemScheduler, random: systemRandom }, swarm, invite);
    const target = { transportKey: invite.transport, addresses: addressesFromCard(invite.addresses) };
    return { target, mailbox: deriveMailboxKeys(card.mailboxKey) };
  } finally {
    await swarm.stop();
  }
}

/** An envelope of one of four kinds: to a mailbox that is known, to nobody, sealed for somebody, or no envelope at all. */
function anEnvelope(mailboxes: readonly MailboxKeys[]): Buffer {
  const [kind = 0, which = 0] = systemRandom(2);
  const mailbox = mailboxes[which % mailboxes.length] as MailboxKeys;
  const nowMs = systemClock();
  const expiresAtHours = Math.floor(nowMs / HOUR_MS) + 1 + (kind % 160);
  const sealed = systemRandom(kind % 16 === 0 ? 4096 : 256);
  if (kind < 100)
    return encodeEnvelope({ tag: mailboxTag(mailbox, Math.floor(nowMs / 86_400_000)), expiresAtHours, sealed });
  if (kind < 180) return encodeEnvelope({ tag: systemRandom(16), expiresAtHours, sealed });
  if (kind < 250) {
    const inside = (['ratchet', 'initiation', 'response'] as const)[kind % 3] ?? 'ratchet';
    return encodeEnvelope(sealEnvelope(mailbox, inside, systemRandom(130), nowMs, systemRandom));
  }
  return systemRandom(300);
}

/** Sends envelopes to one core from so many identities at once, until so many are sent and answered or cut. */
export async function flood(
  target: DialTarget,
  mailboxes: readonly MailboxKeys[],
  options: { readonly envelopes: number; readonly identities: number },
): Promise<FloodCounts> {
  const counts: FloodCounts = { sent: 0, accepted: 0, refused: 0, cut: 0, connections: 0 };
  const claim = () => {
    const more = counts.sent < options.envelopes;
    if (more) counts.sent += 1;
    return more;
  };
  const one = async (number: number): Promise<void> => {
    const protocol = number % 2 === 0 ? CUSTODY_PROTOCOL : ENVELOPE_PROTOCOL;
    while (counts.sent < options.envelopes) {
      // Each connection comes as somebody new.
      const swarm = newSwarm();
      await swarm.start();
      try {
        await swarm.dial(target);
        counts.connections += 1;
        await pour(await swarm.channel(target.transportKey, protocol), protocol, mailboxes, { claim, counts });
      } catch {
        await delay(AGAIN_MS);
      } finally {
        await swarm.stop();
      }
    }
  };
  await Promise.all(Array.from({ length: options.identities }, (_, number) => one(number)));
  return counts;
}

/** Sends until the channel ends or enough is sent; what has no answer by then was cut. */
async function pour(
  channel: FrameChannel,
  protocol: Protocol,
  mailboxes: readonly MailboxKeys[],
  { claim, counts }: { claim: () => boolean; counts: FloodCounts },
): Promise<void> {
  let open = 0;
  let ended = false;
  let wake = () => {};
  const answer = () =>
    new Promise<void>(resolve => {
      wake = resolve;
    });
  const reading = readAll(channel, frame => {
    const { accepted, refused } = answersIn(protocol, frame);
    counts.accepted += accepted;
    counts.refused += refused;
    open -= accepted + refused;
    wake();
  }).then(() => {
    ended = true;
    wake();
  });
  try {
    while (!ended && claim()) {
      open += 1;
      await channel.send(deposit(protocol, anEnvelope(mailboxes)));
      while (open >= AHEAD && !ended) await answer();
    }
    while (open > 0 && !ended) await answer();
  } catch {
    // Cut off while sending.
  }
  await channel.close();
  await reading;
  counts.cut += open;
}

/** Ends with the channel, however that ends. */
async function readAll(channel: FrameChannel, take: (frame: Uint8Array) => void): Promise<void> {
  try {
    for await (const frame of channel.frames) take(frame);
  } catch {
    // Cut off.
  }
}

function deposit(protocol: Protocol, envelope: Buffer): Buffer {
  return protocol === CUSTODY_PROTOCOL
    ? encodeCustody({ kind: 'deposit', envelope })
    : encodeDelivery({ kind: 'envelope', envelope });
}

function answersIn(protocol: Protocol, frame: Uint8Array): { accepted: number; refused: number } {
  if (protocol === ENVELOPE_PROTOCOL) {
    const answer = decodeDelivery(frame);
    if (answer.kind === 'envelope') return { accepted: 0, refused: 0 };
    return answer.kind === 'stored'
      ? { accepted: answer.ids.length, refused: 0 }
      : { accepted: 0, refused: answer.ids.length };
  }
  const answer = decodeCustody(frame);
  if (answer.kind === 'taken') return { accepted: answer.ids.length, refused: 0 };
  return { accepted: 0, refused: answer.kind === 'refused' ? answer.ids.length : 0 };
}
