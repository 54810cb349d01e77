import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { DAY_MS, SECOND_MS } from '../../core/base/clock.ts';
import type { ContactId } from '../../core/base/ids.ts';
import { BundleReader } from '../../core/crypto/bundle.ts';
import { currentTags, deriveMailboxKeys } from '../../core/crypto/mailbox-seal.ts';
import type { BundleReport } from '../../core/state/bundles.ts';
import type { ContactRecord } from '../../core/storage/records.ts';
import { headBytes } from '../../core/wire/bundle.ts';
import { decodeCard, encodeCard } from '../../core/wire/card.ts';
import { envelopeIdOf } from '../../core/wire/envelope.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const NOTHING: BundleReport = { read: 0, taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0, file: 'complete' };

/** An envelope begins so (docs/protocol/envelope.md). */
const ENVELOPE_HEAD = Buffer.of(0x84, 1, 0x50);

/** Ada and Ben know each other, Cleo knows both, Dan only Ada; Ben is away, and nobody is connected to Ada. */
async function aStick() {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler);
  const [ada, ben, cleo, dan] = await Promise.all(
    ['Ada', 'Ben', 'Cleo', 'Dan'].map(nick => Person.create(nick, network, time)),
  );
  assert.ok(ada && ben && cleo && dan);
  await ada.meet(ben);
  await cleo.meet(ada);
  await cleo.meet(ben);
  await dan.meet(ada);
  await time.pass(30 * SECOND_MS);
  const ids = { ada: ada.id, ben: ben.id, cleo: cleo.id };
  await ben.stop();
  await cleo.stop();
  await dan.stop();
  await ada.say(ids.ben, 'by stick');
  await ada.say(ids.ben, 'and more');
  const bundle = await written(ada, time);
  await ada.stop();
  await dan.start();
  return { time, ada, ben, cleo, dan, ids, bundle };
}

async function written(person: Person, time: VirtualTime, contacts?: readonly ContactId[]): Promise<Buffer> {
  const all = person.store.contacts.list().map(({ id }) => id);
  const { pieces } = await time.run(person.messenger.bundles.write(contacts ?? all, 'out'));
  const written: Buffer[] = [];
  for await (const piece of pieces) written.push(piece);
  return Buffer.concat(written);
}

