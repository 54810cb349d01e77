import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Message } from '../../core/commands/schema.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** Three real cores that know each other; how long the recipient may take to have what a custodian holds. */
const DELIVERED_MS = 5_000;

async function last(core: RealCore, who: string): Promise<Message | undefined> {
  const { stdout } = await core.molva('messages', who, '--limit', '1');
  return stdout === '' ? undefined : (JSON.parse(stdout) as Message);
}

test('Ada writes to Ben, who is off, and goes off; Ben has it from Cleo; Ada learns of it from Cleo', async t => {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  const cleo = await RealCore.make(t, 'Cleo');
  await Promise.all([ada.start(), ben.start(), cleo.start()]);
  await introduce(ada, ben);
  await introduce(ada, cleo);
  await introduce(ben, cleo);
  await ben.end('SIGTERM');

  const sent = await ada.json<Message>('send', 'Ben', 'see you on Friday');
  await until('Cleo holds it', async () => (await last(ada, 'Ben'))?.state === 'held');
  const held = await last(ada, 'Ben');
  assert.equal(held?.heldBy, 1);
  assert.ok((held?.until ?? 0) > Date.now() + 6 * 24 * 3_600_000);
  await ada.end('SIGTERM');

  await ben.start();
  const api = await ben.connect();
  const heard = async () => {
    const { messages } = await api.call('messages.list', { who: 'Ada' });
    return messages.some(message => message.id === sent.id);
  };
  await until('Ben has it', heard, DELIVERED_MS);
  const holding = async () => (await cleo.call('custody.get', {})).envelopes;
  await until("Cleo holds Ben's receipt and nothing else", async () => (await holding()) === 1, 30_000);
  api.close();
  await ben.end('SIGTERM');

  await ada.start();
  await until('Ada learns of it', async () => (await last(ada, 'Ben'))?.state === 'delivered', DELIVERED_MS * 2);
  assert.equal((await last(ada, 'Ben'))?.id, sent.id);
});
