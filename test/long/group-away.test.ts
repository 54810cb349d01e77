import { describe, it } from 'node:test';
import { catchesUpFrom } from '../support/group-away.ts';

describe('one who was away for three days, while one was added, one removed, the group renamed and much said', () => {
  for (const [helper, texts] of [
    ['Ada', 12],
    ['Cleo', 12],
    ['Dan', 300],
  ] as const) {
    it(`has all of it from ${helper} alone: ${texts} texts`, () => catchesUpFrom(helper, texts));
  }
});
