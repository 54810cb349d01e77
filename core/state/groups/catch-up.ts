import type { Cancel, Scheduler } from '../../base/clock.ts';
import type { GroupId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';

/** Told that a backlog of a group is being handed over: nothing is judged before it is over. */
export interface CatchesUp {
  catchUp(group: GroupId): void;
  caughtUp(group: GroupId): void;
}

interface Backlog {
  /** Those that are handing over. */
  readonly from: Set<string>;
  readonly cancel: Cancel;
}

/** Which groups have a backlog under way, from whom; bounded, so that nobody who never ends keeps a group from judging. */
export class Backlogs {
  readonly #groups: CatchesUp;
  readonly #scheduler: Scheduler;
  readonly #backlogs = new Map<GroupId, Backlog>();
  /** Peers that took too long, by group; no more of them than members. */
  readonly #slow = new Set<string>();

  constructor(groups: CatchesUp, scheduler: Scheduler) {
    this.#groups = groups;
    this.#scheduler = scheduler;
  }

  begin(group: GroupId, peer: string): void {
    if (this.#slow.has(group + peer)) return;
    const known = this.#backlogs.get(group);
    if (known) return void known.from.add(peer);
    const cancel = this.#scheduler(LIMITS.groupCatchUpMs, () => this.#tooLong(group));
    this.#backlogs.set(group, { from: new Set([peer]), cancel });
    this.#groups.catchUp(group);
  }

  end(group: GroupId, peer: string): void {
    const backlog = this.#backlogs.get(group);
    if (!backlog?.from.delete(peer) || backlog.from.size > 0) return;
    this.#over(group, backlog);
  }

  stop(): void {
    for (const { cancel } of this.#backlogs.values()) cancel();
    this.#backlogs.clear();
  }

  #tooLong(group: GroupId): void {
    const backlog = this.#backlogs.get(group);
    if (!backlog) return;
    if (this.#slow.size + backlog.from.size > LIMITS.groupMembers * LIMITS.groupMembers) this.#slow.clear();
    for (const peer of backlog.from) this.#slow.add(group + peer);
    this.#over(group, backlog);
  }

  #over(group: GroupId, { cancel }: Backlog): void {
    cancel();
    this.#backlogs.delete(group);
    this.#groups.caughtUp(group);
  }
}
