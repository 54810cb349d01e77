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

/** Timers that do not keep the process alive by themselves. */
export const systemScheduler: Scheduler = (delayMs, run) => {
  const timer = setTimeout(run, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};
