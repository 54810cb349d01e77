import { test } from 'node:test';
import { surviveFlood } from '../support/survive-flood.ts';

test('3,000 envelopes from strangers: memory and quotas hold, and contacts go on talking', t => surviveFlood(t, 3_000));
