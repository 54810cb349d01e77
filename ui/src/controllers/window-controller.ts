import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { CHUNK, grown, MAX_ROWS, nextRange, type Range } from '../window-range.ts';

interface ScrollHost extends ReactiveControllerHost {
  /** The scrolling element, and the rendered rows in it, each with `data-id`. */
  readonly scroller: HTMLElement | null;
  readonly rows: Iterable<HTMLElement>;
  /** Asked for when the first known row is near. */
  loadOlder(): void;
}

/**
 * Renders a window of a long list and keeps what is being read in place when rows come or go above it.
 * `following` is true while the newest row is in sight: then the view stays at the end.
 */
export class WindowController implements ReactiveController {
  following = true;
  range: Range = { start: 0, end: 0 };
  #host: ScrollHost;
  #ids: readonly string[] = [];
  #anchor: { id: string; top: number } | null = null;

  constructor(host: ScrollHost) {
    this.#host = host;
    host.addController(this);
  }

  hostConnected(): void {}

  /** Begins anew at the end of another list. */
  reset(): void {
    this.following = true;
    this.range = { start: 0, end: 0 };
    this.#ids = [];
  }

  /** Tells the list of this render, before its rows change. */
  update(ids: readonly string[]): void {
    this.#anchor = this.following ? null : this.#firstVisible();
    if (ids === this.#ids) return;
    const { start, end } = this.range;
    this.range = nextRange(ids, this.#ids[start] ?? '', this.#ids[end - 1] ?? '', this.following);
    this.#ids = ids;
  }

  hostUpdated(): void {
    const scroller = this.#host.scroller;
    if (scroller === null) return;
    if (this.following) scroller.scrollTop = scroller.scrollHeight;
    else this.#restore(scroller);
    this.#edges(scroller);
  }

  scrolled(): void {
    const scroller = this.#host.scroller;
    if (scroller === null) return;
    const was = this.following;
    this.following = this.range.end === this.#ids.length && belowMargin(scroller) < 48;
    this.#edges(scroller);
    if (was !== this.following) this.#host.requestUpdate();
  }

  toEnd(): void {
    this.following = true;
    this.range = { start: Math.max(0, this.#ids.length - CHUNK), end: this.#ids.length };
    this.#host.requestUpdate();
  }

  #edges(scroller: HTMLElement): void {
    const near = scroller.clientHeight;
    if (scroller.scrollTop < near) this.#reach('before');
    else if (belowMargin(scroller) < near && this.range.end < this.#ids.length) this.#reach('after');
  }

  #reach(side: 'before' | 'after'): void {
    if (side === 'before' && this.range.start === 0) {
      this.#host.loadOlder();
      return;
    }
    // At the end, following keeps the last rows: nothing above is needed until the person scrolls there.
    if (side === 'before' && this.following && this.range.end - this.range.start >= MAX_ROWS) return;
    this.#anchor = this.following ? null : this.#firstVisible();
    this.range = grown(this.range, this.#ids.length, side);
    this.#host.requestUpdate();
  }

  #firstVisible(): { id: string; top: number } | null {
    const edge = this.#host.scroller?.getBoundingClientRect().top ?? 0;
    for (const row of this.#host.rows) {
      const box = row.getBoundingClientRect();
      if (box.bottom > edge) return { id: row.dataset.id ?? '', top: box.top };
    }
    return null;
  }

  #restore(scroller: HTMLElement): void {
    const anchor = this.#anchor;
    if (anchor === null) return;
    for (const row of this.#host.rows) {
      if (row.dataset.id !== anchor.id) continue;
      scroller.scrollTop += row.getBoundingClientRect().top - anchor.top;
      return;
    }
  }
}

function belowMargin(scroller: HTMLElement): number {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
}
