import { hex } from '../core/base/bytes.ts';
import { DAY_MS } from '../core/base/clock.ts';
import { newPuller, type PullerInput, type PullerState, stepPuller } from '../core/mailbox/sync.ts';
import { type HolderInput, type HolderState, newHolder, stepHolder } from '../core/mailbox/sync-holder.ts';
import { decodeSync, encodeSync } from '../core/wire/sync.ts';
import type { Link, Stream } from './link.ts';
import type { Program } from './program.ts';

/** Both roles of /molva/sync/1 of one program, a pair of machines a connection. */
export class PullSide {
  readonly #program: Program;
  readonly #pullers = new Map<Link, PullerState>();
  readonly #holders = new Map<Link, HolderState>();

  constructor(program: Program) {
    this.#program = program;
  }

  begin(link: Link): void {
    const { run, person } = this.#program;
    const today = Math.floor(run.nowMs / DAY_MS);
    const tags = Array.from({ length: 9 }, (_, back) => run.tagOf(person, today + 1 - back));
    this.#pullers.set(link, newPuller());
    this.#pull(link, { kind: 'begin', tags });
  }

  lost(link: Link): void {
    this.#pullers.delete(link);
    this.#holders.delete(link);
  }

  receive(link: Link, stream: Stream, bytes: Uint8Array): void {
    const frame = decodeSync(bytes);
    if (stream === link.pullOf(this.#program.person)) this.#pull(link, { kind: 'frame', frame });
    else this.#hold(link, { kind: 'frame', frame });
  }

  /** Something under this tag has just been taken in. */
  news(tag: string): void {
    const owner = this.#program.run.ownerOf(tag);
    const link = owner === undefined ? undefined : this.#program.links.get(owner);
    if (link && this.#holders.has(link)) this.#hold(link, { kind: 'news' });
  }

  #pull(link: Link, input: PullerInput): void {
    const before = this.#pullers.get(link);
    if (!before) return;
    const { state, outputs } = stepPuller(before, input);
    this.#pullers.set(link, state);
    const { run, person, seen } = this.#program;
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          link.send(person, link.pullOf(person), encodeSync(output.frame));
          break;
        case 'choose':
          this.#pull(link, { kind: 'chosen', missing: output.ids.map(id => !seen.has(hex(id))) });
          break;
        case 'take':
          this.#program.take(hex(output.envelopeId));
          this.#pull(link, { kind: 'settled', envelopeId: output.envelopeId, verdict: 'stored' });
          break;
        case 'fail':
          run.checks.broken('puller');
          run.cut(link, true);
          break;
        default:
      }
    }
  }

  #hold(link: Link, input: HolderInput): void {
    const { run, person, custody } = this.#program;
    const { state, outputs } = stepHolder(this.#holders.get(link) ?? newHolder(), input);
    this.#holders.set(link, state);
    const other = link.other(person);
    for (const output of outputs) {
      switch (output.kind) {
        case 'send':
          link.send(person, link.pullOf(other), encodeSync(output.frame));
          break;
        case 'read':
          this.#hold(link, this.#page(other, output.tags, output.after, output.limit));
          break;
        case 'load': {
          const envelopeOf = (name: string): Uint8Array | null =>
            custody.rows.has(name) ? run.registered(name).envelope : null;
          const items = output.ids.map(id => ({ envelopeId: id, envelope: envelopeOf(hex(id)) }));
          this.#hold(link, { kind: 'loaded', items });
          break;
        }
        case 'remove':
          for (const id of output.ids) custody.rows.delete(hex(id));
          break;
        case 'fail':
          run.checks.broken('holder');
          run.cut(link, true);
          break;
        default:
      }
    }
  }

  #page(other: number, tags: readonly Uint8Array[], after: number, limit: number): HolderInput {
    const asked = new Set(tags.map(hex));
    const rows = [...this.#program.custody.rows.values()].filter(row => asked.has(row.tag) && row.seq > after);
    const page = rows.slice(0, limit);
    const entries = page.map(row => ({ envelopeId: row.envelopeId, ofPuller: row.box === `person ${other}` }));
    return { kind: 'page', entries, next: rows.length > limit ? (page.at(-1)?.seq ?? null) : null };
  }
}
