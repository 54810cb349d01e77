import sodium from 'sodium-native';
import type { Clock, RandomSource, Scheduler } from './clock.ts';

export const systemClock: Clock = () => Date.now();

/** Milliseconds since some moment; never goes back, whatever the clock is set to. */
export const systemMonotonic: Clock = () => Math.floor(performance.now());

export const systemRandom: RandomSource = length => {
  const bytes = Buffer.allocUnsafeSlow(length);
  if (length > 0) sodium.randombytes_buf(bytes);
  return bytes;
};

/** What setTimeout can wait for; it takes a longer time for none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Timers that do not keep the process alive by themselves. */
export const systemScheduler: Scheduler = (delayMs, run) => {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number): void => {
    const restMs = leftMs - LONGEST_TIMER_MS;
    timer = setTimeout(() => (restMs > 0 ? wait(restMs) : run()), Math.min(leftMs, LONGEST_TIMER_MS));
    timer.unref();
  };
  wait(delayMs);
  return () => clearTimeout(timer);
};
