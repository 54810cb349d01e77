/** Keys of several sorted runs, in the one order of what `part` gives of each; no run is read further than is asked for. */
export function* inOrder(runs: readonly Iterable<Buffer>[], part: (key: Buffer) => Buffer): Generator<Buffer> {
  const open = runs.map(run => run[Symbol.iterator]());
  try {
    const heads = open.map(run => next(run, part));
    for (;;) {
      let first = -1;
      for (const [at, head] of heads.entries()) {
        const least = heads[first];
        if (head && (!least || Buffer.compare(head, least) < 0)) first = at;
      }
      const found = heads[first];
      const run = open[first];
      if (!found || !run) return;
      yield found;
      heads[first] = next(run, part);
    }
  } finally {
    for (const run of open) run.return?.();
  }
}

function next(run: Iterator<Buffer>, part: (key: Buffer) => Buffer): Buffer | undefined {
  const { done, value } = run.next();
  return done ? undefined : part(value);
}
