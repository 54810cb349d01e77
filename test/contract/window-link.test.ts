import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UsageError } from '../../core/base/errors.ts';
import { parseLink } from '../../core/commands/link.ts';
import type { Machine } from '../../core/window/launchers.ts';
import { openLink } from '../../core/window/open-link.io.ts';

const SKIP = process.platform === 'win32' ? 'the stand-in is a POSIX script' : false;

let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'molva-link-'));
});
after(() => rmSync(directory, { recursive: true, force: true }));

/** A desktop whose browser writes down its arguments, one a line, and then stays, as some do. */
function desktop(env: Machine['env'] = { DISPLAY: ':0' }): Machine {
  const program = join(directory, 'xdg-open');
  writeFileSync(
    program,
    `#!/bin/sh\nprintf '%s\\n' "$#" "$@" > '${directory}/part'\nmv '${directory}/part' '${directory}/told'\n`,
  );
  chmodSync(program, 0o700);
  const find = (name: string) => (name === 'xdg-open' ? program : undefined);
  return { platform: 'linux', arch: 'x64', env, programDirectory: directory, find, join };
}

async function told(): Promise<string[]> {
  const path = join(directory, 'told');
  for await (const _ of changesOf(directory)) if (existsSync(path)) break;
  return readFileSync(path, 'utf8').trimEnd().split('\n');
}

async function* changesOf(folder: string) {
  const watcher = watch(folder);
  try {
    for (;;) {
      yield;
      await new Promise(resolve => watcher.once('change', resolve));
    }
  } finally {
    watcher.close();
  }
}

test('the browser gets the address as one argument, and no shell reads it', {
  skip: SKIP,
  timeout: 10_000,
}, async () => {
  const url = parseLink("https://example.org/?a=1&b=$(touch%20owned);`id`|x#'y");
  await openLink(url, desktop());
  assert.deepEqual(await told(), ['1', url]);
  assert.equal(existsSync(join(directory, 'owned')), false);
});

test('without a desktop or a browser it is refused, and says what to do', { skip: SKIP }, async () => {
  const nowhere = { ...desktop(), find: () => undefined };
  const broken = { ...desktop(), find: () => join(directory, 'missing') };
  for (const machine of [desktop({}), nowhere, broken]) {
    await assert.rejects(openLink('https://example.org/', machine), (error: unknown) => {
      assert.ok(error instanceof UsageError && error.code === 'refused');
      assert.match(error.message, /Copy the address/);
      return true;
    });
  }
});
