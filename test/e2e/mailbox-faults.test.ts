import { describe, test } from 'node:test';
import { compileFailingIo } from '../support/failing-io.ts';
import { surviveFaults } from '../support/faults.ts';

const STORY = 'three cores whose every seventh call to the disk fails: said clearly, nothing lost, nothing twice';

// Mostly they wait for each other.
describe(STORY, { concurrency: true }, () => {
  for (const fault of ['ENOSPC', 'EIO', 'EMFILE'] as const) {
    test(fault, async t => {
      const library = compileFailingIo(t);
      if (library) await surviveFaults(t, library, fault, 1);
    });
  }
});
