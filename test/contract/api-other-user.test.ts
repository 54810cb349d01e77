import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { serveApi } from './api-fixture.ts';

const NOBODY = 65534;
const skip =
  (process.platform !== 'linux' || process.getuid?.() !== 0) &&
  'only root on Linux can act as another user of the machine';

test('a one-use code that another user of the machine has seen is of no use to them', { skip }, async t => {
  const served = await serveApi(t);
  const link = new URL(served.api.issueLink());
  const code = new URLSearchParams(link.hash.slice(1)).get('code');
  const url = `${link.origin}/session`;
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code }) };
  const script = `fetch(${JSON.stringify(url)}, ${JSON.stringify(post)}).then(answer => console.log(answer.status))`;
  const other = await promisify(execFile)(process.execPath, ['-e', script], { uid: NOBODY, gid: NOBODY, cwd: '/' });
  assert.equal(other.stdout, '401\n');
  assert.equal((await fetch(url, post)).status, 200, 'it is still good for its owner');
});
