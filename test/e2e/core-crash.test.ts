import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { LOG_FILE } from '../../core/base/log.io.ts';
import { RealCore } from '../support/real-core.ts';

const SAID = 'a text of somebody';

/** A core in which the given signal meets a fault that nobody catches. */
async function faultyCore(t: TestContext, fault: string): Promise<RealCore> {
  const core = await RealCore.make(t, 'Ada');
  const preload = join(dirname(core.passphraseFile), 'preload.mjs');
  writeFileSync(preload, `process.on('SIGUSR2', () => { ${fault} });`);
  const { NODE_OPTIONS } = process.env;
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(preload)}`;
  try {
    await core.start();
  } finally {
    if (NODE_OPTIONS === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = NODE_OPTIONS;
  }
  return core;
}

for (const [name, fault] of [
  ['an error that nobody caught', `throw new Error('${SAID}')`],
  ['a rejected promise that nobody awaited', `Promise.reject(new Error('${SAID}'))`],
] as const) {
  test(`${name} ends the core cleanly; the log says where, not what`, {
    skip: process.platform === 'win32' && 'there are no signals to cause a fault by',
  }, async t => {
    const core = await faultyCore(t, fault);
    const { code, stderr } = await core.end('SIGUSR2');
    assert.equal(code, 4);
    assert.equal(JSON.parse(stderr).error.code, 'internal');
    assert.ok(!existsSync(join(core.directory, 'core.json')));
    const log = readFileSync(join(core.directory, LOG_FILE), 'utf8');
    assert.match(log, /"event":"core\.crash".*preload\.mjs/);
    assert.ok(!log.includes(SAID) && !core.printed.includes(SAID));
    await core.start();
    assert.equal((await core.call('status.get', {})).state, 'unlocked');
  });
}
