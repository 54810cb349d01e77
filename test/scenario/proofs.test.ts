import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import { SECOND_MS } from '../../core/base/clock.ts';
import { parseMessageId } from '../../core/base/ids.ts';
import { type Proof, proofsOf } from '../../core/state/proofs.ts';
import { TABLES } from '../../core/storage/tables.ts';
import { threeFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

/** With another library than the one that signed. */
function holds({ identity, statement, signature }: Proof): boolean {
  const key = createPublicKey({ key: Buffer.concat([SPKI_ED25519, identity]), format: 'der', type: 'spki' });
  return verify(null, statement, key, signature);
}

const says = (proofs: readonly Proof[]) => proofs.map(proof => proof.says);

function receiptRows(person: Person): number {
  const table = Buffer.of(TABLES.receipts);
  return [...person.rows.keys(table, Buffer.of(TABLES.receipts + 1))].length;
}

describe('proofs', () => {
  it('every state is backed by what somebody signed, for anybody to check', async () => {
    const { time, ada, ben, cleo } = await threeFriends();
    const benId = ben.id;
    const adaId = ada.id;
    await ben.stop();
    const id = parseMessageId(await ada.say(benId, 'sign here'));
    assert.deepEqual(proofsOf(ada.store, id), []);
    await time.until(() => proofsOf(ada.store, id).length === 1, 30 * SECOND_MS);
    const [held] = proofsOf(ada.store, id);
    assert.ok(held && held.says === 'held' && holds(held));
    assert.deepEqual(Buffer.from(held.identity), Buffer.from(cleo.messenger.context.account.public.identity));
    await ben.start();
    await time.until(() => ada.states(benId).at(-1) === 'delivered', 60 * SECOND_MS);
    const [delivered] = proofsOf(ada.store, id);
    assert.ok(delivered && delivered.says === 'delivered' && holds(delivered));
    assert.deepEqual(Buffer.from(delivered.identity), Buffer.from(ben.messenger.context.account.public.identity));
    const altered = Buffer.from(delivered.statement);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    assert.ok(!holds({ ...delivered, statement: altered }));
    await ben.messenger.ask(adaId, { kind: 'mark-read', upTo: undefined });
    await time.until(() => ada.states(benId).at(-1) === 'read', 60 * SECOND_MS);
    const [read] = proofsOf(ada.store, id);
    assert.ok(read && read.says === 'read' && holds(read));
  });

  it('a receipt goes when a later one stands for all its texts, and with the contact', async () => {
    const { time, ada, ben } = await threeFriends();
    const benId = ben.id;
    const adaId = ada.id;
    await ben.stop();
    const ids = [];
    for (const text of ['one', 'two', 'three']) ids.push(parseMessageId(await ada.say(benId, text)));
    await ben.start();
    await time.until(() => ada.states(benId).every(state => state === 'delivered'), 60 * SECOND_MS);
    const delivered = receiptRows(ada);
    assert.ok(delivered >= 1);
    await ben.messenger.ask(adaId, { kind: 'mark-read', upTo: ids[0] });
    await time.until(() => ada.states(benId)[0] === 'read', 60 * SECOND_MS);
    for (const id of ids) assert.equal(says(proofsOf(ada.store, id)).length, 1, 'none has lost its proof');
    await ben.messenger.ask(adaId, { kind: 'mark-read', upTo: undefined });
    await time.until(() => ada.states(benId).every(state => state === 'read'), 60 * SECOND_MS);
    for (const id of ids) assert.deepEqual(says(proofsOf(ada.store, id)), ['read']);
    assert.equal(receiptRows(ada), 2, 'two statements that they were read, and none that they were delivered');
    await time.run(ada.messenger.removeContact(benId));
    assert.equal(receiptRows(ada), 0);
  });
});
