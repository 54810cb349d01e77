import type { EnvelopeId } from '../base/ids.ts';
import { envelopeIdOf } from '../wire/envelope.ts';
import { type HeldEntry, type HolderInput, type HolderStep, newHolder, stepHolder } from './sync-holder.ts';

/** Where the envelopes for some tags lie: custody, or an outbox. */
export interface EnvelopeSource {
  page(
    tags: readonly Uint8Array[],
    after: number,
    limit: number,
  ): { entries: readonly HeldEntry[]; next: number | null };
  envelope(id: EnvelopeId): Uint8Array | null;
}

/**
 * Everything the holder of sync-holder.ts would send for `tags`, in order of age, to someone who cannot answer: the way
 * into a file. Each envelope is settled as not taken, so nothing is removed from the source.
 */
export function* drain(tags: readonly Uint8Array[], source: EnvelopeSource): Iterable<Uint8Array> {
  let step: HolderStep = stepHolder(newHolder(), { kind: 'frame', frame: { kind: 'ask', tags } });
  const inputs: HolderInput[] = [];
  for (;;) {
    for (const output of step.outputs) {
      if (output.kind === 'read') {
        inputs.push({ kind: 'page', ...source.page(output.tags, output.after, output.limit) });
      } else if (output.kind === 'load') {
        const items = output.ids.map(envelopeId => ({ envelopeId, envelope: source.envelope(envelopeId) }));
        inputs.push({ kind: 'loaded', items });
      } else if (output.kind === 'send' && output.frame.kind === 'have' && output.frame.ids.length > 0) {
        inputs.push({ kind: 'frame', frame: { kind: 'want', wanted: output.frame.ids.map(() => true) } });
      } else if (output.kind === 'send' && output.frame.kind === 'envelope') {
        yield output.frame.envelope;
        inputs.push({ kind: 'frame', frame: { kind: 'refused', ids: [envelopeIdOf(output.frame.envelope)] } });
      }
    }
    const input = inputs.shift();
    if (!input) return;
    step = stepHolder(step.state, input);
  }
}
