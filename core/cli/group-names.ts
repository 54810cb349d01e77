import type { ApiEvent, Group } from '../commands/schema.ts';

/** What groups are called, by their id and their conversation's: events name them by these. */
export class GroupNames {
  readonly #names = new Map<string, string>();

  learn(groups: readonly Group[]): void {
    for (const { id, conversation, name } of groups) {
      this.#names.set(id, name);
      this.#names.set(conversation, name);
    }
  }

  see(event: ApiEvent): void {
    if (event.event === 'group-changed') this.learn([event.group]);
  }

  of(id: string): string | undefined {
    return this.#names.get(id);
  }
}
