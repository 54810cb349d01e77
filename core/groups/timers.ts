import { HOUR_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { Timers } from './group-state.ts';

/** No timer is ever set further ahead than so. */
const LONGEST = {
  commitMs: LIMITS.groupCommitWaitMs + LIMITS.groupMembers * LIMITS.groupCommitSlotMs,
  standMs: Math.max(LIMITS.groupStandMs, LIMITS.groupMembers * LIMITS.groupAnswerSlotMs),
  answeredMs: LIMITS.groupStandMs,
  renewMs: LIMITS.groupUpdateMs,
  sweepMs: HOUR_MS,
} as const;

/** What is further ahead was set by a clock that was wrong: it is due now. */
export function believedTimers(timers: Timers, nowMs: number): Timers {
  const { commitMs, standMs, answeredMs, renewMs, sweepMs } = timers;
  const isFar = (name: keyof Timers): boolean => (timers[name] ?? 0) > nowMs + LONGEST[name];
  if (!(Object.keys(LONGEST) as (keyof Timers)[]).some(isFar)) return timers;
  return {
    commitMs: isFar('commitMs') ? nowMs : commitMs,
    standMs: isFar('standMs') ? nowMs : standMs,
    answeredMs: isFar('answeredMs') ? 0 : answeredMs,
    renewMs: isFar('renewMs') ? nowMs : renewMs,
    sweepMs: isFar('sweepMs') ? nowMs : sweepMs,
  };
}

/** @param catchingUp while nothing is judged or said, only the sweep falls due */
export function nextTime({ commitMs, standMs, renewMs, sweepMs }: Timers, catchingUp: boolean): number {
  if (catchingUp) return sweepMs;
  return Math.min(...[commitMs, standMs, renewMs, sweepMs].filter(atMs => atMs !== null));
}

export function sameTimers(a: Timers, b: Timers): boolean {
  return (Object.keys(LONGEST) as (keyof Timers)[]).every(name => a[name] === b[name]);
}
