import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Message, Status } from '../../core/commands/schema.ts';
import { introduce, RealCore, until } from '../support/real-core.ts';

const TALK_MS = 60_000;

async function textsOf(core: RealCore, who: string): Promise<string[]> {
  const { messages } = await core.call('messages.list', { who });
  return messages.map(({ text }) => text);
}

async function said(from: RealCore, who: string, text: string): Promise<void> {
  const { id } = await from.json<Message>('send', who, text);
  const delivered = async () => {
    const { messages } = await from.call('messages.list', { who });
    return messages.some(message => message.id === id && message.state === 'delivered');
  };
  await until(`${text}: delivered`, delivered, TALK_MS);
}

async function talkers(t: TestContext) {
  const ada = await RealCore.make(t, 'Ada');
  const ben = await RealCore.make(t, 'Ben');
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  await said(ada, 'Ben', 'before the backup');
  return { ada, ben };
}

/** As `cp -a` does it: times and modes are kept, and whatever lies at the place is written over. */
function copyFolder(from: string, to: string): void {
  cpSync(from, to, { recursive: true, preserveTimestamps: true, filter: source => !source.endsWith('core.json') });
}

for (const how of ['in an empty place', 'over the files that are there'] as const) {
  test(`a folder copied while the core runs is put back ${how}: found out, told, and both talk again`, async t => {
    const { ada, ben } = await talkers(t);
    const backup = `${ben.directory}-backup`;
    copyFolder(ben.directory, backup);
    assert.equal((await ben.json<Status>('status')).restoredAt, null);
    await said(ben, 'Ada', 'sealed after the backup');
    await said(ada, 'Ben', 'heard after the backup');
    await ben.end('SIGTERM');
    if (how === 'in an empty place') rmSync(ben.directory, { recursive: true });
    copyFolder(backup, ben.directory);
    await ben.start();
    await until('Ben is told', async () => (await ben.json<Status>('status')).restoredAt !== null, TALK_MS);
    await said(ben, 'Ada', 'here I am again');
    await said(ada, 'Ben', 'so you are');
    await until('it came again', async () => (await textsOf(ben, 'Ada')).includes('heard after the backup'), TALK_MS);
    for (const texts of [await textsOf(ada, 'Ben'), await textsOf(ben, 'Ada')]) {
      assert.equal(new Set(texts).size, texts.length, `${texts}`);
    }
    await ben.end('SIGTERM');
    await ben.start();
    assert.equal((await ben.json<Status>('status')).restoredAt, null, 'once');
    await said(ada, 'Ben', 'and again');
  });
}
