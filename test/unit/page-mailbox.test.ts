import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ApiEvent, BundleReport, Message } from '../../core/commands/schema.ts';
import { reportWords } from '../../ui/src/bundle-words.ts';
import { size } from '../../ui/src/format.ts';
import { type Link, Model } from '../../ui/src/model.ts';
import { decodeRefusal } from '../../ui/src/rpc.ts';
import { applyEvent, EMPTY, type State, withLink } from '../../ui/src/state.ts';
import { emptyThread, firstAfterGap } from '../../ui/src/thread.ts';
import { FakeProfile } from '../support/fake-profile.ts';

const profile = new FakeProfile();
const mira = profile.addContact('Mira');
const lena = profile.addContact('Lena');
const opened: State = {
  ...EMPTY,
  conversations: [mira, lena].map(contact => ({
    id: contact.conversation,
    contact,
    group: null,
    lastMessage: null,
    unread: 0,
  })),
  thread: { ...emptyThread(mira.conversation), loading: 'no' },
};

describe('page: who holds a message', () => {
  const message = profile.addMessage(mira, 'hi', { outgoing: true });
  const told = (state: Message['state'], heldBy = 0, until: number | null = null): ApiEvent => {
    const { id, conversation } = message;
    return { event: 'message-state', id, conversation, state, heldBy, until, reach: null, at: 0 };
  };

  test('the last word of the core counts while it waits, and none of it once it is delivered', () => {
    const holder = fc.record({ heldBy: fc.nat(3), until: fc.nat() }).map(({ heldBy, until }) => {
      return heldBy > 0 ? told('held', heldBy, until) : told('queued');
    });
    fc.assert(
      fc.property(fc.array(holder, { minLength: 1 }), fc.array(holder), (before, after) => {
        const sent = applyEvent(opened, { event: 'message-sent', message });
        const waiting = before.reduce(applyEvent, sent);
        const last = before.at(-1) as ReturnType<typeof told> & { event: 'message-state' };
        const shown = waiting.thread?.messages[0];
        assert.deepEqual([shown?.state, shown?.heldBy, shown?.until], [last.state, last.heldBy, last.until]);
        const delivered = after.reduce(applyEvent, applyEvent(waiting, told('delivered')));
        const end = delivered.thread?.messages[0];
        assert.deepEqual([end?.state, end?.heldBy, end?.until], ['delivered', 0, null]);
      }),
    );
  });
});

describe('page: where something is missing', () => {
  const messages = ['a', 'b', 'c'].map(text => profile.addMessage(lena, text));
  const [a, b, c] = messages.map(({ id }) => id);
  const thread = { ...emptyThread(lena.conversation), messages, missing: 1 };

  test('the line stands before the first message behind the gap, and only where the place is known', () => {
    assert.equal(firstAfterGap({ ...thread, completeUpTo: a ?? null }), b);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: b ?? null }), c);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: null }), a);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: null, more: true }), null);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: 'further back' }), null);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: a ?? null, missing: 0 }), null);
    assert.equal(firstAfterGap({ ...thread, completeUpTo: c ?? null }), null);
  });

  test('many messages at once: the core is asked at most twice, and its last answer is shown', async () => {
    let asked = 0;
    const answers: (() => void)[] = [];
    const link: Link = {
      onState: () => {},
      onEvent: () => {},
      start: async () => {},
      retryNow: () => {},
      call: (async (method: string) => {
        assert.equal(method, 'messages.list');
        asked += 1;
        const missing = 3 - asked;
        if (asked > 1) await new Promise<void>(resolve => answers.push(resolve));
        return { messages: [], more: false, completeUpTo: null, missing };
      }) as Link['call'],
      post: async () => new Response(),
    };
    const model = new Model(link);
    await model.select(lena.conversation);
    assert.equal(model.state.thread?.missing, 2);
    for (const message of messages) link.onEvent({ event: 'message-received', message });
    assert.equal(asked, 2);
    answers[0]?.();
    await answered(() => asked === 3);
    answers[1]?.();
    await answered(() => model.state.thread?.missing === 0);
    assert.equal(asked, 3, 'once to open, once for the first, once for all that came meanwhile');
    link.onEvent({ event: 'message-received', message: profile.addMessage(mira, 'elsewhere') });
    assert.equal(asked, 3, 'another conversation is not asked about');
  });
});

