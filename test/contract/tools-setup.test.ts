import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT, type TemporaryRoot, temporaryRoot } from '../support/temporary-root.ts';

function setUp(root: TemporaryRoot, env: NodeJS.ProcessEnv = process.env) {
  const { npm_lifecycle_event: _, ...rest } = env;
  const started = performance.now();
  const result = spawnSync(process.execPath, [join(root.path, 'tools', 'setup.mjs')], { encoding: 'utf8', env: rest });
  assert.equal(result.stdout, '', 'stdout belongs to the command that follows');
  return { status: result.status, said: result.stderr, tookMs: performance.now() - started };
}

/** Runs `use` in a temporary root and removes it. */
function withRoot(files: Record<string, string>, use: (root: TemporaryRoot) => void): void {
  const root = temporaryRoot(files);
  try {
    use(root);
  } finally {
    root.remove();
  }
}

describe('set-up', () => {
  it('does nothing and says nothing when there is nothing to do', () => {
    withRoot({}, root => {
      assert.deepEqual({ ...setUp(root), tookMs: 0 }, { status: 0, said: '', tookMs: 0 });
      const again = [1, 2, 3].map(() => setUp(root).tookMs);
      assert.ok(Math.min(...again) < 300, `${again}`);
    });
  });

  it('bundles the core when it changed, and only then', () => {
    withRoot({ 'core/main.io.ts': "process.stdout.write('first');" }, root => {
      const run = () => spawnSync(process.execPath, [join(root.path, 'dist', 'core.mjs')], { encoding: 'utf8' }).stdout;
      assert.match(setUp(root).said, /bundling/);
      assert.equal(run(), 'first');
      assert.equal(setUp(root).said, '');
      root.write('core/main.io.ts', "process.stdout.write('second');");
      assert.match(setUp(root).said, /bundling/);
      assert.equal(run(), 'second');
    });
  });

  it('goes on without a compiler, says so once, and says what to do', { skip: process.platform === 'win32' }, () => {
    const native = { 'native/module.cc': 'int main', 'binding.gyp': readFileSync(join(ROOT, 'binding.gyp'), 'utf8') };
    withRoot(native, root => {
      const tools = join(root.path, 'only-node');
      mkdirSync(tools);
      symlinkSync(process.execPath, join(tools, 'node'));
      const first = setUp(root, { PATH: tools, HOME: root.path });
      assert.equal(first.status, 0);
      assert.match(first.said, /not built/);
      assert.match(first.said, /npm run setup/);
      assert.ok(!existsSync(join(root.path, 'build', 'Release', 'molva.node')));
      assert.deepEqual(setUp(root, { PATH: tools, HOME: root.path }).said, '');
    });
  });

  it('takes over the lock of a set-up that was killed', () => {
    withRoot({ '.molva-setup.lock': '999999999' }, root => {
      assert.equal(setUp(root).status, 0);
      assert.ok(!existsSync(join(root.path, '.molva-setup.lock')));
    });
  });
});
