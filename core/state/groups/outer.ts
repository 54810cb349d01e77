import { hex, wipe } from '../../base/bytes.ts';
import { LABEL } from '../../base/labels.ts';
import { LIMITS } from '../../base/limits.ts';
import { deriveMailboxKeys, type MailboxKeys, wipeMailboxKeys } from '../../crypto/mailbox-seal.ts';
import type { EpochId, GroupCrypto } from '../../groups/group-crypto.ts';
import type { GroupState } from '../../groups/group-state.ts';
import type { OuterSecret } from '../../storage/records.ts';

const SECRET_BYTES = 32;

/**
 * The outer secrets once new epochs are known (docs/protocol/group.md §9): an epoch that somebody was removed from begins
 * one of its own, which the removed cannot derive; every other has its parent's. The newest are first.
 * @param given by whoever let this member in: first that of a new root, then those before it
 */
export async function outerAfter<State>(
  crypto: GroupCrypto<State>,
  state: GroupState<State>,
  before: readonly OuterSecret[],
  given: readonly Uint8Array[],
): Promise<readonly OuterSecret[]> {
  const { epochs } = state.lineage.tree;
  const known = new Map(before.flatMap(outer => outer.epochs.map(epoch => [hex(epoch), outer.secret] as const)));
  const secrets = [...before.map(({ secret }) => secret)];
  for (const epoch of epochs.values()) {
    if (known.has(epoch.id)) continue;
    const parent = epoch.parent === null ? undefined : epochs.get(epoch.parent);
    const shrank = parent?.members.some(member => !epoch.members.includes(member)) ?? true;
    const opened = state.states.get(epoch.id);
    const told = parent ? undefined : given[0];
    const own = opened && shrank ? await crypto.exporter(opened, LABEL.groupOuter, SECRET_BYTES) : undefined;
    const secret = told ?? (shrank ? own : known.get((parent as { id: EpochId }).id));
    // Whoever was removed is told nothing of where the others go.
    if (!secret) continue;
    known.set(epoch.id, secret);
    if (!secrets.some(other => hex(other) === hex(secret))) secrets.unshift(secret);
  }
  if (known.size === before.flatMap(({ epochs: named }) => named).length && given.length === 0) return before;
  for (const secret of given) if (!secrets.some(other => hex(other) === hex(secret))) secrets.push(secret);
  return secrets.slice(0, LIMITS.groupOuterSecrets).map(secret => ({
    secret,
    epochs: [...known].filter(([, theirs]) => hex(theirs) === hex(secret)).map(([epoch]) => Buffer.from(epoch, 'hex')),
  }));
}

/** Without what only epochs past the horizon sealed under; the one of the head stays. */
export function withoutForgotten(outer: readonly OuterSecret[], gone: ReadonlySet<string>): readonly OuterSecret[] {
  if (gone.size === 0) return outer;
  return outer
    .map(({ secret, epochs }) => ({ secret, epochs: epochs.filter(epoch => !gone.has(hex(epoch))) }))
    .filter(({ epochs }, index) => index === 0 || epochs.length > 0);
}

/** The keys of outer secrets, derived once each. */
export class OuterKeys {
  readonly #keys = new Map<string, MailboxKeys>();

  of(secret: Uint8Array): MailboxKeys {
    const known = this.#keys.get(hex(secret));
    if (known) return known;
    const keys = deriveMailboxKeys(secret);
    this.#keys.set(hex(secret), keys);
    return keys;
  }

  /** Wipes those of no secret that is left. */
  keep(outer: readonly OuterSecret[]): void {
    const left = new Set(outer.map(({ secret }) => hex(secret)));
    for (const [name, keys] of this.#keys) {
      if (left.has(name)) continue;
      wipeMailboxKeys(keys);
      this.#keys.delete(name);
    }
  }

  wipe(): void {
    for (const keys of this.#keys.values()) wipe(keys.tagKey, keys.sealKey);
    this.#keys.clear();
  }
}

export function secretOf(outer: readonly OuterSecret[], epoch: EpochId): Uint8Array | undefined {
  return outer.find(({ epochs }) => epochs.some(named => hex(named) === epoch))?.secret;
}
