import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { identityPublicOf } from '../../core/crypto/card.ts';
import {
  type Ceremony,
  type CeremonyInput,
  type CeremonyKeys,
  type CeremonyOutput,
  codesMatch,
  decodeCeremony,
  encodeCeremony,
  NO_CEREMONY,
  safetyNumber,
  shownCode,
  stepCeremony,
} from '../../core/crypto/verification.ts';
import { encodeVerification } from '../../core/wire/verification.ts';
import { makePerson, NOW_MS, type Person } from '../support/crypto-people.ts';

const alice = makePerson('alice');
const bob = makePerson('bob');
const mallory = makePerson('mallory');
const SESSION = Buffer.alloc(16, 5);

/** One side of a ceremony; its state passes through its stored form at every step. */
class Side {
  readonly keys: CeremonyKeys;
  nowMs = NOW_MS;
  state: Ceremony = NO_CEREMONY;
  seen: CeremonyOutput[] = [];

  constructor(own: Person, peer: Person, verificationKey: Buffer) {
    this.keys = {
      verificationKey,
      own: own.identity.public.identity,
      peer: peer.identity.public.identity,
      ownCardHash: Buffer.alloc(32, own.card.nick),
      peerCardHash: Buffer.alloc(32, peer.card.nick),
    };
  }

  /** @returns the messages to pass on */
  take(input: CeremonyInput): Buffer[] {
    const keysOf = (id: Uint8Array) => (Buffer.compare(id, SESSION) === 0 ? this.keys : undefined);
    const step = stepCeremony(this.state, input, { nowMs: this.nowMs, random: systemRandom, keysOf });
    this.state = decodeCeremony(encodeCeremony(step.state));
    this.seen = step.outputs.filter(output => output.kind !== 'send');
    return step.outputs.flatMap(output => (output.kind === 'send' ? [output.bytes] : []));
  }

  get code(): string {
    const code = shownCode(this.state, { nowMs: this.nowMs, keysOf: () => this.keys });
    assert.ok(code);
    return code;
  }

  /** The code a typer would compare with, had it been the shower. */
  get comparedCode(): string {
    const { state } = this;
    assert.equal(state.phase, 'ready');
    return shownCode({ ...state, role: 'shower' } as Ceremony, { nowMs: this.nowMs, keysOf: () => this.keys }) ?? '';
  }
}

function pass(messages: Buffer[], ...sides: Side[]): void {
  let [to, from] = sides as [Side, Side];
  for (let queue = messages; queue.length > 0; [to, from] = [from, to]) {
    queue = queue.flatMap(bytes => to.take({ kind: 'message', bytes }));
  }
}

function ready(key = Buffer.alloc(32, 1), peerKey = key): [Side, Side] {
  const shower = new Side(alice, bob, key);
  const typer = new Side(bob, alice, peerKey);
  pass(shower.take({ kind: 'start', sessionId: SESSION }), typer, shower);
  assert.equal(shower.state.phase, 'ready');
  assert.equal(typer.state.phase, 'ready');
  return [shower, typer];
}

test('the right code, however it is typed, verifies the typer; the shower only by its own confirmation', () => {
  const [shower, typer] = ready();
  assert.match(shower.code, /^[A-Z2-7]{12}$/);
  const spelled = `${shower.code.slice(0, 4)}-${shower.code.slice(4, 8)} ${shower.code.slice(8)}`.toLowerCase();
  const result = typer.take({ kind: 'enter', code: spelled });
  assert.deepEqual(typer.seen, [{ kind: 'match' }]);
  assert.equal(typer.state.phase, 'verified');
  assert.equal(result.length, 1);
  shower.take({ kind: 'message', bytes: result[0] as Buffer });
  assert.equal(shower.state.phase, 'matched');
  assert.deepEqual(shower.seen, [{ kind: 'ask-confirmation' }]);
  shower.take({ kind: 'confirm' });
  assert.equal(shower.state.phase, 'verified');
});

test('a forged report cannot verify anyone: confirm is refused before, and nothing on the wire verifies', () => {
  const [shower] = ready();
  assert.throws(() => shower.take({ kind: 'confirm' }), UsageError);
  const { ceremonyId } = shower.state as { ceremonyId: Uint8Array } & Ceremony;
  shower.take({ kind: 'message', bytes: encodeVerification({ kind: 'result', ceremonyId, matched: true }) });
  assert.equal(shower.state.phase, 'matched');
});

test('three wrong codes burn it on both sides', () => {
  const [shower, typer] = ready();
  typer.take({ kind: 'enter', code: 'AAAAAAAAAAAA' });
  assert.deepEqual(typer.seen, [{ kind: 'mismatch', triesLeft: 2 }]);
  typer.take({ kind: 'enter', code: '' });
  const last = typer.take({ kind: 'enter', code: `${shower.code}A` });
  assert.deepEqual(typer.seen, [{ kind: 'burnt' }]);
  pass(last, shower, typer);
  assert.equal(shower.state.phase, 'burnt');
  assert.throws(() => typer.take({ kind: 'enter', code: 'AAAAAAAAAAAA' }), UsageError);
});

