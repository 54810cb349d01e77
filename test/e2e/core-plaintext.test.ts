import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { introduce, RealCore, until } from '../support/real-core.ts';

/** A word that stands nowhere else in the world. */
const mark = (what: string) => `${what}${randomBytes(12).toString('hex')}`;

test('no file and no line of output holds a text, a nick or the passphrase', async t => {
  const marks = {
    nickOfAda: mark('Ada'),
    nickOfBen: mark('Ben'),
    nickGivenByAda: mark('Pal'),
    passphrase: mark('pass '),
    text: mark('text '),
    killed: mark('killed '),
    waiting: mark('waiting '),
    wrong: mark('wrong '),
  };
  const { passphrase } = marks;
  const ada = await RealCore.make(t, marks.nickOfAda, { passphrase });
  const ben = await RealCore.make(t, marks.nickOfBen, { passphrase });
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  await ada.call('contacts.rename', { who: marks.nickOfBen, nick: marks.nickGivenByAda });
  const who = marks.nickGivenByAda;
  const client = await ada.connect();
  // Enough rows for the store to merge some into blocks, and large ones beside the small.
  const sizes = Array.from({ length: 300 }, (_, i) => (i % 50 === 0 ? 400 : 1));
  await Promise.all(sizes.map(times => client.call('messages.send', { who, text: `${marks.text} `.repeat(times) })));
  await until('all are delivered', async () => (await ada.call('status.get', {})).queued === 0);

  await ben.kill();
  await client.call('messages.send', { who, text: marks.waiting });
  const underWay = client.call('messages.send', { who, text: marks.killed });
  underWay.catch(() => undefined);
  await ada.kill();
  await ada.start(['--headless', '--offline', '--listen', '/ip4/127.0.0.1/tcp/0']);
  await assert.rejects(ada.call('vault.unlock', { passphrase: marks.wrong }), { code: 'wrong-passphrase' });
  await until('the delay is over', async () => (await ada.call('status.get', {})).unlockAllowedAt <= Date.now());
  await ada.call('vault.unlock', { passphrase });
  await ben.start();
  await until('what waited is delivered', async () => (await ada.call('status.get', {})).queued === 0);
  await ada.call('vault.lock', {});
  assert.notEqual((await ada.molva('send', who, marks.text)).code, 0);
  await inspect('after a lock', [ada, ben], marks);
  await Promise.all([ada.end('SIGTERM'), ben.end('SIGTERM')]);
  await inspect('after the end', [ada, ben], marks);
});

async function inspect(
  when: string,
  cores: readonly RealCore[],
  marks: Readonly<Record<string, string>>,
): Promise<void> {
  for (const core of cores) {
    const files = readdirSync(core.directory, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile());
    assert.ok(files.some(file => file.name === 'molva.log') && files.some(file => file.name === 'vault.key'));
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      assert.deepEqual(found(readFileSync(path), marks), [], `${when}: ${path}`);
    }
    assert.deepEqual(found(Buffer.from(core.printed), marks), [], `${when}: standard output`);
  }
}

function found(bytes: Buffer, marks: Readonly<Record<string, string>>): string[] {
  return Object.entries(marks).flatMap(([name, word]) =>
    forms(word)
      .filter(([, form]) => bytes.includes(form))
      .map(([form]) => `${name} as ${form}`),
  );
}

/** The ways in which a word may stand in a file. */
function forms(word: string): [string, Buffer][] {
  const bytes = Buffer.from(word);
  const base64 = [0, 1, 2].flatMap(shift => {
    // The letters that depend on the word alone, wherever it begins in a group of three bytes.
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    const inner = encoded.slice(shift === 0 ? 0 : 4, -4);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  return [
    ['UTF-8', bytes],
    ['UTF-16LE', Buffer.from(word, 'utf16le')],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ...base64.map(text => ['base64', Buffer.from(text)] as [string, Buffer]),
  ];
}

test('the search finds a word in each form', () => {
  const word = mark('seen ');
  const base64 = Buffer.from(`xy${word}z`).toString('base64');
  const hidden = [word, Buffer.from(word, 'utf16le'), Buffer.from(word).toString('hex'), base64];
  for (const form of hidden)
    assert.equal(found(Buffer.concat([Buffer.from('..'), Buffer.from(form)]), { word }).length > 0, true);
  assert.deepEqual(found(Buffer.from(word.slice(1)), { word }), []);
});
