import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Contact, ContactRequest, Message, Status, Verification } from '../../core/commands/schema.ts';
import { type Ended, introduce, RealCore, until } from '../support/real-core.ts';

const lines = <T>({ stdout }: Ended): T[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line));

/** Exit code and error code of a command that fails; stdout must be empty then. */
function failure({ code, stdout, stderr }: Ended): [number | null, string] {
  assert.equal(stdout, '');
  return [code, JSON.parse(stderr).error.code];
}

describe('two people on the command line', () => {
  test('from nothing to a talk: init, start, invite, add, accept, send, messages, watch, status, stop', async t => {
    const [ada, ben] = await Promise.all([RealCore.make(t), RealCore.make(t)]);
    for (const [core, nick] of [
      [ada, 'Ada'],
      [ben, 'Ben'],
    ] as const) {
      const made = await core.json<{ nick: string }>('init', '--nick', nick, '--passphrase-file', core.passphraseFile);
      assert.equal(made.nick, nick);
    }
    assert.deepEqual(failure(await ada.molva('init', '--nick', 'Again', '--passphrase-file', ada.passphraseFile)), [
      4,
      'already-exists',
    ]);
    assert.deepEqual(failure(await ada.molva('status')), [3, 'no-core']);
    await Promise.all([ada.start(), ben.start()]);
    const watch = ada.follow('watch');
    await until('watch has begun', () => watch.values.length > 0);

    const { invite } = await ada.json<{ invite: string }>('invite');
    const asked = await ben.json<Contact>('add', invite);
    assert.equal(asked.phase, 'requested');
    const early = await ben.json<Message>('send', 'Ada', 'before you said yes');
    assert.equal(early.state, 'queued');
    await until('the request is there', async () => (await ada.call('requests.list', {})).length === 1);
    const [request] = lines<ContactRequest>(await ada.molva('requests'));
    assert.equal(request?.nick, 'Ben');
    assert.deepEqual(lines(await ada.molva('contacts')), [], 'nobody is a contact before a yes');
    await ada.json('accept', request?.id ?? '');
    await until('what waited has come', async () => (await listed(ada, 'Ben')).length === 1);

    const sent = await ada.json<Message>('send', 'Ben', 'welcome');
    assert.equal(sent.text, 'welcome');
    await until('it is delivered', async () => (await listed(ada, 'Ben')).at(-1)?.state === 'delivered');
    assert.deepEqual(
      (await messages(ben, 'Ada')).map(({ text, state }) => [text, state]),
      [
        ['before you said yes', 'delivered'],
        ['welcome', 'received'],
      ],
    );
    assert.deepEqual(
      (await messages(ben, 'Ada', '--limit', '1')).map(({ id }) => id),
      [sent.id],
    );

    const names = (watch.values as { event: string }[]).map(({ event }) => event);
    for (const name of ['core-state', 'contact-request', 'message-received', 'message-sent', 'message-state']) {
      assert.ok(names.includes(name), `${name} among ${names}`);
    }
    assert.equal((await watch.end('SIGINT')).code, 0);
    const status = await ada.json<Status>('status');
    assert.deepEqual(
      [status.state, status.queued, status.network.peers, status.network.offlineMode],
      ['unlocked', 0, 1, true],
    );

    assert.deepEqual(await ada.json('stop'), { done: true });
    const { code, stdout } = await ada.ended();
    assert.equal(code, 0);
    assert.equal(lines({ stdout } as Ended).length, 1, 'the ready line and nothing else');
    const stopping = performance.now();
    assert.equal((await ben.end('SIGTERM')).code, 0);
    assert.ok(performance.now() - stopping < 5000);
  });

  test('sent while the other is away: queued, and delivered when it is back', async t => {
    const [ada, ben] = await twoFriends(t);
    assert.equal((await ben.end('SIGTERM')).code, 0);
    for (const text of ['one', 'two', 'three']) {
      assert.equal((await ada.json<Message>('send', 'Ben', text)).state, 'queued');
    }
    assert.equal((await ada.json<Status>('status')).queued, 3);
    // Away as well, so that it is the disk that remembers.
    await ada.end('SIGTERM');
    await Promise.all([ada.start(), ben.start()]);
    await until('all are delivered', async () => (await ada.call('status.get', {})).queued === 0);
    assert.deepEqual(
      (await messages(ben, 'Ada')).map(({ text }) => text),
      ['one', 'two', 'three'],
    );
    assert.ok((await messages(ada, 'Ben')).every(({ state }) => state === 'delivered'));
  });

  test('exit codes: usage 2, no core 3, refused 4, not found 5', async t => {
    const [ada] = await twoFriends(t);
    const nobody = await RealCore.make(t);
    for (const [words, code, error] of [
      [['send', 'Ben'], 2, 'bad-request'],
      [['messages', 'Ben', '--limit', '0'], 2, 'bad-request'],
      [['add', 'molva:1/nonsense'], 2, 'bad-bytes'],
      [['accept', 'nobody'], 5, 'not-found'],
      [['send', 'Zoe', 'hello'], 5, 'not-found'],
      [['verify', 'Ben', 'ABCDEFGH2345'], 4, 'refused'],
    ] as const) {
      assert.deepEqual(failure(await ada.molva(...words)), [code, error], words.join(' '));
    }
    assert.deepEqual(failure(await nobody.molva('send', 'Ben', 'hello')), [3, 'no-core']);
    const own = await ada.json<{ invite: string }>('invite');
    assert.deepEqual(failure(await ada.molva('add', own.invite)), [4, 'refused']);
    await ada.json('lock');
    assert.deepEqual(failure(await ada.molva('send', 'Ben', 'hello')), [4, 'locked']);
    await ada.json('unlock', '--passphrase-file', ada.passphraseFile);
    await ada.json('send', 'Ben', 'hello');
  });
});

