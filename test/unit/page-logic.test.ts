import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { isNick } from '../../core/base/nick.ts';
import { parseLink } from '../../core/commands/link.ts';
import type { Message, MessageState } from '../../core/commands/schema.ts';
import { countdown, daysBetween, grouped, initial, utf8Bytes } from '../../ui/src/format.ts';
import { addressParts, linkParts } from '../../ui/src/links.ts';
import { problemWithNick } from '../../ui/src/nick.ts';
import { CallError, decodeFrame } from '../../ui/src/rpc.ts';
import { applyEvent, EMPTY, type State } from '../../ui/src/state.ts';
import { strengthOf } from '../../ui/src/strength.ts';
import { emptyThread, firstUnread, withPage } from '../../ui/src/thread.ts';
import { grown, MAX_ROWS, nextRange } from '../../ui/src/window-range.ts';
import { FakeProfile, placeOf } from '../support/fake-profile.ts';

describe('page logic: state', () => {
  const profile = new FakeProfile();
  const mira = profile.addContact('Mira');
  const opened: State = {
    ...EMPTY,
    conversations: [{ id: mira.conversation, contact: mira, group: null, lastMessage: null, unread: 0 }],
    thread: { ...emptyThread(mira.conversation), loading: 'no' },
  };

  test('the same message by answer and by event is there once, and its state never goes back', () => {
    const order: readonly MessageState[] = ['queued', 'expired', 'delivered', 'read'];
    const message = profile.addMessage(mira, 'hi', { outgoing: true });
    const step = fc.oneof(
      fc.constant({ event: 'message-sent', message } as const),
      fc.constantFrom(...order).map(state => ({ ...stateEvent(message), state })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), steps => {
        let best = 0;
        let state = applyEvent(opened, { event: 'message-sent', message });
        for (const event of steps) {
          state = applyEvent(state, event);
          if (event.event === 'message-state') best = Math.max(best, order.indexOf(event.state));
          assert.deepEqual(
            state.thread?.messages.map(row => row.state),
            [order[best]],
          );
          assert.equal(state.conversations[0]?.lastMessage?.state, order[best]);
        }
      }),
    );
  });

  test('messages stand by their place, not by a clock, whatever order they arrive in; each counts as unread once', () => {
    const clocks = [1000, 50, 9000, 9000, 1, 1002, 70, 3];
    const all = clocks.map((sentAt, i) => profile.addMessage(mira, `${i}`, { sentAt, place: placeOf(i, 0) }));
    fc.assert(
      fc.property(fc.shuffledSubarray([...all, ...all], { minLength: 16 }), arrivals => {
        const state = arrivals.reduce(
          (now, message) => applyEvent(now, { event: 'message-received', message }),
          opened,
        );
        assert.deepEqual(state.thread?.messages, all);
        assert.equal(state.conversations[0]?.unread, 8);
        assert.equal(state.conversations[0]?.lastMessage?.text, '7');
      }),
    );
  });

  test('an older page is put before without repeats; a newest page joins where it overlaps', () => {
    const ids = Array.from({ length: 10 }, (_, i) => profile.addMessage(mira, `${i}`));
    const base = opened.thread;
    assert.ok(base);
    const newest = withPage(base, page(ids.slice(5), true), 'newest');
    const older = withPage(newest, page(ids.slice(2, 6)), 'older');
    assert.deepEqual(older.messages, ids.slice(2));
    assert.equal(older.more, false);
    assert.deepEqual(
      withPage({ ...older, messages: ids.slice(2, 8) }, page(ids.slice(5), true), 'newest').messages,
      ids.slice(2),
    );
    assert.deepEqual(
      withPage({ ...older, messages: ids.slice(0, 2) }, page(ids.slice(5), true), 'newest').messages,
      ids.slice(5),
    );
  });

  test('the first unread skips own messages', () => {
    const rows = [false, true, false, true].map((outgoing, i) => profile.addMessage(mira, `${i}`, { outgoing }));
    assert.equal(firstUnread(rows, 1), rows[2]?.id);
    assert.equal(firstUnread(rows, 2), rows[0]?.id);
    assert.equal(firstUnread(rows, 0), null);
  });
});

describe('page logic: the window of rendered rows', () => {
  const ids = (length: number, from = 0) => Array.from({ length }, (_, i) => `m${from + i}`);

  test('growing stays inside the list and never renders more than the bound', () => {
    const sides = fc.array(fc.constantFrom('before', 'after') as fc.Arbitrary<'before' | 'after'>);
    fc.assert(
      fc.property(fc.nat(2000), sides, (length, moves) => {
        let range = nextRange(ids(length), '', '', true);
        for (const side of moves) {
          range = grown(range, length, side);
          assert.ok(range.start >= 0 && range.start <= range.end && range.end <= length);
          assert.ok(range.end - range.start <= MAX_ROWS);
        }
      }),
    );
  });

  test('rows added before or after leave the rendered ones as they were, unless the end is followed', () => {
    const list = ids(500);
    const range = nextRange([...ids(200, 1000), ...list, 'new'], 'm100', 'm299', false);
    assert.deepEqual(range, { start: 300, end: 500 });
    const followed = nextRange([...list, 'new'], 'm400', 'm499', true);
    assert.deepEqual(followed, { start: 400, end: 501 });
  });
});

