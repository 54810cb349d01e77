import type { RandomSource } from '../../core/base/clock.ts';
import { blake2b } from '../../core/base/hash.ts';
import { openCard, signCard } from '../../core/crypto/card.ts';
import { generateIdentity, type IdentitySecrets } from '../../core/crypto/identity.ts';
import { generatePrekey, type Prekey } from '../../core/crypto/prekey.ts';
import type { ContactCard } from '../../core/wire/card.ts';

export const NOW_MS = Date.UTC(2026, 0, 15);

/** A generator that repeats itself for the same seed. */
export function seededRandom(seed: string): RandomSource {
  let count = 0;
  return length => {
    const out = Buffer.alloc(length);
    for (let offset = 0; offset < length; offset += 64) {
      count += 1;
      blake2b(64, Buffer.from(`${seed}/${count}`)).copy(out, offset);
    }
    return out;
  };
}

export interface Person {
  readonly identity: IdentitySecrets;
  readonly prekeys: readonly Prekey[];
  readonly cardBytes: Buffer;
  readonly card: ContactCard;
  readonly prekey: (id: number) => Prekey | undefined;
  readonly random: RandomSource;
}

export function makePerson(nick: string, seed = nick): Person {
  const random = seededRandom(seed);
  const identity = generateIdentity(random);
  const prekeys = [generatePrekey(7, NOW_MS, random), generatePrekey(8, NOW_MS + 1000, random)];
  const cardBytes = signCard(identity, {
    serial: 1,
    issuedAtMs: NOW_MS,
    prekeys: prekeys.map(prekey => prekey.public),
    mailboxKey: random(32),
    presenceKey: random(32),
    transportKey: random(32),
    addresses: [Buffer.from('047f00000106', 'hex')],
    nick,
  });
  const prekey = (id: number): Prekey | undefined => prekeys.find(candidate => candidate.id === id);
  return { identity, prekeys, cardBytes, card: openCard(cardBytes), prekey, random };
}
