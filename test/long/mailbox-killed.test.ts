import { test } from 'node:test';
import { surviveKills } from '../support/kills.ts';

test('300 SIGKILLs at random moments across three cores: nothing lost, nothing twice', async t => {
  await surviveKills(t, Number(process.env.MOLVA_KILLS ?? 300));
});
