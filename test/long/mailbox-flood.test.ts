import { test } from 'node:test';
import { surviveFlood } from '../support/survive-flood.ts';

test('100,000 envelopes from strangers: memory and quotas hold, and contacts go on talking', async t => {
  await surviveFlood(t, Number(process.env.MOLVA_ENVELOPES ?? 100_000));
});
