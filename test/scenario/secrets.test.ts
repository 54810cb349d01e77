import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMITS } from '../../core/base/limits.ts';
import { ceremonyWith, codeShown } from '../../core/state/verifying.ts';
import type { SessionRecord } from '../../core/storage/records.ts';
import { twoFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';

/** Every session row read from now on. */
function sessionsRead(person: Person): SessionRecord[] {
  const read: SessionRecord[] = [];
  const { sessions } = person.store;
  const listOf = sessions.listOf.bind(sessions);
  sessions.listOf = (...args) => {
    const found = listOf(...args);
    read.push(...found);
    return found;
  };
  return read;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every(byte => byte === 0);
const isWiped = ({ state, verificationKey }: SessionRecord): boolean => isZero(state) && isZero(verificationKey);

describe('rows of sessions that were read', () => {
  it('are wiped after each turn, those of sessions given up too', async () => {
    const { time, ada, ben } = await twoFriends();
    const id = ben.id;
    const read = sessionsRead(ada);
    for (let round = 0; round <= LIMITS.sessionsPerContact; round += 1) {
      await time.pass(60_000);
      await ada.messenger.ask(id, { kind: 'initiate', proof: new Uint8Array() });
      await time.until(() => ada.store.contacts.get(id)?.initiation === null);
      await ada.say(id, `round ${round}`);
    }
    await time.until(() => ada.states(id).every(state => state === 'delivered'));
    assert.equal(ada.store.sessions.all().length, LIMITS.sessionsPerContact);
    assert.ok(read.length > LIMITS.sessionsPerContact);
    assert.deepEqual(read.filter(record => !isWiped(record)).length, 0);
  });

  it('are wiped once a one-time code has been shown', async () => {
    const { time, ada, ben } = await twoFriends();
    const id = ben.id;
    const contact = () => ada.store.contacts.get(id) ?? assert.fail();
    const { context } = ada.messenger;
    await ada.messenger.ask(id, { kind: 'verify', input: { kind: 'start' } });
    await time.until(() => ceremonyWith(context, contact()).phase === 'ready');
    const read = sessionsRead(ada);
    assert.match(codeShown(context, contact(), ceremonyWith(context, contact())) ?? '', /^[A-Z2-7-]{12,}$/);
    assert.equal(read.length, 1);
    assert.ok(read.every(isWiped));
  });
});

describe('the secret of an open handshake', () => {
  it('is read for its answer alone, and wiped after it', async () => {
    const { time, ada, ben } = await twoFriends();
    const { contacts } = ada.store;
    const read: Uint8Array[] = [];
    const initiationSecret = contacts.initiationSecret.bind(contacts);
    contacts.initiationSecret = (...args) => {
      const secret = initiationSecret(...args);
      if (secret) read.push(secret);
      return secret;
    };
    await time.pass(60_000);
    await ada.messenger.ask(ben.id, { kind: 'initiate', proof: new Uint8Array() });
    assert.ok(!isZero(initiationSecret(ben.id) ?? assert.fail()));
    await time.until(() => contacts.get(ben.id)?.initiation === null);
    assert.equal(read.length, 1);
    assert.ok(read.every(isZero));
    assert.equal(initiationSecret(ben.id), undefined);
  });
});