/** Lets what is promised settle until `condition` holds. */
async function answered(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100 && !condition(); turn++) await Promise.resolve();
  assert.ok(condition());
}

describe('page: syncs under way', () => {
  const begin = (contact: string, direction: 'in' | 'out', queued: number): ApiEvent => {
    return { event: 'offline-sync-started', contact, direction, queued };
  };
  const started = [begin(mira.id, 'in', 4), begin(mira.id, 'out', 2), begin(lena.id, 'in', 7)].reduce(
    applyEvent,
    opened,
  );
  const left = (state: State) => state.syncs.map(({ contact, direction, queued }) => [contact, direction, queued]);

  test('each ends by its own end, or with the connection, or with the core', () => {
    const end: ApiEvent = { event: 'offline-sync-finished', contact: mira.id, direction: 'in', sent: 0, received: 4 };
    assert.deepEqual(left(applyEvent(started, end)), [
      [mira.id, 'out', 2],
      [lena.id, 'in', 7],
    ]);
    assert.deepEqual(left(applyEvent(started, { event: 'peer-disconnected', contact: mira.id })), [[lena.id, 'in', 7]]);
    assert.deepEqual(left(applyEvent(started, { event: 'contact-removed', id: lena.id })), left(started).slice(0, 2));
    assert.deepEqual(left(withLink(started, { kind: 'lost', retryAt: 0 })), []);
  });

  test('one that begins again is there once', () => {
    assert.deepEqual(left(applyEvent(started, begin(mira.id, 'in', 9))), [
      [mira.id, 'out', 2],
      [lena.id, 'in', 7],
      [mira.id, 'in', 9],
    ]);
  });
});

describe('page: what became of a bundle', () => {
  const report = (more: Partial<BundleReport>): BundleReport => {
    return { read: 0, taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0, file: 'complete', ...more };
  };

  test('every count that is not zero is told once, and no other', () => {
    const counts = { taken: fc.nat(9), seenBefore: fc.nat(9), kept: fc.nat(9), notOurs: fc.nat(9), refused: fc.nat(9) };
    fc.assert(
      fc.property(fc.record(counts), fc.constantFrom('complete', 'cut', 'damaged'), (found, file) => {
        const numbers = Object.values(found).filter(count => count > 0);
        const read = numbers.reduce((sum, count) => sum + count, 0);
        fc.pre(read > 0);
        const { lines } = reportWords(report({ ...found, read, file }));
        assert.deepEqual(lines.map(line => Number.parseInt(line, 10)).sort(), numbers.sort());
      }),
    );
  });

  test('a whole, a cut, a damaged, an empty and a foreign file differ in words', () => {
    const files = [
      report({ read: 1, taken: 1 }),
      report({ read: 1, taken: 1, file: 'cut' }),
      report({ read: 1, taken: 1, file: 'damaged' }),
      report({}),
      report({ file: 'damaged' }),
      report({ file: 'closed' }),
    ];
    assert.equal(new Set(files.map(found => JSON.stringify(reportWords(found)))).size, files.length);
    assert.match(reportWords(report({ file: 'damaged' })).file, /Nothing was taken/);
  });

  test('a refusal is told as a call would tell it; a body that is none is a fault of the core', () => {
    const refused = { error: { code: -32012, message: 'locked', data: { code: 'locked' } } };
    assert.equal(decodeRefusal(JSON.stringify(refused)).code, 'locked');
    for (const body of ['', '<html>', '{}', '{"error":1}']) assert.equal(decodeRefusal(body).code, 'internal');
  });

  test('sizes are never told smaller than they are', () => {
    assert.deepEqual([0, 1, 1024, 1025, 2 ** 20, 2 ** 20 + 1, 64 * 2 ** 20].map(size), [
      '0 KiB',
      '1 KiB',
      '1 KiB',
      '2 KiB',
      '1 MiB',
      '1.1 MiB',
      '64 MiB',
    ]);
  });
});
