import { HOUR_MS } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';

/** In which of the last 168 hours a contact was seen. */
export interface Uptime {
  /** Hours since 1970-01-01 UTC of bit 0. */
  readonly lastHour: number;
  /** 21 bytes; bit i (lowest first) is the hour lastHour - i. */
  readonly bits: Uint8Array;
}

export const UPTIME_BYTES = LIMITS.uptimeHours / 8;
const DAY_HOURS = 24;
const ALL_WEIGHTS = (LIMITS.uptimeHours * (LIMITS.uptimeHours + 1)) / 2;

/** The contact is connected now. A clock set back by more than a day begins the count anew from there. */
export function noteSeen(uptime: Uptime | undefined, nowMs: number): Uptime {
  const hour = Math.floor(nowMs / HOUR_MS);
  if (!uptime) return { lastHour: hour, bits: withBit(new Uint8Array(UPTIME_BYTES), 0) };
  if (hour >= uptime.lastHour) {
    return { lastHour: hour, bits: withBit(shifted(uptime.bits, hour - uptime.lastHour), 0) };
  }
  const back = uptime.lastHour - hour;
  if (back <= DAY_HOURS) return { lastHour: uptime.lastHour, bits: withBit(uptime.bits, back) };
  return { lastHour: hour, bits: withBit(uptime.bits, 0) };
}

/** Share of the last 168 hours in which the contact was seen, 0 to 1; the weight of an hour falls evenly with its age. */
export function uptimeShare(uptime: Uptime | undefined, nowMs: number): number {
  if (!uptime) return 0;
  const age = Math.max(0, Math.floor(nowMs / HOUR_MS) - uptime.lastHour);
  let sum = 0;
  for (let back = 0; back + age < LIMITS.uptimeHours; back += 1) {
    if (hasBit(uptime.bits, back)) sum += LIMITS.uptimeHours - back - age;
  }
  return sum / ALL_WEIGHTS;
}

function hasBit(bits: Uint8Array, at: number): boolean {
  return ((bits[at >> 3] as number) & (1 << (at & 7))) !== 0;
}

function withBit(bits: Uint8Array, at: number): Uint8Array {
  const out = Uint8Array.from(bits);
  setBit(out, at);
  return out;
}

function shifted(bits: Uint8Array, hours: number): Uint8Array {
  const out = new Uint8Array(UPTIME_BYTES);
  for (let at = 0; at + hours < LIMITS.uptimeHours; at += 1) if (hasBit(bits, at)) setBit(out, at + hours);
  return out;
}

function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
}
