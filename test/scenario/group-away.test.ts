import { describe, it } from 'node:test';
import { catchesUpFrom } from '../support/group-away.ts';

// From the others, and with hundreds of texts: test/long/group-away.test.ts.
describe('one who was away for three days, while one was added, one removed, the group renamed and much said', () => {
  // Dan is no contact; Fay came herself while Eve was away, and is known to Eve from nowhere.
  for (const helper of ['Dan', 'Fay'] as const) {
    it(`has all of it from ${helper} alone`, () => catchesUpFrom(helper, 12));
  }
});
