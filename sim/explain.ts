import { HOUR_MS } from '../core/base/clock.ts';
import { LIMITS } from '../core/base/limits.ts';
import { MEETING_MS, Together, willing } from './paths.ts';
import type { Run } from './run-world.ts';
import type { PlannedMessage } from './world.ts';

/** Why a message with a path did not arrive: who could have carried it, when, and whether it was asked to. */
export function explain(run: Run, index: number): string[] {
  const { world, checks } = run;
  const { from, to, atMs } = world.messages[index] as PlannedMessage;
  const endMs = atMs + LIMITS.envelopeLifetimeMs;
  const together = new Together(world);
  const holders = checks.depositsOf.get(index) ?? new Map<number, number>();
  const after = (ms: number): string => `${((ms - atMs) / HOUR_MS).toFixed(2)} h`;
  const lines = [`message ${index} from ${from} to ${to}, ${holders.size} copies; hours after it was written:`];
  const directMs = together.firstMeeting(from, to, atMs, endMs);
  if (directMs !== undefined) lines.push(`  they met themselves at ${after(directMs)}`);
  for (const other of willing(world, from, to)) {
    const metMs = together.firstMeeting(from, other, atMs, endMs);
    if (metMs === undefined) continue;
    const handMs = together.firstMeeting(other, to, metMs + MEETING_MS, endMs);
    if (handMs === undefined) continue;
    const heldMs = holders.get(other);
    const held = heldMs === undefined ? 'was given no copy' : `had a copy from ${after(heldMs)}`;
    lines.push(`  ${other} met the author at ${after(metMs)}, the recipient at ${after(handMs)}, and ${held}`);
  }
  return lines;
}