describe('the one-time code', () => {
  test('shown by one, typed by the other: a match verifies, three wrong tries burn it', async t => {
    const [ada, ben] = await twoFriends(t);
    const numbers = await Promise.all([contact(ada), contact(ben)]);
    assert.equal(numbers[0].safetyNumber, numbers[1].safetyNumber);
    const first = await ada.json<Verification>('verify', 'Ben');
    assert.match(first.code ?? '', /^[A-Z2-7]{12}$/);
    const wrong = first.code?.startsWith('A') ? `B${first.code.slice(1)}` : `A${first.code?.slice(1)}`;
    await until('the code is known to the other side', () => isReady(ben));
    for (const expected of ['code-mismatch', 'code-mismatch', 'code-burnt']) {
      assert.deepEqual(failure(await ben.molva('verify', 'Ada', wrong)), [4, expected]);
    }
    assert.equal((await ben.molva('verify', 'Ada', first.code ?? '')).code, 4, 'the right code is of no use now');
    assert.equal((await contact(ben)).trust, 'unverified');

    const second = await ada.json<Verification>('verify', 'Ben');
    assert.notEqual(second.code, first.code);
    await until('the new code is known to the other side', () => isReady(ben));
    const { code = '' } = second as { code: string };
    const typed = await ben.json<Verification>(
      'verify',
      'Ada',
      code.slice(0, 4),
      code.slice(4, 8),
      code.slice(8).toLowerCase(),
    );
    assert.equal(typed.phase, 'verified');
    assert.equal((await contact(ben)).trust, 'verified');
    assert.equal((await contact(ada)).trust, 'unverified', 'this side has only a claim of the other');
    await until('the match is reported', async () => (await phase(ada)) === 'matched');
    await ada.json('verify', 'Ben', '--confirm');
    assert.equal((await contact(ada)).trust, 'verified');
    // A restart forgets none of it.
    await ada.kill();
    await ada.start();
    assert.equal((await contact(ada)).trust, 'verified');
  });
});

async function twoFriends(t: Parameters<typeof RealCore.make>[0]): Promise<[RealCore, RealCore]> {
  const [ada, ben] = await Promise.all([RealCore.make(t, 'Ada'), RealCore.make(t, 'Ben')]);
  await Promise.all([ada.start(), ben.start()]);
  await introduce(ada, ben);
  return [ada, ben];
}

async function messages(core: RealCore, who: string, ...words: string[]): Promise<Message[]> {
  return lines(await core.molva('messages', who, ...words));
}

async function listed(core: RealCore, who: string): Promise<Message[]> {
  return (await core.call('messages.list', { who })).messages;
}

async function contact(core: RealCore): Promise<Contact> {
  const [only] = await core.call('contacts.list', {});
  assert.ok(only);
  return only;
}

async function phase(core: RealCore): Promise<Verification['phase'] | undefined> {
  const { id } = await contact(core);
  return (await core.call('verification.get', { who: id }))?.phase;
}

const isReady = async (core: RealCore) => (await phase(core)) === 'ready';