test('beginning anew does not give the typer new tries', () => {
  const [shower, typer] = ready();
  typer.take({ kind: 'enter', code: 'AAAAAAAAAAAA' });
  const before = shower.code;
  pass(shower.take({ kind: 'start', sessionId: SESSION }), typer, shower);
  assert.notEqual(shower.code, before);
  typer.take({ kind: 'enter', code: before });
  assert.deepEqual(typer.seen, [{ kind: 'mismatch', triesLeft: 1 }]);
});

test('a code expires after ten minutes', () => {
  const [shower, typer] = ready();
  const { code } = shower;
  typer.nowMs += LIMITS.oneTimeCodeMs;
  typer.take({ kind: 'enter', code });
  assert.deepEqual(typer.seen, [{ kind: 'expired' }]);
  shower.nowMs += LIMITS.oneTimeCodeMs - 1;
  shower.take({ kind: 'tick' });
  assert.equal(shower.state.phase, 'ready');
  shower.nowMs += 1;
  shower.take({ kind: 'tick' });
  assert.equal(shower.state.phase, 'expired');
});

test('both press show at once: the lower identity key goes on showing', () => {
  const a = new Side(alice, bob, Buffer.alloc(32, 1));
  const b = new Side(bob, alice, Buffer.alloc(32, 1));
  const [low, high] = Buffer.compare(a.keys.own, b.keys.own) < 0 ? [a, b] : [b, a];
  const fromLow = low.take({ kind: 'start', sessionId: SESSION });
  const fromHigh = high.take({ kind: 'start', sessionId: SESSION });
  pass(fromHigh, low, high);
  pass(fromLow, high, low);
  high.take({ kind: 'enter', code: low.code });
  assert.deepEqual(high.seen, [{ kind: 'match' }]);
});

test('a nonce that does not open its commitment burns the ceremony', () => {
  const shower = new Side(alice, bob, Buffer.alloc(32, 1));
  const typer = new Side(bob, alice, Buffer.alloc(32, 1));
  const [commit] = shower.take({ kind: 'start', sessionId: SESSION });
  const [answer] = typer.take({ kind: 'message', bytes: commit as Buffer });
  shower.take({ kind: 'message', bytes: answer as Buffer });
  const { ceremonyId } = shower.state as { ceremonyId: Uint8Array } & Ceremony;
  shower.take({ kind: 'message', bytes: encodeVerification({ kind: 'reveal', ceremonyId, nonce: Buffer.alloc(32) }) });
  assert.equal(shower.state.phase, 'burnt');
});

test('cancelling ends both sides', () => {
  const [shower, typer] = ready();
  pass(shower.take({ kind: 'cancel' }), typer, shower);
  assert.equal(shower.state.phase, 'cancelled');
  assert.equal(typer.state.phase, 'cancelled');
});

test('letters and the digits that look like them are one', () => {
  assert.ok(codesMatch('OIBAOIBAOIBA', '018a-018a 018a'));
  assert.ok(!codesMatch('OIBAOIBAOIBA', '018a-018a 018'));
});

test('with both legs in an attacker’s hands the codes differ, 10,000 times', () => {
  // The attacker has a session of its own with each, under keys it knows; nonces are fresh every time, and it
  // speaks each leg as the other's messages come in. The handshakes may stay: they are not what varies.
  for (let round = 0; round < 10_000; round += 1) {
    const aliceLeg = Buffer.alloc(32, 1);
    // The strongest case for it: that it could make both sessions' keys equal.
    const bobLeg = round % 2 === 0 ? aliceLeg : Buffer.alloc(32, 2);
    const shower = new Side(alice, mallory, aliceLeg);
    const towardsAlice = new Side(mallory, alice, aliceLeg);
    const towardsBob = new Side(mallory, bob, bobLeg);
    const typer = new Side(bob, mallory, bobLeg);
    const opening = shower.take({ kind: 'start', sessionId: SESSION });
    if (round % 4 < 2) {
      pass(opening, towardsAlice, shower);
      pass(towardsBob.take({ kind: 'start', sessionId: SESSION }), typer, towardsBob);
    } else {
      // Or it passes every message on as it is, so that both hold the same nonces.
      pass(opening, typer, shower);
    }
    assert.notEqual(shower.code, typer.comparedCode);
    typer.take({ kind: 'enter', code: shower.code });
    assert.deepEqual(typer.seen, [{ kind: 'mismatch', triesLeft: 2 }]);
  }
});

test('safety number: 60 digits, one for both, another for any other key', () => {
  const a = identityPublicOf(alice.card);
  const b = identityPublicOf(bob.card);
  const m = identityPublicOf(mallory.card);
  const number = safetyNumber(a, b);
  assert.match(number, /^(\d{5} ){11}\d{5}$/);
  assert.equal(safetyNumber(b, a), number);
  const others = [a, b].flatMap(own =>
    (['identity', 'agreement', 'kem'] as const).map(key => {
      const changed = { ...own, [key]: m[key] };
      return own === a ? safetyNumber(changed, b) : safetyNumber(a, changed);
    }),
  );
  assert.equal(new Set([number, ...others]).size, 7);
});
