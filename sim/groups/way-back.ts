import { SECOND_MS } from '../../core/base/clock.ts';
import { LIMITS } from '../../core/base/limits.ts';
import type { GroupState } from '../../core/groups/group-state.ts';
import { isBelow } from '../../core/groups/tree.ts';
import { type Answer, Answers } from '../../core/state/groups/answers.ts';
import type { Person } from './person.ts';
import type { GroupRun } from './run-world.ts';

/** Who has lost the way asks members of its head that it is connected with, as the program does, and goes by what most of them say. */
export function findWayBack<State>(run: GroupRun<State>, person: Person<State>): void {
  if (!person.state) return;
  const { members } = person.headEpoch();
  const known = run.people.filter(other => members.includes(other.id) && run.connected(person, other));
  const asked = run.shuffled(known).slice(0, LIMITS.groupInfoAsks);
  run.clock.after(SECOND_MS, async () => {
    const before = person.state?.head;
    if (!before) return;
    const answers = new Answers();
    const nowMs = run.clock.nowMs;
    for (const other of asked) {
      answers.asked(other.id, nowMs);
      answers.take(other.id, run.connected(person, other) ? await answerOf(other, person) : undefined);
    }
    const chosen = answers.chosen(nowMs, before);
    if (!chosen) return;
    const { answer, votes } = chosen;
    await person.step({ kind: 'group-info', groupInfo: answer.info.info, votes });
    const after = person.state?.head;
    if (!after || after === before) return;
    if (run.checks.epoch(after, answer.epoch)) run.checks.happenings.count('came back');
    run.checks.enters(person.id, after);
  });
}

async function answerOf<State>(other: Person<State>, asker: Person<State>): Promise<Answer | undefined> {
  if (!other.active || !other.headEpoch().members.includes(asker.id)) return undefined;
  const { head, lineage, states } = other.state as GroupState<State>;
  const theirs = asker.state?.head;
  const seen = theirs !== undefined && lineage.tree.epochs.has(theirs) && !isBelow(lineage.tree, head, theirs);
  const info = await other.crypto.groupInfo(states.get(head) as State, other.context);
  return { from: other.id, epoch: head, info: { info, secrets: [], lastAct: null, seen } };
}
