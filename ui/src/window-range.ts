/** Rows kept in the document at once, and rows added at an edge at a time. */
export const MAX_ROWS = 300;
export const CHUNK = 100;

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The rows to render after the list became `ids`; `first` and `last` are the ids rendered before. */
export function nextRange(ids: readonly string[], first: string, last: string, following: boolean): Range {
  const start = ids.indexOf(first);
  const end = ids.lastIndexOf(last) + 1;
  if (following || start < 0 || end === 0) {
    return { start: Math.max(start, 0, ids.length - (start < 0 ? CHUNK : MAX_ROWS)), end: ids.length };
  }
  return { start, end };
}

/** Shows more rows before or after, letting go of rows at the far side. */
export function grown(range: Range, length: number, side: 'before' | 'after'): Range {
  if (side === 'before') {
    const start = Math.max(0, range.start - CHUNK);
    return { start, end: Math.min(range.end, start + MAX_ROWS) };
  }
  const end = Math.min(length, range.end + CHUNK);
  return { start: Math.max(range.start, end - MAX_ROWS), end };
}