describe('page logic: frames, passphrases, formats', () => {
  test('no frame makes the decoder throw, and unknown codes become internal', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.anything()), frame => {
        assert.ok(['result', 'error', 'event', 'noise'].includes(decodeFrame(frame).kind));
      }),
    );
    const error = (code: unknown) => JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: 1, data: { code } } });
    assert.deepEqual(decodeFrame(error('locked')), { kind: 'error', id: 1, error: new CallError('locked') });
    assert.deepEqual(decodeFrame(error('toString')), { kind: 'error', id: 1, error: new CallError('internal') });
    assert.equal(new CallError('refused', 'It is your own.').message, 'It is your own.');
    assert.equal(new CallError('internal', 'stack trace').message.includes('stack'), false);
  });

  test('strength counts runs and repeats once', () => {
    assert.equal(strengthOf(''), 'empty');
    assert.equal(strengthOf('aaaaaaaaaaaaaaaaaaaaaaaa'), 'weak');
    assert.equal(strengthOf('abcdefghijklmnopqrstuvwxyz'), 'weak');
    assert.equal(strengthOf('1234567890123'), 'weak');
    assert.equal(strengthOf('tr0ub4dor&3'), 'fair');
    assert.equal(strengthOf('seven quiet otters swim'), 'strong');
  });

  test('formats', () => {
    assert.deepEqual(grouped('abcdefghijkl', 4), ['abcd', 'efgh', 'ijkl']);
    assert.deepEqual(grouped('12345 67890', 5), ['12345', '67890']);
    assert.equal(countdown(-5), '0 s');
    assert.equal(countdown(59_001), '1:00');
    assert.equal(countdown(545_000), '9:05');
    assert.equal(utf8Bytes('é€'), 5);
    assert.equal(initial(' élan'), 'É');
    const noon = new Date(2026, 2, 28, 12).getTime();
    const afterClockChange = new Date(2026, 2, 30, 0, 1).getTime();
    assert.equal(daysBetween(noon, afterClockChange), 2);
  });
});

function page(messages: readonly Message[], more = false) {
  return { messages: [...messages], more, completeUpTo: messages.at(-1)?.id ?? null, missing: 0 };
}

function stateEvent(message: Message) {
  return {
    event: 'message-state',
    id: message.id,
    conversation: message.conversation,
    heldBy: 0,
    until: null,
    reach: null,
    at: 0,
  } as const;
}

describe('page logic: names and links', () => {
  const sign = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 4 }),
    fc.constantFrom('\u202e', '\u200b', '\u200d', '\u2800', '\u3164', '\u0301', '\n', '\u00a0', 'x'.repeat(40), 'é'),
  );

  test('the page takes a name exactly when the core does', () => {
    fc.assert(
      fc.property(fc.array(sign, { maxLength: 4 }), signs => {
        const nick = signs.join('');
        assert.equal(problemWithNick(nick) === null, isNick(nick), JSON.stringify(nick));
      }),
    );
  });

  test('parts give the text back, and the core opens every link as it is shown', () => {
    const piece = fc.oneof(
      sign,
      fc.webUrl({ withQueryParameters: true }),
      fc.constantFrom('https://', '(', ').', '@', '"'),
    );
    let links = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), pieces => {
        const whole = pieces.join('');
        const parts = linkParts(whole);
        assert.equal(parts.map(part => part.text).join(''), whole);
        for (const { url } of parts) {
          if (url === undefined) continue;
          links += 1;
          assert.equal(parseLink(url), url);
          const { before, host, after } = addressParts(url);
          assert.equal(before + host + after, url);
        }
      }),
    );
    assert.ok(links > 0, 'links were among them');
  });

  test('where an address ends in a sentence', () => {
    const found = (whole: string) => linkParts(whole).flatMap(part => part.url ?? []);
    assert.deepEqual(found('See https://a.example/b.'), ['https://a.example/b']);
    assert.deepEqual(found('(https://a.example/b_(c))'), ['https://a.example/b_(c)']);
    assert.deepEqual(found('http://a.example, HTTPS://B.example!'), ['http://a.example/', 'https://b.example/']);
    assert.deepEqual(found('https://a.example/\u202efdp'), ['https://a.example/']);
    for (const none of [
      'xhttp://a.example',
      'https://',
      'https://u:p@a.example',
      'javascript:alert(1)',
      'file:///etc',
    ]) {
      assert.deepEqual(found(none), [], none);
    }
  });
});
