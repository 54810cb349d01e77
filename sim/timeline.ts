/** A virtual clock: what is to happen, in order of time and then of asking. Nothing here waits. */
export class Timeline {
  nowMs: number;
  readonly #heap: { readonly atMs: number; readonly order: number; readonly run: () => void }[] = [];
  #order = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    const item = { atMs: Math.max(Math.ceil(atMs), this.nowMs), order: this.#order++, run };
    let place = heap.length;
    heap.push(item);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!this.#before(item, heap[parent] as typeof item)) break;
      heap[place] = heap[parent] as typeof item;
      place = parent;
    }
    heap[place] = item;
  }

  after(delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run);
  }

  runUntil(endMs: number): void {
    for (let first = this.#heap[0]; first && first.atMs <= endMs; first = this.#heap[0]) {
      this.#removeFirst();
      this.nowMs = first.atMs;
      first.run();
    }
    this.nowMs = endMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      if (right && this.#before(right, left)) child += 1;
      const least = heap[child] as typeof last;
      if (!this.#before(least, last)) break;
      heap[place] = least;
      place = child;
    }
    heap[place] = last;
  }

  #before(a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }
}
