import type { BundleReport } from '../../core/commands/schema.ts';
import { text } from './text.ts';

const OUTCOMES = ['taken', 'kept', 'seenBefore', 'notOurs', 'refused'] as const;

/** What became of a bundle: a sentence about the file, and a line for each outcome that occurred. */
export function reportWords(report: BundleReport): { readonly file: string; readonly lines: readonly string[] } {
  const { bundle } = text;
  if (report.read === 0 && report.file === 'damaged') return { file: bundle.notBundle, lines: [] };
  if (report.file === 'closed') return { file: bundle.file.closed, lines: [] };
  const lines = OUTCOMES.filter(outcome => report[outcome] > 0).map(outcome => bundle.result[outcome](report[outcome]));
  return { file: bundle.file[report.file], lines: lines.length > 0 ? lines : [bundle.nothing] };
}
