import type { Epoch } from '../../core/groups/tree.ts';

/** What is to have happened in a run of any size worth its figures. */
export const HAPPENINGS = [
  'sent',
  'added',
  'removed',
  'left',
  'promoted',
  'demoted',
  'renamed',
  'renewed',
  'came back',
  'killed',
  'lost',
  'partition',
  'commits on every side',
] as const;
export type Happening = (typeof HAPPENINGS)[number];

/** Counts what truly happened: of changes, those that some commit made. */
export class Happenings {
  readonly counts = new Map<Happening, number>();
  #awaySamples = 0;
  #away = 0;
  #sides = 0;
  readonly #committed = new Set<number>();

  count(what: Happening, times = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  /** @param side where its maker was */
  epoch(epoch: Epoch, parent: Epoch, side: number): void {
    const { members, data, judgements, returned, asks } = epoch;
    this.#committed.add(side);
    const removed = judgements.filter(({ kind }) => kind === 'remove').length;
    const added = members.filter(member => !parent.members.includes(member)).length;
    this.count('added', added);
    this.count('removed', removed);
    this.count('left', parent.members.length + added - members.length - removed);
    const admins = parent.data.admins.filter(admin => members.includes(admin));
    this.count('promoted', data.admins.filter(admin => !admins.includes(admin)).length);
    this.count('demoted', admins.filter(admin => !data.admins.includes(admin)).length);
    this.count('renamed', Number(data.name !== parent.data.name));
    this.count('came back', Number(returned !== null));
    this.count('renewed', Number(returned === null && asks.length === 0));
  }

  parted(sides: number): void {
    this.count('partition');
    this.#sides = sides;
    this.#committed.clear();
  }

  healed(): void {
    if (this.#committed.size === this.#sides) this.count('commits on every side');
  }

  sampleAway(share: number): void {
    this.#awaySamples += 1;
    this.#away += share;
  }

  /** The mean share of people who were away when something was done. */
  get away(): number {
    return this.#away / Math.max(1, this.#awaySamples);
  }
}
