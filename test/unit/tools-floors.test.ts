import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { lintTree } from '../../tools/lint-floors.mjs';

/** Lints a tree made of these files; every file named in an import must be among them. */
function lint(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'molva-floors-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return lintTree(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

const BASE = { 'core/base/ids.ts': '', 'core/base/world.io.ts': '', 'core/commands/schema.ts': '' };

describe('lint of floors', () => {
  it('lets imports point down and stay in their folder', () => {
    assert.deepEqual(
      lint({
        ...BASE,
        'core/wire/a.ts': "import '../base/ids.ts';",
        'core/state/a.ts': "import { x } from '../wire/a.ts';\nimport { y } from './b.ts';",
        'core/state/b.ts': "import {\n  type Z,\n  z,\n} from '../base/ids.ts';",
        'core/main.io.ts': "import './state/a.ts';\nimport { readFileSync } from 'node:fs';",
        'ui/page.ts': "import type { S } from '../core/commands/schema.ts';\nimport { html } from 'lit';",
      }),
      [],
    );
  });

  const wrong: [string, string, string, RegExp][] = [
    ['upward', 'core/base/a.ts', "import '../commands/schema.ts';", /a\.ts:1 imports upward/],
    ['upward by re-export', 'core/base/a.ts', "\nexport { x } from '../commands/schema.ts';", /a\.ts:2 imports upward/],
    ['upward by a type', 'core/base/a.ts', "import type { X } from '../commands/schema.ts';", /imports upward/],
    ['upward by await import', 'core/base/a.io.ts', "await import('../commands/schema.ts');", /imports upward/],
    [
      'upward over several lines',
      'core/wire/a.ts',
      "import {\n  x,\n} from '../commands/schema.ts';",
      /a\.ts:1 imports upward/,
    ],
    ['sideways', 'core/cli/a.ts', "import '../api/b.ts';", /imports upward or sideways/],
    ['outside core', 'core/base/a.ts', "import '../../ui/page.ts';", /outside core/],
    ['what is not there', 'core/base/a.ts', "import './gone.ts';", /not there/],
    ['an .io.ts in a pure file', 'core/base/a.ts', "import { r } from './world.io.ts';", /imports \.\/world\.io\.ts/],
    ['the disk in a pure file', 'core/base/a.ts', "import { readFileSync } from 'node:fs';", /imports node:fs/],
    ['a socket in a pure file', 'core/base/a.ts', "import net from 'node:net';", /imports node:net/],
    ['libp2p elsewhere', 'core/state/a.io.ts', "import { x } from '@libp2p/tcp';", /belongs to network/],
    ['gossipsub elsewhere', 'core/state/a.io.ts', "import { x } from '@libp2p/gossipsub';", /belongs to network/],
    [
      'gossipsub in a pure file',
      'core/network/a.ts',
      "import { x } from '@libp2p/gossipsub';",
      /imports @libp2p\/gossip/,
    ],
    ['on no floor', 'core/other/a.ts', 'export const a = 1;', /stands on no floor/],
    ['values in the page', 'ui/a.ts', "import { S } from '../core/commands/schema.ts';", /only types/],
    ['the core in the page', 'ui/a.ts', "import type { I } from '../core/base/ids.ts';", /page imports core\/base/],
    ['a long file', 'core/base/a.ts', 'export {};\n'.repeat(401), /has 401 lines/],
    ['a long test', 'test/unit/a.test.ts', 'export {};\n'.repeat(401), /has 401 lines/],
  ];
  for (const [what, name, text, expected] of wrong) {
    it(`finds: ${what}`, () => {
      const found = lint({ ...BASE, 'core/api/b.ts': '', 'ui/page.ts': '', [name]: text });
      assert.equal(found.length, 1, found.join('\n'));
      assert.match(found[0] as string, expected);
    });
  }

  for (const code of [
    'Date.now()',
    'new Date()',
    'performance.now()',
    'setTimeout(f, 1)',
    'setImmediate(f)',
    'queueMicrotask(f)',
    'AbortSignal.timeout(5)',
    'Math.random()',
    'randomBytes(8)',
    'crypto.randomUUID()',
    'sodium.randombytes_buf(b)',
    'sodium.crypto_sign_keypair(p, s)',
    'console.log(1)',
    'process.env.HOME',
    'fetch(address)',
  ]) {
    it(`finds in a pure file, and not in an .io.ts: ${code}`, () => {
      assert.equal(lint({ 'core/base/a.ts': `export const a = () => ${code};` }).length, 1);
      assert.deepEqual(lint({ 'core/base/a.io.ts': `export const a = () => ${code};` }), []);
    });
  }

  it('does not take comments and texts for code', () => {
    const text = [
      '// Date.now() is passed in; see "node:fs"',
      '/* setTimeout(f)',
      "   import x from 'node:fs'; */",
      "export const note = 'console.log';",
      'export const at = new Date(5);',
      "export const seed = sodium.crypto_sign_seed_keypair('//');",
      '/** Math.random() */ export const platform = process.platform;',
    ];
    assert.deepEqual(lint({ 'core/base/a.ts': text.join('\n') }), []);
  });
});
