import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SECOND_MS } from '../../core/base/clock.ts';
import type { BundleReport } from '../../core/state/bundles.ts';
import { MemoryNetwork } from '../support/memory-network.ts';
import { Person } from '../support/person.ts';
import { VirtualTime } from '../support/virtual-time.ts';

const NOTHING: BundleReport = { read: 0, taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0, file: 'complete' };

/** Ada and Ben know each other, Cleo knows both, Dan nobody; Ben is away, and nobody is connected to Ada. */
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
  await time.pass(30 * SECOND_MS);
  const ids = { ada: ada.id, ben: ben.id };
  await ben.stop();
  await cleo.stop();
  await ada.say(ids.ben, 'by stick');
  await ada.say(ids.ben, 'and more');
  const bundle = await written(ada);
  await ada.stop();
  return { time, ada, ben, cleo, dan, ids, bundle };
}

async function written(person: Person): Promise<Buffer> {
  const contacts = person.store.contacts.list().map(({ id }) => id);
  const pieces: Buffer[] = [];
  for await (const piece of person.messenger.bundles.write(contacts)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inPieces(bytes: Buffer, size = 1_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('a bundle', () => {
  it('is read by its recipient once, and twice does nothing more', async () => {
    const { time, ada, ben, ids, bundle } = await aStick();
    await ben.start();
    assert.deepEqual(await time.run(ben.messenger.bundles.read(inPieces(bundle))), { ...NOTHING, read: 2, taken: 2 });
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
    assert.deepEqual(await time.run(ben.messenger.bundles.read(inPieces(bundle))), {
      ...NOTHING,
      read: 2,
      seenBefore: 2,
    });
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
    // The receipts go back the same way.
    const back = await written(ben);
    await ben.stop();
    await ada.start();
    await time.run(ada.messenger.bundles.read(inPieces(back)));
    assert.deepEqual(ada.states(ids.ben), ['delivered', 'delivered']);
  });

  it('that was cut or damaged gives what is whole before that place', async () => {
    const { time, ben, ids, bundle } = await aStick();
    await ben.start();
    const firstEnd = bundle.length / 2;
    const cut = await time.run(ben.messenger.bundles.read(inPieces(bundle.subarray(0, 600))));
    assert.equal(cut.file, 'cut');
    const damaged = Buffer.from(bundle);
    damaged[firstEnd] = (damaged[firstEnd] as number) ^ 1;
    const report = await time.run(ben.messenger.bundles.read(inPieces(damaged)));
    assert.equal(report.file, 'damaged');
    assert.equal(report.taken + report.seenBefore, report.read);
    const none = await time.run(ben.messenger.bundles.read(inPieces(Buffer.from('a holiday picture'))));
    assert.deepEqual(none, { ...NOTHING, file: 'damaged' });
    await time.run(ben.messenger.bundles.read(inPieces(bundle)));
    assert.deepEqual(ben.heard(ids.ada), ['by stick', 'and more']);
  });

  it('is kept by a friend of the recipient, who brings it; left by a stranger; kept for a while by a helper', async () => {
    const { time, ben, cleo, dan, ids, bundle } = await aStick();
    const read = (person: Person) => time.run(person.messenger.bundles.read(inPieces(bundle)));
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
    const heldForBen = () => cleo.store.custody.usageOfRecipient(ids.ben, Buffer.alloc(16)).envelopes;
    await time.until(() => heldForBen() === 0, 60 * SECOND_MS);
  });

  it('tells nothing of how many it is for: its size goes in steps, and no name stands in it', async () => {
    const { ids, bundle } = await aStick();
    assert.equal(bundle.length, 64 * 1024);
    for (const text of [ids.ada, ids.ben, 'Ben', 'by stick']) assert.equal(bundle.indexOf(text), -1);
  });
});
