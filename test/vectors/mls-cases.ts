import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { VECTORS, vectorTest } from './crypto-vectors.ts';

/**
 * The vectors of the MLS working group, by the test file that runs them, and how many cases of each are for us: of the
 * classical suite, number 3, or of one that shares the hash with one of our two. The hybrid has none of its own there;
 * mls-hybrid.json has, of another implementation.
 */
const CASES = {
  primitives: {
    'crypto-basics': 7,
    'key-schedule': 6,
    psk_secret: 66,
    'secret-tree': 12,
    'transcript-hashes': 6,
    'tree-math': 10,
    deserialization: 14,
  },
  groups: {
    'passive-client-welcome': 8,
    'passive-client-handling-commit': 13,
    welcome: 1,
    'tree-operations': 5,
    'message-protection': 1,
  },
} as const satisfies Record<string, Record<string, number>>;
type Part = keyof typeof CASES;

/** The vector files of one test file. The last test is `complete`: every case was run, and no file is passed over. */
export function mlsVectors(part: Part) {
  const run: Record<string, number> = {};
  return {
    /** @param check returns how many cases it ran */
    each<T>(file: string, title: string, check: (vectors: readonly T[]) => number | Promise<number>): void {
      vectorTest<T[]>(`mls/${file}.json`, `MLS: ${title}`, async vectors => {
        run[file] = (run[file] ?? 0) + (await check(vectors));
      });
    },
    complete(): void {
      const folder = join(VECTORS, 'mls');
      const skip = existsSync(folder) || process.env.CI === 'true' ? false : 'no mls in the vectors folder';
      test(`MLS: every case of ours was run (${part})`, { skip }, () => {
        assert.deepEqual(run, CASES[part]);
        const known = Object.values(CASES).flatMap(files => Object.keys(files));
        assert.deepEqual(readdirSync(folder).sort(), known.map(file => `${file}.json`).sort());
      });
    },
  };
}
