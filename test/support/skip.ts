import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';

/** Skips a test that this machine cannot hold, with the reason; on CI that is a failure. */
export function skipHere(t: TestContext, reason: string): void {
  assert.notEqual(process.env.CI, 'true', reason);
  t.skip(reason);
}
