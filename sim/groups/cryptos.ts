import type { RandomSource } from '../../core/base/clock.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import type { GroupCrypto } from '../../core/groups/group-crypto.ts';
import { type MlsState, mlsCrypto } from '../../core/groups/mls-crypto.ts';
import { StandInCrypto, type StandInState } from './stand-in.ts';
import { Registry } from './stand-in-keys.ts';

/** Makes the people of one run. */
export type MakeCrypto<State> = (random: RandomSource) => GroupCrypto<State>;

export function standIns(): MakeCrypto<StandInState> {
  const registry = new Registry();
  return random => new StandInCrypto(registry, random(32));
}

export function realMls(): MakeCrypto<MlsState> {
  return random => mlsCrypto(generateIdentity(random), 'classical');
}
