import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerIn } from '../../core/api/peer-owner.io.ts';
import { createTokens } from '../../core/api/tokens.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';

function setUp() {
  let now = 1_000_000;
  const tokens = createTokens({ clock: () => now, random: systemRandom });
  const pass = (ms: number) => {
    now += ms;
  };
  return { tokens, pass };
}

test('only the exact token is accepted', () => {
  const { tokens } = setUp();
  const token = tokens.reveal();
  assert.match(token, /^[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(tokens.judge(token), { kind: 'accepted' });
  for (const wrong of [undefined, '', token.slice(1), `${token}AA`, token.split('').reverse().join('')]) {
    assert.equal(tokens.judge(wrong).kind, 'refused');
  }
});

test('the wait doubles to its last value and is forgotten after quiet', () => {
  const { tokens, pass } = setUp();
  const kinds = Array.from({ length: LIMITS.wrongTokens }, () => tokens.judge('wrong').kind);
  assert.deepEqual(new Set(kinds), new Set(['refused']));
  let previous = 0;
  for (let round = 0; round < 100; round++) {
    const judged = tokens.judge('wrong');
    assert.ok(judged.kind === 'wait');
    assert.equal(judged.retryAfterMs, previous === 0 ? 1_000 : Math.min(previous * 2, LIMITS.wrongTokenWaitLastMs));
    previous = judged.retryAfterMs;
  }
  pass(2 * LIMITS.wrongTokenWaitLastMs + 1);
  assert.equal(tokens.judge('wrong').kind, 'refused');
});

test('a code works once, for a while, and only so many are kept', () => {
  const { tokens, pass } = setUp();
  const code = tokens.issueCode();
  assert.deepEqual(tokens.exchange(code), { kind: 'accepted', token: tokens.reveal() });
  assert.equal(tokens.exchange(code).kind, 'refused');
  const late = tokens.issueCode();
  pass(LIMITS.windowCodeMs);
  assert.equal(tokens.exchange(late).kind, 'refused');
  const codes = Array.from({ length: LIMITS.windowCodes + 1 }, () => tokens.issueCode());
  assert.equal(tokens.exchange(codes[0] as string).kind, 'refused');
  assert.equal(tokens.exchange(codes[1] as string).kind, 'accepted');
});

test('after the wipe nothing is accepted', () => {
  const { tokens } = setUp();
  const token = tokens.reveal();
  const code = tokens.issueCode();
  tokens.wipe();
  assert.equal(tokens.judge(token).kind, 'refused');
  assert.equal(tokens.exchange(code).kind, 'refused');
});

test('the owner of the other end is read from the system table', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20 4 30 10 -1',
    '   1: 0100007F:C001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 2 1 0 20 4 30 10 -1',
  ].join('\n');
  assert.equal(ownerIn(table, 0xc001, 0x1f90), 1001);
  assert.equal(ownerIn(table, 0x1f90, 0xc001), 0);
  assert.equal(ownerIn(table, 1, 2), undefined);
});
