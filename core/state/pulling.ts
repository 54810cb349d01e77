import type { Cancel } from '../base/clock.ts';
import type { ContactId, TransportKey } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { currentTags, dayOf } from '../crypto/mailbox-seal.ts';
import { newPuller, type PullerInput, type PullerOutput, type PullerState, stepPuller } from '../mailbox/sync.ts';
import type { FrameChannel, Swarm } from '../network/swarm.ts';
import { decodeSync, encodeSync, SYNC_PROTOCOL } from '../wire/sync.ts';
import type { Context } from './context.ts';
import type { Intake } from './intake.ts';

/** Asks every custodian, on each connection and each new day, for what it holds for this profile. */
export class Pulling {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #intake: Intake;
  readonly #pulls = new Map<ContactId, Pull>();
  #stopped = false;

  constructor(context: Context, swarm: Swarm, intake: Intake) {
    this.#context = context;
    this.#swarm = swarm;
    this.#intake = intake;
  }

  stop(): void {
    this.#stopped = true;
    for (const pull of this.#pulls.values()) pull.close();
  }

  /** A connected contact has said hello: pulls from it, unless it is being done. */
  begin(contact: ContactId): void {
    const { store } = this.#context;
    const record = store.contacts.get(contact);
    if (this.#stopped || this.#pulls.has(contact) || record?.phase !== 'accepted') return;
    // Even one that holds nothing new now may hold what it took earlier.
    const pull = new Pull(this.#context, this.#intake, contact);
    this.#pulls.set(contact, pull);
    pull.run(this.#swarm, record.transportKey).finally(() => this.#pulls.delete(contact));
  }

  /** Once a minute: tags change with the day, and a pull that failed is begun again. */
  sweep(): void {
    for (const pull of this.#pulls.values()) pull.newDay();
    for (const peer of this.#swarm.connectedPeers()) {
      const contact = this.#context.store.contacts.byTransport(peer);
      if (contact?.phase === 'accepted') this.begin(contact.id);
    }
  }
}

type Taken = Extract<PullerOutput, { kind: 'take' }>;

/** The asking side on one channel, which stays open for the holder's news. */
class Pull {
  readonly #context: Context;
  readonly #intake: Intake;
  readonly #contact: ContactId;
  #state: PullerState = newPuller();
  #channel: FrameChannel | undefined;
  /** The last frame on its way out. */
  #sent: Promise<unknown> = Promise.resolve();
  /** Handed on together: one transaction stores what came together, and one receipt acknowledges it. */
  #gathered: Taken[] = [];
  #handOn: Cancel | undefined;
  #day = -1;
  /** A start was told and no end yet. */
  #told = false;

  constructor(context: Context, intake: Intake, contact: ContactId) {
    this.#context = context;
    this.#intake = intake;
    this.#contact = contact;
  }

  /** Ends with the channel; never rejects. */
  async run(swarm: Swarm, peer: TransportKey): Promise<void> {
    try {
      const channel = await swarm.channel(peer, SYNC_PROTOCOL);
      this.#channel = channel;
      this.newDay();
      for await (const bytes of channel.frames) {
        // A holder that does not read what it is asked is not listened to either.
        await this.#sent;
        this.#step({ kind: 'frame', frame: decodeSync(bytes) });
      }
    } catch {
      // Lost, or not the protocol: the next connection begins again, and asks only for what is missing.
    } finally {
      this.#handOn?.();
      await this.#channel?.close();
      this.#finished(0);
    }
  }

  newDay(): void {
    const { clock, account } = this.#context;
    const day = dayOf(clock());
    if (day === this.#day || this.#state.phase !== 'idle') return;
    this.#day = day;
    this.#step({ kind: 'begin', tags: currentTags(account.mailbox, clock()) });
  }

  close(): void {
    void this.#channel?.close();
  }

  #step(input: PullerInput): void {
    const { state, outputs } = stepPuller(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#do(output);
  }

  #do(output: PullerOutput): void {
    const { store, bus } = this.#context;
    switch (output.kind) {
      case 'send':
        this.#sent = this.#channel?.send(encodeSync(output.frame)).catch(() => undefined) ?? this.#sent;
        return;
      case 'choose':
        this.#step({ kind: 'chosen', missing: store.reading(() => output.ids.map(id => !store.seen.has(id))) });
        return;
      case 'take':
        this.#gather(output);
        return;
      case 'started':
        this.#told = true;
        bus.emit({
          type: 'offline-sync-started',
          contact: this.#contact,
          direction: 'in',
          queued: output.missing,
        });
        return;
      case 'finished':
        this.#finished(output.stored);
        return;
      case 'fail':
        this.close();
    }
  }

  /** A full window or the last of the page goes at once, a slow line's share after a short while. */
  #gather(taken: Taken): void {
    this.#gathered.push(taken);
    if (this.#gathered.length >= LIMITS.syncWindow || this.#state.awaited.size === 0) this.#takeGathered();
    else this.#handOn ??= this.#context.scheduler(LIMITS.syncGatherMs, () => this.#takeGathered());
  }

  #takeGathered(): void {
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#handOn?.();
    this.#handOn = undefined;
    for (const taken of gathered) this.#take(taken);
  }

  /** Not tried with the holder's sessions first: who holds an envelope has most likely not made it. */
  #take({ envelopeId, envelope }: Taken): void {
    this.#intake.receive(envelope, envelopeId, undefined, this.#contact).then(
      verdict => this.#step({ kind: 'settled', envelopeId, verdict }),
      // The disk or load, not the envelope: it stays where it is and is asked for again.
      () => this.close(),
    );
  }

  #finished(received: number): void {
    if (!this.#told) return;
    this.#told = false;
    const counts = { sent: 0, received: Math.max(received, this.#state.stored) };
    this.#context.bus.emit({
      type: 'offline-sync-finished',
      contact: this.#contact,
      direction: 'in',
      ...counts,
    });
  }
}
