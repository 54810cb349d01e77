import type { CiphersuiteImpl, ClientConfig } from 'ts-mls';
import type { RandomSource } from '../../base/clock.ts';
import { InternalError } from '../../base/errors.ts';
import { type GroupRules, MOLVA_RULES } from './group-rules.ts';
import { type Suite, type SuiteKind, suiteOf } from './suite.ts';

/** What one step of the protocol works with; made for each, as randomness is passed in. */
export interface Step {
  readonly suite: Suite;
  readonly random: RandomSource;
  readonly rules: GroupRules;
  /** The same, as ts-mls takes it. */
  readonly provider: CiphersuiteImpl;
  readonly config: ClientConfig;
}

/** @param rules others than Molva's: the vectors of RFC 9420 name their members as they like */
export function stepOf(kind: SuiteKind, random: RandomSource, rules: GroupRules = MOLVA_RULES): Step {
  const suite = suiteOf(kind);
  return { suite, random, rules, provider: suite.provider(random), config: configOf(rules) };
}

/** Steps that only read draw nothing; if one did, it would be noticed. */
export const NO_RANDOM: RandomSource = () => {
  throw new InternalError('mls.random');
};

function configOf(rules: GroupRules): ClientConfig {
  return {
    authService: { validateCredential: async (credential, key) => rules.isBound(credential, key) },
    keyPackageEqualityConfig: {
      compareKeyPackages: (a, b) => rules.memberName(a.leafNode) === rules.memberName(b.leafNode),
      compareKeyPackageToLeafNode: (a, b) => rules.memberName(a.leafNode) === rules.memberName(b),
    },
    // Lifetimes are checked against the time that is passed in, and ratchets are our own: nothing here is used.
    lifetimeConfig: { maximumTotalLifetime: 0n, validateLifetimeOnReceive: false },
    keyRetentionConfig: { retainKeysForGenerations: 0, retainKeysForEpochs: 0, maximumForwardRatchetSteps: 0 },
    paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
  };
}
