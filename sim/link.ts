import type { Run } from './run-world.ts';

/** Streams of a connection, each in order, as a real one keeps it; among them everything overtakes everything. */
export type Stream = 'hello' | 'envelope' | 'custody' | 'pull-low' | 'pull-high';

/** One connection between two people. Each frame may be the one that breaks it; what is under way is lost then. */
export class Link {
  readonly low: number;
  readonly high: number;
  readonly #run: Run;
  readonly #lastMs = new Map<string, number>();
  #sent = 0;
  #lastArrived = 0;
  alive = true;

  constructor(run: Run, a: number, b: number) {
    this.#run = run;
    this.low = Math.min(a, b);
    this.high = Math.max(a, b);
  }

  other(person: number): number {
    return person === this.low ? this.high : this.low;
  }

  /** The stream on which `person` pulls. */
  pullOf(person: number): Stream {
    return person === this.low ? 'pull-low' : 'pull-high';
  }

  send(from: number, stream: Stream, frame: Uint8Array): void {
    if (!this.alive) return;
    const { timeline, weather } = this.#run;
    const to = this.other(from);
    const way = `${from} ${stream}`;
    const arriveMs = Math.max(timeline.nowMs + weather.delayMs(), (this.#lastMs.get(way) ?? 0) + 1);
    this.#lastMs.set(way, arriveMs);
    const breaks = weather.breaks();
    const serial = ++this.#sent;
    weather.counts.frames += 1;
    timeline.at(arriveMs, () => {
      if (!this.alive || breaks) weather.counts.framesLost += 1;
      if (!this.alive) return;
      if (breaks) {
        weather.counts.connectionsBroken += 1;
        this.#run.cut(this, true);
        return;
      }
      if (serial < this.#lastArrived) weather.counts.framesOvertaking += 1;
      else this.#lastArrived = serial;
      this.#run.program(to).receive(this, stream, frame);
    });
  }
}
