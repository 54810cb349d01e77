import { type Cancel, type Clock, HOUR_MS, type Scheduler } from '../../base/clock.ts';
import type { GroupId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';

/** Told that a backlog of a group is being handed over: nothing is judged before it is over. */
export interface CatchesUp {
  catchUp(group: GroupId): void;
  caughtUp(group: GroupId): void;
}

interface Handing {
  readonly sinceMs: number;
  readonly cancel: Cancel;
}

/** How long somebody has held up a group within an hour that began then. */
interface Held {
  readonly hourMs: number;
  readonly ms: number;
}

/**
 * Which groups have a backlog under way, from whom. Nobody keeps a group from judging for longer than so much of an hour, be it
 * by one backlog that never ends or by one after another.
 */
export class Backlogs {
  readonly #groups: CatchesUp;
  readonly #monotonic: Clock;
  readonly #scheduler: Scheduler;
  readonly #backlogs = new Map<GroupId, Map<string, Handing>>();
  /** By group and whoever held it up; the oldest are forgotten past as many as members can be. */
  readonly #held = new Map<string, Held>();

  constructor(
    groups: CatchesUp,
    { monotonic, scheduler }: { readonly monotonic: Clock; readonly scheduler: Scheduler },
  ) {
    this.#groups = groups;
    this.#monotonic = monotonic;
    this.#scheduler = scheduler;
  }

  begin(group: GroupId, from: string): void {
    const leftMs = LIMITS.groupCatchUpMs - this.#heldOf(group + from).ms;
    const backlog = this.#backlogs.get(group) ?? new Map<string, Handing>();
    if (leftMs <= 0 || backlog.has(from)) return;
    const cancel = this.#scheduler(leftMs, () => this.end(group, from));
    backlog.set(from, { sinceMs: this.#monotonic(), cancel });
    if (backlog.size > 1) return;
    this.#backlogs.set(group, backlog);
    this.#groups.catchUp(group);
  }

  end(group: GroupId, from: string): void {
    const backlog = this.#backlogs.get(group);
    const handing = backlog?.get(from);
    if (!backlog || !handing) return;
    handing.cancel();
    backlog.delete(from);
    this.#note(group + from, this.#monotonic() - handing.sinceMs);
    if (backlog.size > 0) return;
    this.#backlogs.delete(group);
    this.#groups.caughtUp(group);
  }

  stop(): void {
    for (const backlog of this.#backlogs.values()) for (const { cancel } of backlog.values()) cancel();
    this.#backlogs.clear();
  }

  #heldOf(name: string): Held {
    const nowMs = this.#monotonic();
    const held = this.#held.get(name);
    return held && nowMs - held.hourMs < HOUR_MS ? held : { hourMs: nowMs, ms: 0 };
  }

  #note(name: string, ms: number): void {
    const held = this.#heldOf(name);
    this.#held.delete(name);
    this.#held.set(name, { hourMs: held.hourMs, ms: held.ms + ms });
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= LIMITS.groupMembers * LIMITS.groups) break;
      this.#held.delete(oldest);
    }
  }
}
