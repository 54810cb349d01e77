/** A virtual clock whose happenings may be asynchronous: one after the other, by time and then by order of asking. */
export class Clock {
  nowMs: number;
  readonly #heap: Item[] = [];
  #order = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  at(atMs: number, run: () => Promise<void> | void): void {
    const heap = this.#heap;
    const item = { atMs: Math.max(Math.ceil(atMs), this.nowMs), order: this.#order++, run };
    let place = heap.push(item) - 1;
    while (place > 0 && before(item, heap[(place - 1) >> 1] as Item)) {
      heap[place] = heap[(place - 1) >> 1] as Item;
      place = (place - 1) >> 1;
    }
    heap[place] = item;
  }

  after(delayMs: number, run: () => Promise<void> | void): void {
    this.at(this.nowMs + delayMs, run);
  }

  async runUntil(endMs: number): Promise<void> {
    for (let first = this.#heap[0]; first && first.atMs <= endMs; first = this.#heap[0]) {
      this.#removeFirst();
      this.nowMs = first.atMs;
      await first.run();
    }
    this.nowMs = endMs;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop() as Item;
    if (heap.length === 0) return;
    let place = 0;
    for (let child = 1; child < heap.length; child = 2 * place + 1) {
      const right = heap[child + 1];
      if (right && before(right, heap[child] as Item)) child += 1;
      if (!before(heap[child] as Item, last)) break;
      heap[place] = heap[child] as Item;
      place = child;
    }
    heap[place] = last;
  }
}

interface Item {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => Promise<void> | void;
}

function before(a: Item, b: Item): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
