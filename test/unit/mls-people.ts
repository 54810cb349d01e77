import assert from 'node:assert/strict';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity, type IdentitySecrets } from '../../core/crypto/identity.ts';
import { openApplication, sealApplication } from '../../core/crypto/mls/application.ts';
import { commit, createGroup } from '../../core/crypto/mls/group.ts';
import { joinGroup } from '../../core/crypto/mls/group-join.ts';
import { type ProcessedMessage, processMessage } from '../../core/crypto/mls/group-messages.ts';
import { epochAuthenticatorOf, type GroupState } from '../../core/crypto/mls/group-state.ts';
import { makeKeyPackage } from '../../core/crypto/mls/key-package.ts';
import type { SuiteKind } from '../../core/crypto/mls/suite.ts';

export const NOW_MS = Date.UTC(2026, 0, 15);
export const DAY_MS = 24 * 3_600_000;

/** Someone who can be in a group; `state` is the epoch that this one stands in. */
export class Member {
  readonly identity: IdentitySecrets;
  state: GroupState;

  constructor(identity: IdentitySecrets, state: GroupState) {
    this.identity = identity;
    this.state = state;
  }

  say(text: string): Buffer {
    const { message, state } = sealApplication(this.state, Buffer.from(text), systemRandom);
    this.state = state;
    return message;
  }

  hear(message: Uint8Array): string {
    const { data, state } = openApplication(this.state, message);
    this.state = state;
    return Buffer.from(data).toString();
  }

  /** Commits, moves on and gives the commit with its welcome. */
  async commit(terms: Partial<Parameters<typeof commit>[1]> = {}) {
    const made = await commit(this.state, { nowMs: NOW_MS, ...terms }, systemRandom);
    this.state = made.next;
    return made;
  }

  async take(message: Uint8Array): Promise<ProcessedMessage> {
    const result = await processMessage(this.state, message);
    if (result.kind === 'commit') this.state = result.next ?? this.state;
    else this.state = result.state;
    return result;
  }
}

export function packageOf(suite: SuiteKind, identity: IdentitySecrets, lastResort = false) {
  const terms = { suite, validFromMs: NOW_MS - DAY_MS, validUntilMs: NOW_MS + 28 * DAY_MS, lastResort };
  return makeKeyPackage(identity, terms, systemRandom);
}

/** A group of so many, in one epoch: the first has added all others at once. */
export async function makeMembers(suite: SuiteKind, count: number, data = ''): Promise<Member[]> {
  const identity = generateIdentity(systemRandom);
  const own = packageOf(suite, identity);
  const created = await createGroup(own.bytes, own.secrets, systemRandom(16), Buffer.from(data), systemRandom);
  const first = new Member(identity, created);
  const others = Array.from({ length: count - 1 }, () => generateIdentity(systemRandom));
  const packages = others.map(each => packageOf(suite, each));
  const proposals = packages.map(({ bytes }) => ({ kind: 'add' as const, keyPackage: bytes }));
  const { welcome } = await first.commit({ proposals });
  assert.ok(welcome);
  const joined = packages.map(async ({ bytes, secrets }, index) => {
    const state = await joinGroup(welcome, { keyPackage: bytes, secrets });
    return new Member(others[index] as IdentitySecrets, state);
  });
  return [first, ...(await Promise.all(joined))];
}

export function assertTogether(...members: readonly Member[]): void {
  const [first, ...others] = members.map(({ state }) => Buffer.from(epochAuthenticatorOf(state)).toString('hex'));
  for (const other of others) assert.equal(other, first);
}