async function* inPieces(bytes: Buffer, size = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a bundle', () => {
  it('is read by its recipient once, and twice does nothing more', async () => {
    const { time, ada, ben, ids, bundle } = await aStick();
    await ben.start();
    assert.deepEqual(await time.run(ben.messenger.bundles.read(inPieces(bundle), 'in')), {
      ...NOTHING,
      read: 2,
      taken: 2,
    });
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
    assert.deepEqual(await time.run(ben.messenger.bundles.read(inPieces(bundle), 'in')), {
      ...NOTHING,
      read: 2,
      seenBefore: 2,
    });
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
    // The receipts go back the same way.
    const back = await written(ben, time);
    await ben.stop();
    await ada.start();
    await time.run(ada.messenger.bundles.read(inPieces(back), 'in'));
    assert.deepEqual(ada.states(ids.ben), ['delivered', 'delivered']);
  });

  it('that was cut or damaged gives what is whole before that place', async () => {
    const { time, ben, ids, bundle } = await aStick();
    await ben.start();
    const begun = await time.run(ben.messenger.bundles.read(inPieces(bundle.subarray(0, 600)), 'in'));
    assert.deepEqual(begun, { ...NOTHING, file: 'cut' });
    const damaged = Buffer.from(bundle);
    damaged[headBytes(8) + 100] = (damaged[headBytes(8) + 100] as number) ^ 1;
    const spoilt = await time.run(ben.messenger.bundles.read(inPieces(damaged), 'in'));
    assert.deepEqual(spoilt, { ...NOTHING, file: 'damaged' });
    const half = await time.run(ben.messenger.bundles.read(inPieces(bundle.subarray(0, bundle.length / 2)), 'in'));
    assert.deepEqual(half, { ...NOTHING, read: 2, taken: 2, file: 'cut' });
    const none = await time.run(ben.messenger.bundles.read(inPieces(Buffer.from('a holiday picture')), 'in'));
    assert.deepEqual(none, { ...NOTHING, file: 'damaged' });
    const whole = await time.run(ben.messenger.bundles.read(inPieces(bundle), 'in'));
    assert.deepEqual(whole, { ...NOTHING, read: 2, seenBefore: 2 });
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
  });

  it('is kept by a friend of the recipient, who brings it; no other recipient keeps it, but a helper for a while', async () => {
    const { time, ben, cleo, dan, ids, bundle } = await aStick();
    const read = (person: Person) => time.run(person.messenger.bundles.read(inPieces(bundle), 'in'));
    assert.deepEqual(await read(dan), { ...NOTHING, read: 2, notOurs: 2 });
    assert.equal(dan.messenger.custody.usage.envelopes, 0);
    await dan.stop();
    dan.helper = true;
    await dan.start();
    assert.deepEqual(await read(dan), { ...NOTHING, read: 2, kept: 2 });
    await cleo.start();
    assert.deepEqual(await read(cleo), { ...NOTHING, read: 2, kept: 2 });
    assert.deepEqual(await read(cleo), { ...NOTHING, read: 2, seenBefore: 2 });
    await ben.start();
    await time.until(() => ben.heard(ids.ada).length === 2, 60 * SECOND_MS);
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
    await time.until(() => cleo.messenger.custody.usage.envelopes === 0, 60 * SECOND_MS);
  });

  it('of a helper holds what it has for people it does not know, and who knows them keeps it', async () => {
    const { time, ben, cleo, dan, ids, bundle } = await aStick();
    await dan.stop();
    dan.helper = true;
    await dan.start();
    await time.run(dan.messenger.bundles.read(inPieces(bundle), 'in'));
    await cleo.start();
    await dan.meet(cleo);
    await time.pass(30 * SECOND_MS);
    const passedOn = await written(dan, time, [cleo.id]);
    await dan.stop();
    assert.equal((await time.run(cleo.messenger.bundles.read(inPieces(passedOn), 'in'))).kept, 2);
    await ben.start();
    await time.until(() => ben.heard(ids.ada).length === 2, 60 * SECOND_MS);
  });

  it('is closed to its courier, also to one who has the mailbox key of everyone in it, and to its writer', async () => {
    const { time, ada, cleo, ids } = await aStick();
    await ada.start();
    const bundle = await written(ada, time, [ids.ben]);
    const closed = { ...NOTHING, file: 'closed' };
    assert.deepEqual(await time.run(ada.messenger.bundles.read(inPieces(bundle), 'in')), closed);
    await cleo.start();
    const benAtCleo = cleo.store.contacts.get(ids.ben);
    assert.ok(benAtCleo);
    for (const tag of currentTags(deriveMailboxKeys(benAtCleo.mailboxKey), time.clock())) {
      assert.equal(bundle.indexOf(tag), -1);
    }
    assert.deepEqual(await time.run(cleo.messenger.bundles.read(inPieces(bundle), 'in')), closed);
    assert.equal(cleo.messenger.custody.usage.envelopes, 0);
  });

  it('looks the same for one person and one message as for three and many of several days', async () => {
    const { time, ada, ids } = await aStick();
    await ada.start();
    const one = await written(ada, time, [ids.ben]);
    for (let day = 0; day < 3; day += 1) {
      for (let count = 0; count < 20; count += 1) await ada.say(ids.ben, `day ${day}, ${count}`);
      await ada.say(ids.cleo, 'and Cleo');
      await time.jump(DAY_MS);
    }
    const many = await written(ada, time);
    assert.equal(many.length, one.length);
    for (const file of [one, many]) {
      assert.equal(envelopesIn(file), 0);
      for (const text of [ids.ada, ids.ben, 'Ben', 'by stick']) assert.equal(file.indexOf(text), -1);
    }
  });

  it('tells one who opens it nothing by the order of the envelopes', async () => {
    const { ben, bundle } = await aStick();
    await ben.start();
    const reader = new BundleReader(ben.messenger.context.account.identity);
    const found = reader.push(bundle).map(envelope => hex(envelopeIdOf(envelope)));
    assert.equal(found.length, 2);
    assert.deepEqual(found, found.toSorted());
  });

  it('carries a changed card, and goes on where a contact gave keys that are none', async () => {
    const { time, ada, ben, ids } = await aStick();
    await ada.start();
    await time.run(ada.messenger.upkeep.changeCard({ nick: 'Ada Lovelace' }));
    const { store } = ada;
    const { card } = store.contacts.get(ids.cleo) as ContactRecord;
    const worthless = encodeCard({ ...decodeCard(card), kemKey: Buffer.alloc(1184, 0xff) });
    await store.write(tx =>
      store.contacts.put(tx, { ...(store.contacts.get(ids.cleo) as ContactRecord), card: worthless }),
    );
    const bundle = await written(ada, time);
    await ada.stop();
    await ben.start();
    const report = await time.run(ben.messenger.bundles.read(inPieces(bundle), 'in'));
    // Two texts and the card for Ben; the card for Cleo, whom he knows; the one for Dan, whom he does not.
    assert.deepEqual(report, { ...NOTHING, read: 5, taken: 3, kept: 1, notOurs: 1 });
    assert.equal(ben.store.contacts.get(ids.ada)?.claimedNick, 'Ada Lovelace');
  });

  it('says of which bundle it tells the progress', async () => {
    const { time, ben, bundle } = await aStick();
    await ben.start();
    await time.run(Promise.all(['first', 'second'].map(name => ben.messenger.bundles.read(inPieces(bundle), name))));
    const told = ben.events.filter(event => event.type === 'bundle-progress').map(({ transfer }) => transfer);
    assert.deepEqual(new Set(told), new Set(['first', 'second']));
  });
});

/** Places where an envelope stands in the clear. */
function envelopesIn(file: Buffer): number {
  let count = 0;
  for (let at = file.indexOf(ENVELOPE_HEAD); at >= 0; at = file.indexOf(ENVELOPE_HEAD, at + 1)) count += 1;
  return count;
}
