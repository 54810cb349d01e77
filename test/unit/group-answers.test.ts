import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND_MS } from '../../core/base/clock.ts';
import { contactIdFromBytes } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { parseEpochId } from '../../core/groups/act-codec.ts';
import { Answers } from '../../core/state/groups/answers.ts';
import type { GroupInfo } from '../../core/wire/group-welcome.ts';

const NOW_MS = Date.UTC(2026, 10, 23);
const [ada, ben, cem, dan] = [1, 2, 3, 4].map(byte => contactIdFromBytes(Buffer.alloc(16, byte))) as [
  ReturnType<typeof contactIdFromBytes>,
  ReturnType<typeof contactIdFromBytes>,
  ReturnType<typeof contactIdFromBytes>,
  ReturnType<typeof contactIdFromBytes>,
];
const [TRUE, FALSE, HERE] = ['aa', 'bb', 'cc'].map(byte => parseEpochId(byte.repeat(32))) as [
  ReturnType<typeof parseEpochId>,
  ReturnType<typeof parseEpochId>,
  ReturnType<typeof parseEpochId>,
];

function answer(from: typeof ada, epoch: typeof TRUE, seq: number | null = null, seen = false) {
  const lastAct = seq === null ? null : { seq, id: Buffer.alloc(32, seq) };
  const info: GroupInfo = { info: Buffer.alloc(1), secrets: [Buffer.alloc(32)], lastAct, seen };
  return { from, epoch, info };
}

function askedOf(...contacts: (typeof ada)[]): Answers {
  const answers = new Answers();
  for (const contact of contacts) answers.asked(contact, NOW_MS);
  return answers;
}

describe('answers of members who are asked for the way back', () => {
  it('are not heard of who was not asked', () => {
    const answers = askedOf(ada);
    answers.take(ben, answer(ben, FALSE));
    assert.equal(answers.expects(ben), false);
    assert.equal(answers.chosen(NOW_MS + LIMITS.groupAnswersMs, HERE), undefined);
  });

  it('are compared: what most name counts, whoever was the first to answer', () => {
    const answers = askedOf(ada, ben, cem);
    answers.take(ada, answer(ada, FALSE));
    answers.take(ben, answer(ben, TRUE));
    assert.equal(answers.chosen(NOW_MS + SECOND_MS, HERE), undefined, 'one has not answered');
    answers.take(cem, answer(cem, TRUE));
    assert.equal(answers.chosen(NOW_MS + SECOND_MS, HERE)?.answer.epoch, TRUE);
  });

  it('count alone after a minute', () => {
    const answers = askedOf(ada, ben);
    answers.take(ben, answer(ben, TRUE));
    assert.equal(answers.chosen(NOW_MS + LIMITS.groupAnswersMs - 1, HERE), undefined);
    assert.equal(answers.chosen(NOW_MS + LIMITS.groupAnswersMs, HERE)?.answer.from, ben);
  });

  it('give the farthest place of those who name the same epoch, and of no others', () => {
    const answers = askedOf(ada, ben, cem);
    answers.take(ada, answer(ada, TRUE, 4));
    answers.take(ben, answer(ben, TRUE, 7));
    answers.take(cem, answer(cem, FALSE, 9));
    assert.equal(answers.chosen(NOW_MS, HERE)?.answer.info.lastAct?.seq, 7);
  });

  it('are set against where this member stands, with those who stand there too', () => {
    const answers = askedOf(ada, ben, cem);
    answers.take(ada, answer(ada, TRUE));
    answers.take(ben, answer(ben, HERE));
    answers.take(cem, answer(cem, TRUE, null, true));
    assert.deepEqual(answers.chosen(NOW_MS, HERE)?.votes, { there: 2, here: 2, seen: true });
  });

  it('are asked of three at a time, of the next when those say nothing, and of nobody again soon', () => {
    const answers = new Answers();
    const all = [ada, ben, cem, dan];
    assert.deepEqual(answers.next(all, NOW_MS), [ada, ben, cem]);
    for (const contact of [ada, ben, cem]) answers.asked(contact, NOW_MS);
    assert.deepEqual(answers.next(all, NOW_MS + SECOND_MS), []);
    assert.equal(answers.unanswered(NOW_MS + SECOND_MS), false);
    assert.equal(answers.unanswered(NOW_MS + LIMITS.groupAnswersMs), true);
    assert.deepEqual(answers.next(all, NOW_MS + LIMITS.groupAnswersMs), [dan]);
    answers.asked(dan, NOW_MS + LIMITS.groupAnswersMs);
    assert.deepEqual(answers.next(all, NOW_MS + 2 * LIMITS.groupAnswersMs), []);
    assert.deepEqual(answers.next(all, NOW_MS + LIMITS.groupInfoAskMs), [ada, ben, cem]);
  });

  it('that led nowhere are closed, and nobody is asked again soon; those that led back are done with', () => {
    for (const back of [false, true]) {
      const answers = askedOf(ada, ben);
      answers.take(ada, answer(ada, TRUE));
      answers.close(back);
      assert.equal(answers.expects(ada) || answers.expects(ben), false);
      assert.equal(answers.chosen(NOW_MS + LIMITS.groupAnswersMs, HERE), undefined);
      assert.deepEqual(answers.next([ada, ben], NOW_MS + SECOND_MS), back ? [ada, ben] : []);
    }
  });
});
