import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { COMMANDS, parseCommandLine, wantsJson } from '../../core/cli/arguments.ts';
import { CliFailure } from '../../core/cli/failure.ts';
import { helpText } from '../../core/cli/help.ts';
import { type PassphraseInput, readPassphrase } from '../../core/cli/passphrase.io.ts';
import { safe } from '../../core/cli/safe.ts';
import { messageLine, messagesText } from '../../core/cli/text.ts';
import { ERROR_MAP, EXIT, shownError } from '../../core/commands/error-map.ts';
import type { Message } from '../../core/commands/schema.ts';

const SEED = Date.now() % 2 ** 31;

test('options may stand anywhere, and after -- everything is a word', () => {
  const parsed = parseCommandLine(['--json', '--data-dir', 'D', 'send', 'bob', '--', '--hello']);
  assert.equal(parsed.command, 'send');
  assert.deepEqual(parsed.words, ['bob', '--hello']);
  assert.equal(parsed.options['data-dir'], 'D');
  assert.ok(wantsJson(['status', '--json']));
  assert.ok(!wantsJson(['send', 'bob', '--', '--json']));
});

test('--listen may be repeated; an option of another command is refused', () => {
  assert.deepEqual(parseCommandLine(['start', '--listen', '/a', '--listen', '/b']).options.listen, ['/a', '/b']);
  assert.throws(() => parseCommandLine(['status', '--listen', '/a']), { code: 'bad-request', exit: EXIT.usage });
  assert.throws(() => parseCommandLine(['toString']), { code: 'bad-request' });
});

test('any command line is read or refused as wrong usage', t => {
  t.diagnostic(`seed ${SEED}`);
  const word = fc.oneof(
    fc.constantFrom(...Object.keys(COMMANDS), '--json', '--data-dir', '--', '-', '--listen'),
    fc.string(),
  );
  const check = (argv: string[]) => {
    try {
      parseCommandLine(argv);
    } catch (error) {
      assert.ok(error instanceof CliFailure);
      assert.equal(error.exit, EXIT.usage);
    }
  };
  fc.assert(fc.property(fc.array(word, { maxLength: 6 }), check), { seed: SEED, numRuns: 5_000 });
});

test('the help names every command', () => {
  for (const name of Object.keys(COMMANDS)) assert.match(helpText(), new RegExp(`^ {2}${name} +\\S`, 'm'), name);
});

test('every error code has a row, and no two codes share a number', () => {
  const numbers = Object.values(ERROR_MAP).map(row => row.rpc);
  assert.equal(new Set(numbers).size, numbers.length);
  for (const { rpc, http } of Object.values(ERROR_MAP)) {
    assert.ok(rpc >= -32768 && rpc <= -32000);
    assert.ok(http >= 400 && http < 600);
  }
  assert.deepEqual(shownError(new TypeError('detail')).code, 'internal');
});

const message: Message = {
  id: 'm'.repeat(26),
  conversation: 'c'.repeat(26),
  from: 'b'.repeat(26),
  fromNick: 'Bob',
  outgoing: false,
  text: 'hi\n12:00  you: forged\u001b[31m',
  sentAt: new Date(2026, 0, 2, 3, 4).getTime(),
  place: '',
  state: 'received',
  heldBy: 0,
  until: null,
  late: false,
  notice: null,
  reach: null,
};

test('a text cannot pass for another message or steer the terminal', () => {
  const lines = messageLine(message).split('\n');
  assert.equal(lines[0], '03:04  Bob: hi');
  assert.match(lines[1] ?? '', /^ {7}12:00 {2}you: forged\ufffd\[31m$/);
  assert.equal(safe('a\u202eb\u2066c\u0085d\ne'), 'a\ufffdb\ufffdc\ufffdd\ufffde');
});

test('days stand above their messages once', () => {
  const next = { ...message, text: 'x', sentAt: message.sentAt + 86_400_000 };
  const out = messagesText([{ ...message, text: 'x' }, { ...message, text: 'y' }, next]);
  assert.deepEqual(out.match(/^\d{4}-\d\d-\d\d$/gm), ['2026-01-02', '2026-01-03']);
});

/** A terminal that types the given chunks as soon as somebody listens. */
function terminal(chunks: readonly string[]): PassphraseInput & { readonly modes: boolean[] } {
  const modes: boolean[] = [];
  let next = 0;
  return {
    isTTY: true,
    modes,
    setRawMode: raw => modes.push(raw),
    on: (_event, listener) => queueMicrotask(() => listener(Buffer.from(chunks[next++] ?? '\u0003'))),
    off: () => {},
    resume: () => {},
    pause: () => {},
    async *[Symbol.asyncIterator]() {},
  };
}

test('a typed passphrase is not echoed; a backspace takes a whole character', async () => {
  let shown = '';
  const write = (text: string) => {
    shown += text;
  };
  const input = terminal(['geh\u00e9\u007fe\u007feim\r']);
  assert.equal((await readPassphrase(undefined, { input, write })).toString(), 'geheim');
  assert.equal(shown, 'Passphrase: \n');
  assert.deepEqual(input.modes, [true, false], 'the terminal is put back');
});

test('a new passphrase is typed twice; two different ones, none, and Ctrl-C are refused', async () => {
  const write = () => {};
  const same = await readPassphrase(undefined, { input: terminal(['abc\r', 'abc\r']), write }, true);
  assert.equal(same.toString(), 'abc');
  for (const typed of [['abc\r', 'abd\r'], ['abc\r', '\u0003'], ['\u0003'], ['\r', '\r']]) {
    const input = terminal(typed);
    await assert.rejects(readPassphrase(undefined, { input, write }, true), { code: 'bad-request' });
    assert.equal(input.modes.at(-1), false);
  }
});
