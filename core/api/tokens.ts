import { equalBytes, hex, utf8 } from '../base/bytes.ts';
import type { Clock, RandomSource } from '../base/clock.ts';
import { blake2b } from '../base/hash.ts';
import { LIMITS } from '../base/limits.ts';
import { Secret } from '../base/secret.ts';

export const TOKEN_BYTES = 32;

/** `wait`: too many wrong ones in a row; the right one is accepted all the same. */
export type Judgement = { kind: 'accepted' } | { kind: 'refused' } | { kind: 'wait'; retryAfterMs: number };

export type Exchange = { kind: 'accepted'; token: string } | Exclude<Judgement, { kind: 'accepted' }>;

export interface Tokens {
  /** Judges a presented token in constant time. */
  judge(presented: string | undefined): Judgement;
  /** The token in the form clients present, for `core.json` (0600) and nothing else. */
  reveal(): string;
  /** A one-use code that a window exchanges for the token; the oldest of too many is dropped. */
  issueCode(): string;
  exchange(code: string): Exchange;
  /** Wipes the token and forgets all codes. */
  wipe(): void;
}

/** The one 256-bit token of a running core, its one-use codes, and the count of wrong guesses at either. */
export function createTokens({ clock, random }: { clock: Clock; random: RandomSource }): Tokens {
  const secret = Secret.take(random(TOKEN_BYTES));
  // Kept by hash, so that the time of a look-up says nothing about a code.
  const codes = new Map<string, number>();
  const guesses = createGuessLimit(clock);

  function reveal(): string {
    return secret.use(memory => memory.toString('base64url'));
  }

  function judge(presented: string | undefined): Judgement {
    if (presented === undefined) return { kind: 'refused' };
    const bytes = Buffer.from(presented, 'base64url');
    const right = !secret.wiped && bytes.length === TOKEN_BYTES && secret.use(memory => equalBytes(memory, bytes));
    bytes.fill(0);
    return right ? { kind: 'accepted' } : guesses.wrong();
  }

  function issueCode(): string {
    const code = random(TOKEN_BYTES).toString('base64url');
    codes.set(codeKey(code), clock() + LIMITS.windowCodeMs);
    for (const key of codes.keys()) {
      if (codes.size <= LIMITS.windowCodes) break;
      codes.delete(key);
    }
    return code;
  }

  function exchange(code: string): Exchange {
    const key = codeKey(code);
    const expiresAt = codes.get(key);
    codes.delete(key);
    if (expiresAt !== undefined && clock() < expiresAt && !secret.wiped) return { kind: 'accepted', token: reveal() };
    return guesses.wrong();
  }

  function wipe(): void {
    secret.wipe();
    codes.clear();
  }

  return { judge, reveal, issueCode, exchange, wipe };
}

function codeKey(code: string): string {
  return hex(blake2b(32, utf8(code)));
}

/** Counts wrong guesses; after a few the answer is to wait, twice as long each time, until it has been quiet. */
function createGuessLimit(clock: Clock) {
  let count = 0;
  let waitUntil = 0;
  return {
    wrong(): Exclude<Judgement, { kind: 'accepted' }> {
      const now = clock();
      if (now > waitUntil + LIMITS.wrongTokenWaitLastMs) count = 0;
      count += 1;
      const over = count - LIMITS.wrongTokens;
      const waitMs =
        over <= 0
          ? 0
          : Math.min(LIMITS.wrongTokenWaitFirstMs * 2 ** Math.min(over - 1, 30), LIMITS.wrongTokenWaitLastMs);
      waitUntil = now + waitMs;
      return waitMs === 0 ? { kind: 'refused' } : { kind: 'wait', retryAfterMs: waitMs };
    },
  };
}
