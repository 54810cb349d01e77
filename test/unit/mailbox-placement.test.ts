import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../core/base/clock.ts';
import { type ContactId, contactIdOf, parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import {
  COPIES,
  type CopiesRule,
  type Custodian,
  heldNow,
  newPlacement,
  nextChangeMs,
  type Placement,
  type PlacementInput,
  type PlacementOutput,
  stepPlacement,
} from '../../core/mailbox/placement.ts';

const START = 1_760_000_000_000;
const UNTIL = START + 7 * DAY_MS;
const person = (number: number): ContactId => contactIdOf(parseIdentityKey(Buffer.alloc(32, number)));
const recipient = person(99);
const id = parseEnvelopeId(Buffer.alloc(32, 7));

class Story {
  nowMs = START;
  recipientConnected = false;
  copies: CopiesRule = COPIES;
  placement: Placement = newPlacement(recipient, id, START);
  custodians: Custodian[];
  answeredMs: number | undefined;

  constructor(connected: number, away = 0) {
    const make = (number: number, here: boolean): Custodian => ({
      id: person(number),
      willing: true,
      connected: here,
      lastSeenMs: START,
      uptime: (number % 10) / 10,
    });
    this.custodians = [
      ...Array.from({ length: connected }, (_, at) => make(at + 1, true)),
      ...Array.from({ length: away }, (_, at) => make(at + 50, false)),
    ];
  }

  tell(input: PlacementInput): PlacementOutput[] {
    const { nowMs, recipientConnected, custodians, copies } = this;
    const answeredMs = () => this.answeredMs;
    const context = { nowMs, recipientConnected, custodians, copies, answeredMs, tieKey: Buffer.alloc(32, 5) };
    const step = stepPlacement(this.placement, input, context);
    this.placement = step.placement;
    return [...step.outputs];
  }

  asked(input: PlacementInput = { kind: 'look' }): ContactId[] {
    return this.tell(input).flatMap(output => (output.kind === 'deposit' ? [output.custodian] : []));
  }

  hold(...custodians: ContactId[]): void {
    for (const custodian of custodians) this.tell({ kind: 'held', custodian, untilMs: UNTIL });
  }

  set(custodian: ContactId, change: Partial<Custodian>): void {
    this.custodians = this.custodians.map(item => (item.id === custodian ? { ...item, ...change } : item));
  }

  held(): { heldBy: number; untilMs: number | null; unseen: number } {
    return heldNow(this.placement, this.custodians, this.nowMs);
  }
}

describe('placement', () => {
  it('asks the three with the best uptime of those connected, never the recipient', () => {
    const story = new Story(6, 4);
    story.custodians.push({ id: recipient, willing: true, connected: true, lastSeenMs: START, uptime: 1 });
    assert.deepEqual(story.asked(), [person(6), person(5), person(4)]);
    assert.deepEqual(story.asked(), [], 'and nobody twice');
    assert.equal(story.held().heldBy, 0, 'asking is not holding');
    story.hold(person(6), person(5));
    assert.deepEqual(story.held(), { heldBy: 2, untilMs: UNTIL, unseen: 0 });
  });

  it('waits ten seconds for a recipient that is connected, and not longer', () => {
    const story = new Story(3);
    story.recipientConnected = true;
    assert.deepEqual(story.tell({ kind: 'look' }), [{ kind: 'wake', atMs: START + LIMITS.placeAfterMs }]);
    story.nowMs += LIMITS.placeAfterMs;
    assert.equal(story.asked().length, 3);
    const leaves = new Story(3);
    leaves.recipientConnected = true;
    leaves.tell({ kind: 'look' });
    leaves.recipientConnected = false;
    assert.equal(leaves.asked().length, 3, 'at once when it goes');
  });

  it('asks another when one refuses, does not answer, or is lost before it answers', () => {
    const story = new Story(6);
    story.asked();
    assert.deepEqual(story.asked({ kind: 'refused', custodian: person(6) }), [person(3)]);
    story.hold(person(5));
    story.set(person(4), { connected: false });
    assert.deepEqual(story.asked(), [person(2)]);
    story.nowMs += LIMITS.depositAnswerMs;
    assert.deepEqual(story.asked(), [person(1)], 'the two that stayed silent count as refused; one is left to ask');
    assert.equal(story.held().heldBy, 1);
  });

  it('replaces a custodian not seen for a day, and counts it again when it is back', () => {
    const story = new Story(4);
    story.copies = { first: 3, more: 0, everyMs: DAY_MS };
    story.asked();
    story.hold(person(4), person(3), person(2));
    for (const gone of [4, 3]) story.set(person(gone), { connected: false });
    story.nowMs += DAY_MS - 1;
    assert.deepEqual(story.asked(), []);
    assert.equal(story.held().heldBy, 3);
    story.nowMs += 1;
    assert.deepEqual(story.held(), { heldBy: 1, untilMs: UNTIL, unseen: 2 });
    assert.deepEqual(story.asked(), [person(1)]);
    story.set(person(4), { connected: true });
    assert.equal(story.held().heldBy, 2);
  });

  it('asks another when a custodian says the envelope is gone; a stranger’s word changes nothing', () => {
    const story = new Story(4);
    story.asked();
    story.hold(person(4), person(3), person(2));
    const before = story.placement;
    assert.deepEqual(story.asked({ kind: 'gone', custodian: person(77) }), []);
    assert.deepEqual(story.placement, before);
    assert.deepEqual(story.asked({ kind: 'gone', custodian: person(3) }), [person(1)]);
    assert.equal(story.held().heldBy, 2);
    story.nowMs += LIMITS.custodianUnseenMs;
    assert.deepEqual(story.asked(), [person(3)], 'after a day it may be asked again, as the last was not answered');
  });

  it('asks one more with each minute that nothing is confirmed, until everyone has a copy', () => {
    const story = new Story(5);
    const wakeAt = (minutes: number) => ({ kind: 'wake', atMs: START + minutes * LIMITS.custodiansMoreMs });
    const first = story.tell({ kind: 'look' });
    assert.ok(first.some(output => output.kind === 'wake' && output.atMs === START + LIMITS.custodiansMoreMs));
    story.hold(person(5), person(4), person(3));
    story.nowMs += LIMITS.custodiansMoreMs - 1;
    assert.deepEqual(story.tell({ kind: 'look' }), [wakeAt(1)]);
    story.nowMs += 1;
    assert.deepEqual(story.asked(), [person(2)]);
    story.hold(person(2));
    story.nowMs = START - HOUR_MS;
    assert.deepEqual(story.tell({ kind: 'look' }), [wakeAt(1)], 'a clock set back asks nobody, and wakes later');
    story.nowMs = START + 2 * LIMITS.custodiansMoreMs;
    assert.deepEqual(story.asked(), [person(1)]);
    story.hold(person(1));
    assert.deepEqual(story.tell({ kind: 'look' }), [], 'nobody is left to wake up for');
    assert.equal(story.held().heldBy, 5);
  });

  it('never has more custodians than are remembered', () => {
    const story = new Story(40);
    for (let minute = 0; minute < LIMITS.holdings; minute += 1) {
      story.hold(...story.asked());
      story.nowMs += LIMITS.custodiansMoreMs;
    }
    assert.equal(story.held().heldBy, LIMITS.holdings);
    assert.deepEqual(story.tell({ kind: 'look' }), []);
  });

  it('one that takes no more is not asked and counts for what it holds; one whose line was lost may be asked again', () => {
    const story = new Story(5);
    story.set(person(5), { willing: false });
    assert.deepEqual(story.asked(), [person(4), person(3), person(2)]);
    story.hold(person(4));
    story.set(person(4), { willing: false });
    assert.equal(story.held().heldBy, 1);
    assert.deepEqual(story.asked(), []);
    story.set(person(3), { willing: false });
    assert.deepEqual(story.asked({ kind: 'lost', custodian: person(3) }), [person(1)]);
    assert.deepEqual(story.asked({ kind: 'lost', custodian: person(4) }), [], 'a receipt stays');
    assert.equal(story.held().heldBy, 1);
    story.set(person(3), { willing: true });
    assert.deepEqual(story.asked({ kind: 'lost', custodian: person(2) }), [person(3)]);
  });

  it('ends when it is delivered: every holder is told, and a receipt that comes later too', () => {
    const story = new Story(5);
    story.asked();
    story.hold(person(5));
    const told = story.tell({ kind: 'end' }).map(output => output.kind === 'release' && output.custodian);
    assert.deepEqual(new Set(told), new Set([person(5), person(4), person(3)]));
    const late = story.tell({ kind: 'held', custodian: person(4), untilMs: UNTIL });
    assert.deepEqual(late, [{ kind: 'release', custodian: person(4) }]);
    assert.deepEqual(story.tell({ kind: 'look' }), []);
  });

  it('receipts run out; clocks that jump lose no custodian and ask nobody for ever', () => {
    const story = new Story(3);
    story.asked();
    story.hold(person(3), person(2), person(1));
    story.nowMs += 3650 * DAY_MS;
    assert.equal(story.held().heldBy, 0);
    assert.deepEqual(story.asked(), []);
    story.nowMs = START + HOUR_MS;
    assert.equal(story.held().heldBy, 3, 'a look at a wrong time changes nothing that is shown later');
    story.nowMs = START - 3650 * DAY_MS;
    assert.equal(story.held().heldBy, 0, 'nor does a clock years behind make a receipt last for years');
    story.custodians = [...story.custodians, { ...(story.custodians[0] as Custodian), id: person(9) }];
    assert.deepEqual(story.asked(), [person(9)]);
    assert.equal(nextChangeMs(story.placement, story.nowMs), UNTIL - LIMITS.envelopeLifetimeMs - LIMITS.clockSkewMs);
    story.nowMs = START + HOUR_MS;
    assert.equal(story.held().heldBy, 3);
  });

  it('a custodian gone for a day counts no more, whichever way the clock was wrong when it was seen', () => {
    const story = new Story(1);
    story.asked();
    story.hold(person(1));
    for (const lastSeenMs of [START + DAY_MS, START - DAY_MS, START + 3650 * DAY_MS]) {
      story.set(person(1), { connected: false, lastSeenMs });
      assert.deepEqual(story.held(), { heldBy: 0, untilMs: null, unseen: 1 });
    }
    story.set(person(1), { lastSeenMs: START + HOUR_MS });
    assert.equal(story.held().heldBy, 1, 'a clock that is nearly right does no harm');
  });

  it('waits for a custodian that answers, one after another, and not for one that has stopped', () => {
    const story = new Story(1);
    story.asked();
    story.answeredMs = START + LIMITS.depositAnswerMs - 1;
    story.nowMs = START + LIMITS.depositAnswerMs;
    const dueMs = story.answeredMs + LIMITS.depositAnswerMs;
    assert.deepEqual(story.tell({ kind: 'look' }), [{ kind: 'wake', atMs: dueMs }]);
    assert.equal(story.placement.holdings[0]?.state, 'asked');
    story.nowMs = dueMs;
    assert.deepEqual(story.asked(), []);
    assert.equal(story.placement.holdings[0]?.state, 'refused');
  });

  it('nearly equal custodians share the load', () => {
    const used = new Set<ContactId>();
    for (let envelope = 0; envelope < 40; envelope += 1) {
      const story = new Story(6);
      story.custodians = story.custodians.map((item, at) => ({ ...item, uptime: 0.5 + at / 1_000 }));
      story.placement = newPlacement(recipient, parseEnvelopeId(Buffer.alloc(32, envelope)), START);
      for (const custodian of story.asked()) used.add(custodian);
    }
    assert.equal(used.size, 6);
  });
});
