import { describe, test } from 'node:test';
import { compileFailingIo } from '../support/failing-io.ts';
import { surviveFaults } from '../support/faults.ts';

const ROUNDS = 8;

describe(`${ROUNDS} rounds with every seventh call to the disk failing: said clearly, nothing lost, nothing twice`, () => {
  for (const fault of ['ENOSPC', 'EIO', 'EMFILE'] as const) {
    test(fault, async t => {
      const library = compileFailingIo(t);
      if (library) await surviveFaults(t, library, fault, ROUNDS);
    });
  }
});
