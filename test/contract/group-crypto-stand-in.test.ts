import { describe } from 'node:test';
import { StandInCrypto } from '../../sim/groups/stand-in.ts';
import { Registry } from '../../sim/groups/stand-in-keys.ts';
import { freshSeed, seededNumbers } from '../support/mutate.ts';
import { groupCryptoContract } from './group-crypto.ts';

const seed = freshSeed();
const number = seededNumbers(seed);
const random = (length: number): Buffer => Buffer.from(Array.from({ length }, () => Math.floor(number() * 256)));

describe(`the stand-in for MLS, seed ${seed}`, () => {
  const registry = new Registry();
  groupCryptoContract(() => new StandInCrypto(registry, random(32)), { nowMs: Date.UTC(2026, 10, 22), random });
});
