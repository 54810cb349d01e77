import { test } from 'node:test';
import { surviveKills } from '../support/kills.ts';

test('three cores killed while they send, place, hold, pull and acknowledge: nothing lost, nothing twice', async t => {
  await surviveKills(t, Number(process.env.MOLVA_KILLS ?? 12));
});
