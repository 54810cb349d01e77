import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type Hardening, loadNative } from '../../core/base/native.io.ts';

const LOADER = join(import.meta.dirname, '..', '..', 'core', 'base', 'native.io.ts');
const native = loadNative();
const noAddon = native.loaded ? false : `${native.reason}`;
if (noAddon && process.env.CI === 'true') throw new Error(noAddon);
const noLinux = noAddon || (process.platform === 'linux' ? false : 'reads /proc');
const noSetpriv = noLinux || (spawnSync('setpriv', ['--version']).status === 0 ? false : 'setpriv is missing');

/** Root owns its files in /proc either way, so a test of root's runs the child as nobody. */
const otherUser = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--clear-groups'] : [];
const [reader = 'test', ...readerArgs] = [...otherUser, 'test', '-r', LOADER];
const noOtherUser = spawnSync(reader, readerArgs).status === 0 ? false : 'this folder is not readable to another user';

interface Report {
  hardening: Hardening;
  limits: string;
  status: string;
  ended: string;
}

/** Hardens a child process, lets it work, and returns what the system says of it. */
function hardenChild(prefix: string[] = []): Report {
  const script = `
    import { readFileSync } from 'node:fs';
    import { loadNative } from ${JSON.stringify(LOADER)};
    const native = loadNative();
    const hardening = native.harden();
    native.harden();
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const status = readFileSync('/proc/self/status', 'utf8');
    // Makes the engine take pages and give them back.
    for (let round = 0; round < 5; round++) {
      Array.from({ length: 200_000 }, (_, index) => ({ index, text: 'x' + index }));
      gc();
    }
    console.log(JSON.stringify({ hardening, limits, status, ended: 'well' }));
  `;
  const [program = '', ...args] = [...prefix, process.execPath, '--expose-gc', '--input-type=module', '--eval', script];
  const result = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout);
}

describe('native addon', () => {
  it('turns core dumps off and locks the stack, and the engine lives on', { skip: noLinux }, () => {
    const { hardening, limits, status, ended } = hardenChild();
    assert.deepEqual(hardening, { coreDumps: 'off', memory: 'locked', missing: [] });
    assert.match(limits, /Max core file size\s+0\s+0\s/);
    const lockedKib = Number(/VmLck:\s+(\d+) kB/.exec(status)?.[1]);
    assert.ok(lockedKib >= 256, `${lockedKib} KiB locked`);
    assert.equal(ended, 'well');
  });

  it('is not dumpable: its files in /proc belong to root', { skip: noLinux || noOtherUser }, () => {
    const script = `
      import { statSync } from 'node:fs';
      import { loadNative } from ${JSON.stringify(LOADER)};
      const before = statSync('/proc/self/environ').uid;
      loadNative().harden();
      console.log(before, statSync('/proc/self/environ').uid);
    `;
    const command = [...otherUser, process.execPath, '--input-type=module', '--eval', script];
    const result = spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stdout, /^[1-9]\d* 0\n$/);
  });

  it('says so when the system lets it lock too little', { skip: noSetpriv }, () => {
    const asNobody = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock'] : [];
    const { hardening } = hardenChild([...asNobody, 'prlimit', '--memlock=65536:65536']);
    assert.equal(hardening.memory, 'unlocked');
    assert.equal(hardening.coreDumps, 'off');
    assert.match(hardening.missing.join(), /ulimit -l/);
  });

  it('refuses arguments', { skip: noAddon }, () => {
    const addon = createRequire(import.meta.url)(
      join(import.meta.dirname, '..', '..', 'build', 'Release', 'molva.node'),
    );
    assert.throws(() => addon.disableCoreDumps(1), TypeError);
    assert.throws(() => addon.lockMemory({}), TypeError);
  });

  it('says what is missing when it was not built, or is not one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'molva-native-'));
    try {
      const file = join(folder, 'molva.node');
      const absent = loadNative([file]);
      assert.ok(!absent.loaded && absent.reason.includes('npm run setup'));
      writeFileSync(file, 'not an addon');
      const broken = loadNative([file]);
      assert.ok(!broken.loaded && broken.reason.includes('does not fit'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
