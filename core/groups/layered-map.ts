/**
 * A map of which each version stays as it is, and a next one costs little: entries changed since the last full copy lie
 * on top. A group's step changes one entry of some thousand, and must leave the state before it whole. The top grows to where its own
 * copies cost as much as the full ones they save: the root of twice the entries.
 */
export class LayeredMap<K, V> implements ReadonlyMap<K, V> {
  readonly #base: ReadonlyMap<K, V>;
  readonly #top: ReadonlyMap<K, V>;
  readonly size: number;

  private constructor(base: ReadonlyMap<K, V>, top: ReadonlyMap<K, V>, size: number) {
    this.#base = base;
    this.#top = top;
    this.size = size;
  }

  /** @param map is not changed by anyone any more */
  static with<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): LayeredMap<K, V> {
    const [base, top] = map instanceof LayeredMap ? [map.#base as ReadonlyMap<K, V>, map.#top] : [map, EMPTY];
    const size = map.size + (map.has(key) ? 0 : 1);
    const changed = new Map<K, V>(top as ReadonlyMap<K, V>).set(key, value);
    if (changed.size * changed.size <= 2 * base.size) return new LayeredMap(base, changed, size);
    return new LayeredMap(new Map<K, V>(map).set(key, value), EMPTY as ReadonlyMap<K, V>, size);
  }

  get(key: K): V | undefined {
    return this.#top.has(key) ? this.#top.get(key) : this.#base.get(key);
  }

  has(key: K): boolean {
    return this.#top.has(key) || this.#base.has(key);
  }

  /** In the order in which keys were first set, as of a Map. */
  *entries(): MapIterator<[K, V]> {
    for (const entry of this.#base) yield this.#top.has(entry[0]) ? [entry[0], this.#top.get(entry[0]) as V] : entry;
    for (const entry of this.#top) if (!this.#base.has(entry[0])) yield entry;
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries();
  }

  forEach(call: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    this.#base.forEach((value, key) => {
      call(this.#top.has(key) ? (this.#top.get(key) as V) : value, key, this);
    });
    this.#top.forEach((value, key) => {
      if (!this.#base.has(key)) call(value, key, this);
    });
  }
}

const EMPTY: ReadonlyMap<unknown, unknown> = new Map();
