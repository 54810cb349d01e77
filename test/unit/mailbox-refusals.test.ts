import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS } from '../../core/base/clock.ts';
import { type ContactId, contactIdOf, parseIdentityKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { Refusals } from '../../core/mailbox/refusals.ts';

const NOW = 1_760_000_000_000;
const [custodian, other, recipient] = [person(1), person(2), person(3)];

describe('refusals', () => {
  it('are remembered for the one recipient and a day', () => {
    const refusals = new Refusals();
    assert.equal(refusals.refused(custodian, recipient, NOW), true);
    assert.equal(refusals.refuses(custodian, recipient, NOW + DAY_MS - 1), true);
    assert.equal(refusals.refuses(custodian, other, NOW), false);
    assert.equal(refusals.refuses(other, recipient, NOW), false);
    assert.equal(refusals.refuses(custodian, recipient, NOW - 2 * DAY_MS), false, 'a clock set back makes none longer');
    assert.deepEqual([...refusals.sweep(NOW + DAY_MS - 1)], []);
    assert.deepEqual([...refusals.sweep(NOW + DAY_MS)], [custodian]);
    assert.equal(refusals.refuses(custodian, recipient, NOW), false);
  });

  it('are about room where the custodian has just held for the recipient', () => {
    const refusals = new Refusals();
    refusals.took(custodian, recipient, NOW);
    assert.equal(refusals.refused(custodian, recipient, NOW + 1), false);
    assert.equal(refusals.refuses(custodian, recipient, NOW + 1), false);
    assert.equal(refusals.refused(custodian, recipient, NOW + DAY_MS), true, 'that was long ago');
    refusals.took(custodian, recipient, NOW + DAY_MS + 1);
    assert.equal(refusals.refuses(custodian, recipient, NOW + DAY_MS + 1), false, 'it knows the recipient now');
  });

  it('are forgotten of a custodian that takes again, and of no other', () => {
    const refusals = new Refusals();
    for (const each of [custodian, other]) refusals.refused(each, recipient, NOW);
    refusals.forget(custodian);
    assert.equal(refusals.refuses(custodian, recipient, NOW), false);
    assert.equal(refusals.refuses(other, recipient, NOW), true);
  });

  it('are bounded: past it none pushes out another, and a refusal concerns its envelope', () => {
    const refusals = new Refusals();
    for (let index = 0; index < LIMITS.refusals; index += 1) refusals.refused(person(10 + index), recipient, NOW);
    assert.equal(refusals.refused(custodian, recipient, NOW), false);
    assert.equal(refusals.refuses(custodian, recipient, NOW), false);
    assert.equal(refusals.refuses(person(10), recipient, NOW), true);
    assert.equal(refusals.refused(person(10), recipient, NOW), true);
  });
});

function person(number: number): ContactId {
  const key = Buffer.alloc(32);
  key.writeUInt32BE(number);
  return contactIdOf(parseIdentityKey(key));
}
