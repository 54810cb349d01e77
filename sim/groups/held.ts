/** Which posts of a run someone holds, by their place among all: a byte each, so that what many hold is joined quickly. */
export class Held {
  #marks = new Uint8Array(1024);
  size = 0;

  has(index: number): boolean {
    return this.#marks[index] === 1;
  }

  add(index: number): void {
    if (this.has(index)) return;
    if (index >= this.#marks.length) {
      const more = new Uint8Array(2 * index);
      more.set(this.#marks);
      this.#marks = more;
    }
    this.#marks[index] = 1;
    this.size += 1;
  }

  addAll(other: Held): void {
    const theirs = other.#marks;
    for (let index = 0; index < theirs.length; index += 1) if (theirs[index] === 1) this.add(index);
  }

  clear(): void {
    this.#marks.fill(0);
    this.size = 0;
  }

  /** Those that are held here and not there, in order. */
  without(there: Held): number[] {
    const missing: number[] = [];
    for (let index = 0; index < this.#marks.length; index += 1) {
      if (this.#marks[index] === 1 && !there.has(index)) missing.push(index);
    }
    return missing;
  }
}
