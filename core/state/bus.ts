import { UsageError } from '../base/errors.ts';
import { LIMITS } from '../base/limits.ts';

export type Listener<E> = (event: E) => void;
export type Unsubscribe = () => void;

/** Hands each event to every listener, in order, after the change it tells of is durable. */
export class Bus<E> {
  readonly #listeners = new Set<Listener<E>>();
  readonly #onFault: (fault: unknown) => void;

  /** @param onFault takes what a listener throws: one listener's fault never reaches another or the sender */
  constructor(onFault: (fault: unknown) => void) {
    this.#onFault = onFault;
  }

  /** @throws UsageError `limit-reached` past LIMITS.busListeners */
  subscribe(listener: Listener<E>): Unsubscribe {
    if (this.#listeners.size >= LIMITS.busListeners) {
      throw new UsageError('limit-reached', 'bus.subscribe', 'Too many listeners.');
    }
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: E): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event);
      } catch (fault) {
        this.#onFault(fault);
      }
    }
  }
}
