import { hex, utf8 } from '../../base/bytes.ts';
import type { Cancel } from '../../base/clock.ts';
import { blake2b } from '../../base/hash.ts';
import type { ContactId, TransportKey } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Swarm } from '../../network/swarm.ts';
import type { Context } from '../context.ts';
import { LostTogether } from '../lost-together.ts';
import type { GroupPlaces, KnownMember } from './places.ts';

interface Tries {
  readonly failed: number;
  readonly nextMs: number;
}

/**
 * Keeps connections to some members who are no contacts, so that gossip and pulls reach those whom no contact connects.
 * Contacts have links of their own.
 */
export class MemberLinks {
  readonly #context: Context;
  readonly #swarm: Swarm;
  readonly #places: GroupPlaces;
  /** Members that could not be reached. */
  readonly #tries = new Map<ContactId, Tries>();
  readonly #dialing = new Map<ContactId, AbortController>();
  /** By the hexadecimal transport key. */
  readonly #lost: LostTogether<string>;
  #wake: Cancel | undefined;
  #stopped = false;

  constructor(context: Context, swarm: Swarm, places: GroupPlaces) {
    this.#context = context;
    this.#swarm = swarm;
    this.#places = places;
    this.#lost = new LostTogether(context.clock);
  }

  stop(): void {
    this.#stopped = true;
    this.#wake?.();
    for (const abort of this.#dialing.values()) abort.abort();
  }

  /** The connection to a member has ended; another may take its place. */
  lost(peer: TransportKey): void {
    this.#lost.lost(hex(peer));
    this.look();
  }

  /** Members that were lost when this one was are tried again now. */
  met(peer: TransportKey): void {
    const back = new Set(this.#lost.back(hex(peer)));
    if (back.size === 0) return;
    for (const { id, transportKey } of this.#places.members()) if (back.has(hex(transportKey))) this.#tries.delete(id);
    this.look();
  }

  /** Nobody is waited for any longer. */
  tryAll(): void {
    this.#tries.clear();
    this.look();
  }

  /** Dials as many as are wanted and due. Called when members or connections change, and by its own wake-up. */
  look(): void {
    this.#wake?.();
    this.#wake = undefined;
    // Kept off the network, only addresses that a person gave are dialed.
    if (this.#stopped || this.#context.offline) return;
    const candidates = this.#candidates();
    const connected = candidates.filter(({ transportKey }) => this.#swarm.isConnected(transportKey));
    const away = candidates.filter(member => !connected.includes(member) && !this.#dialing.has(member.id));
    this.#forgetOthers(candidates);
    const wanted = LIMITS.groupLinks - connected.length - this.#dialing.size;
    const room = Math.min(wanted, LIMITS.groupDials - this.#dialing.size);
    if (room <= 0 || away.length === 0) return;
    const nowMs = this.#context.clock();
    const due = away.filter(({ id }) => this.#dueMs(id, nowMs) <= nowMs);
    for (const member of due.sort((a, b) => this.#compare(a.id, b.id)).slice(0, room)) void this.#dial(member);
    if (due.length < room)
      this.#wakeAt(Math.min(...away.map(({ id }) => this.#dueMs(id, nowMs)).filter(at => at > nowMs)));
  }

  /** Whoever failed least, then in an order that differs from one profile to another: not everybody dials the same. */
  #compare(a: ContactId, b: ContactId): number {
    const failed = (id: ContactId) => this.#tries.get(id)?.failed ?? 0;
    return failed(a) - failed(b) || Buffer.compare(this.#orderOf(a), this.#orderOf(b));
  }

  #orderOf(id: ContactId): Buffer {
    return blake2b(16, utf8(this.#context.account.id), utf8(id));
  }

  async #dial(member: KnownMember): Promise<void> {
    const abort = new AbortController();
    this.#dialing.set(member.id, abort);
    try {
      await this.#swarm.dial(member, abort.signal);
      this.#tries.delete(member.id);
    } catch {
      const failed = (this.#tries.get(member.id)?.failed ?? 0) + 1;
      const waitMs = Math.min(LIMITS.groupDialFirstMs * 2 ** (failed - 1), LIMITS.groupDialLastMs);
      this.#tries.set(member.id, { failed, nextMs: this.#context.clock() + waitMs });
    }
    this.#dialing.delete(member.id);
    this.look();
  }

  /** A clock that was set back makes nobody wait longer than the longest wait. */
  #dueMs(id: ContactId, nowMs: number): number {
    const nextMs = this.#tries.get(id)?.nextMs ?? nowMs;
    return nextMs - nowMs > LIMITS.groupDialLastMs ? nowMs : nextMs;
  }

  #wakeAt(atMs: number): void {
    if (!Number.isFinite(atMs)) return;
    this.#wake?.();
    this.#wake = this.#context.scheduler(atMs - this.#context.clock(), () => this.look());
  }

  #candidates(): KnownMember[] {
    const { store, account } = this.#context;
    return [...this.#places.members()].filter(
      ({ id, addresses }) => id !== account.id && addresses.length > 0 && !store.contacts.get(id),
    );
  }

  #forgetOthers(candidates: readonly KnownMember[]): void {
    const ids = new Set(candidates.map(({ id }) => id));
    for (const id of this.#tries.keys()) if (!ids.has(id)) this.#tries.delete(id);
  }
}
