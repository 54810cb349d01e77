import assert from 'node:assert/strict';
import { it } from 'node:test';
import { equalBytes } from '../../core/base/bytes.ts';
import { CoreError } from '../../core/base/errors.ts';
import type { ContactId } from '../../core/base/ids.ts';
import type { CommitContent, CryptoContext, GroupCrypto, Processed } from '../../core/groups/group-crypto.ts';

/** What groups expect of MLS, of the real one and of a stand-in. `make` gives members who have never met. */
export function groupCryptoContract<State>(make: () => GroupCrypto<State>, context: CryptoContext): void {
  const data = Buffer.from('data');
  const nothing: CommitContent = { adds: [], removes: [], data: null, authenticatedData: Buffer.alloc(0) };
  const refused = (run: () => Promise<unknown>) =>
    assert.rejects(
      run,
      cause => cause instanceof CoreError && ['bad-bytes', 'not-authentic', 'refused'].includes(cause.code),
    );

  /** Three members in one epoch, and how they came there. */
  async function three() {
    const [a, b, c] = [make(), make(), make()] as const;
    const packages = await Promise.all([b, c].map(member => member.keyPackage(context)));
    const created = await a.create(Buffer.from('group'), data, context);
    const adds = packages.map(({ keyPackage }) => keyPackage);
    const made = await a.commit(created, { ...nothing, adds }, context);
    const [ofB, ofC] = await Promise.all(
      [b, c].map((member, i) =>
        member.join(made.welcome as Uint8Array, (packages[i] as { secret: Uint8Array }).secret, context),
      ),
    );
    return { a, b, c, created, ofA: made.state, ofB: ofB as State, ofC: ofC as State };
  }

  async function commitOf(member: GroupCrypto<State>, state: State, message: Uint8Array) {
    const processed: Processed<State> = await member.process(state, message, context);
    assert.equal(processed.kind, 'commit');
    return processed as Processed<State> & { kind: 'commit' };
  }

  it('brings members into one epoch with one exporter, and others into none', async () => {
    const { a, b, c, ofA, ofB, ofC } = await three();
    const views = [a.view(ofA), b.view(ofB), c.view(ofC)];
    for (const view of views) {
      assert.equal(view.epoch, views[0]?.epoch);
      assert.deepEqual([view.number, [...view.members].sort()], [1, [a.self, b.self, c.self].sort()]);
      assert.deepEqual(Buffer.from(view.data), data);
    }
    const secrets = await Promise.all([a.exporter(ofA, 'x', 32), b.exporter(ofB, 'x', 32), a.exporter(ofA, 'y', 32)]);
    assert.deepEqual(Buffer.from(secrets[0]), Buffer.from(secrets[1]));
    assert.notDeepEqual(Buffer.from(secrets[0]), Buffer.from(secrets[2]));
  });

  it('tells who made an epoch, to those who followed the commit and to those who came by it alike', async () => {
    const { a, b, c, created, ofA, ofB, ofC } = await three();
    assert.deepEqual([a.view(created).maker, a.view(ofA).maker, b.view(ofB).maker], [null, a.self, a.self]);
    const d = make();
    const { keyPackage, secret } = await d.keyPackage(context);
    const made = await c.commit(ofC, { ...nothing, adds: [keyPackage], removes: [a.self] }, context);
    const seen = await commitOf(b, ofB, made.message);
    const joined = await d.join(made.welcome as Uint8Array, secret, context);
    const views = [c.view(made.state), b.view(seen.state as State), d.view(d.deserialize(d.serialize(joined)))];
    const back = await b.externalCommit(await c.groupInfo(made.state, context), context);
    const heard = await commitOf(d, joined, back.message);
    const later = await c.process(made.state, back.message, context);
    assert.deepEqual(
      [...views.map(({ maker }) => maker), c.viewOfInfo(await c.groupInfo(made.state, context)).maker],
      [c.self, c.self, c.self, c.self],
    );
    const states = [back.state, heard.state as State, later.state as State];
    for (const state of states) assert.equal(b.view(state).maker, b.self);
    const renewed = await d.commit(heard.state as State, nothing, context);
    assert.equal(b.view((await commitOf(b, back.state, renewed.message)).state as State).maker, d.self);
  });

  it('names the key packages of those that a commit adds', async () => {
    const { a, b, ofA, ofB } = await three();
    const newcomers = [make(), make()] as const;
    const packages = await Promise.all(newcomers.map(member => member.keyPackage(context)));
    const adds = packages.map(({ keyPackage }) => keyPackage);
    const made = await a.commit(ofA, { ...nothing, adds }, context);
    const seen = await commitOf(b, ofB, made.message);
    assert.deepEqual([...seen.added].sort(), adds.map(bytes => b.packageName(bytes)).sort());
    assert.equal(new Set(seen.added).size, 2);
    packages.forEach(({ keyPackage, secret }, at) => {
      assert.ok(equalBytes((newcomers[at] as GroupCrypto<State>).packageOf(secret), keyPackage));
    });
  });

  it('opens a message once, for members of its epoch, with its sender', async () => {
    const { a, b, c, created, ofA, ofB, ofC } = await three();
    const { message, state } = await b.encrypt(ofB, Buffer.from('words'), Buffer.from('ad'), context);
    const opened = await a.process(ofA, message, context);
    assert.equal(opened.kind, 'application');
    if (opened.kind !== 'application') return;
    assert.deepEqual([opened.sender, Buffer.from(opened.plaintext).toString()], [b.self, 'words']);
    assert.equal(Buffer.from(opened.authenticatedData).toString(), 'ad');
    await refused(() => a.process(opened.state, message, context));
    await refused(() => a.process(created, message, context));
    await refused(() => b.process(state, message, context));
    const damaged = Buffer.from(message);
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
    await refused(() => c.process(ofC, damaged, context));
    await c.process(ofC, message, context);
  });

  it('two commits on one epoch can both be processed from the same state', async () => {
    const { a, b, c, ofA, ofB, ofC } = await three();
    const byA = await a.commit(ofA, nothing, context);
    const byB = await b.commit(ofB, { ...nothing, data: Buffer.from('other') }, context);
    const [first, second] = [await commitOf(c, ofC, byA.message), await commitOf(c, ofC, byB.message)];
    assert.deepEqual([first.epoch, second.epoch], [a.view(byA.state).epoch, b.view(byB.state).epoch]);
    assert.notEqual(first.epoch, second.epoch);
    assert.equal(Buffer.from(c.view(second.state as State).data).toString(), 'other');
    const crossed = await commitOf(a, ofA, byB.message);
    const { message } = await c.encrypt(second.state as State, Buffer.from('late'), Buffer.alloc(0), context);
    const opened = await a.process(crossed.state as State, message, context);
    assert.equal(opened.kind === 'application' && opened.sender, c.self);
  });

  it('whoever is removed learns that and reads nothing later; one’s own commit cannot be processed', async () => {
    const { a, b, c, ofA, ofB, ofC } = await three();
    const made = await a.commit(ofA, { ...nothing, removes: [c.self], authenticatedData: Buffer.from('why') }, context);
    await refused(() => a.process(ofA, made.message, context));
    const seen = await commitOf(c, ofC, made.message);
    assert.deepEqual([seen.state, seen.removed, seen.sender, seen.external], [null, [c.self], a.self, false]);
    assert.equal(Buffer.from(seen.authenticatedData).toString(), 'why');
    assert.equal(seen.epoch, a.view(made.state).epoch);
    const { state } = await commitOf(b, ofB, made.message);
    assert.deepEqual([...b.view(state as State).members].sort(), [a.self, b.self].sort());
    const { message } = await b.encrypt(state as State, Buffer.from('secret'), Buffer.alloc(0), context);
    await refused(() => c.process(ofC, message, context));
    assert.equal(b.verify(state as State, c.self, data, c.sign(data)), false);
    await refused(async () => c.externalCommit(await b.groupInfo(state as State, context), context));
  });

  it('a member that lost its state comes back by an external commit', async () => {
    const { a, b, c, ofA, ofB } = await three();
    const info = await a.groupInfo(ofA, context);
    assert.equal(c.viewOfInfo(info).epoch, a.view(ofA).epoch);
    const back = await c.externalCommit(info, context);
    const [seenByA, seenByB] = [await commitOf(a, ofA, back.message), await commitOf(b, ofB, back.message)];
    assert.deepEqual([seenByA.external, seenByA.sender, seenByA.epoch], [true, c.self, c.view(back.state).epoch]);
    assert.equal(a.view(seenByA.state as State).members.length, 3);
    const { message } = await c.encrypt(back.state, Buffer.from('here'), Buffer.alloc(0), context);
    assert.equal((await b.process(seenByB.state as State, message, context)).kind, 'application');
    await refused(async () => make().externalCommit(info, context));
  });

  it('refuses a welcome for others, a damaged key package, and someone who is there already', async () => {
    const { a, b, ofA } = await three();
    const [mine, theirs] = [make(), make()];
    const [own, other] = [await mine.keyPackage(context), await theirs.keyPackage(context)];
    assert.equal(a.ownerOf(own.keyPackage, context.nowMs), mine.self);
    const made = await a.commit(ofA, { ...nothing, adds: [own.keyPackage] }, context);
    await refused(() => theirs.join(made.welcome as Uint8Array, other.secret, context));
    const damaged = Buffer.from(own.keyPackage);
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
    await refused(async () => a.ownerOf(damaged, null));
    await refused(async () => a.commit(ofA, { ...nothing, adds: [(await b.keyPackage(context)).keyPackage] }, context));
  });

  it('a step that is not kept has used up nothing, and one that is kept nothing of what follows', async () => {
    const { a, b, ofA, ofB } = await three();
    const words = await a.encrypt(ofA, Buffer.from('first'), Buffer.alloc(0), context);
    await a.commit(ofA, nothing, context);
    const open = async (state: State, message: Uint8Array) => {
      const opened = await b.process(state, message, context);
      assert.equal(opened.kind, 'application');
      return opened as Processed<State> & { kind: 'application' };
    };
    const [once, again] = [await open(ofB, words.message), await open(ofB, words.message)];
    assert.deepEqual(Buffer.from(once.plaintext), Buffer.from(again.plaintext));
    b.retire(ofB);
    a.retire(ofA);
    const more = await a.encrypt(words.state, Buffer.from('second'), Buffer.alloc(0), context);
    assert.equal(Buffer.from((await open(once.state, more.message)).plaintext).toString(), 'second');
    const made = await b.commit(once.state, nothing, context);
    assert.equal((await commitOf(a, more.state, made.message)).epoch, b.view(made.state).epoch);
    const late = await b.encrypt(made.parent, Buffer.from('third'), Buffer.alloc(0), context);
    assert.equal((await a.process(more.state, late.message, context)).kind, 'application');
  });

  it('a state is stored as what differs from another', async () => {
    const { a, b, ofA, ofB } = await three();
    const made = await a.commit(ofA, nothing, context);
    const parts = a.serialize(made.state, ofA);
    const again = a.deserialize({ ...parts, moving: a.serializeMoving(made.state) }, ofA);
    assert.equal(a.view(again).epoch, a.view(made.state).epoch);
    const { state } = await commitOf(b, ofB, made.message);
    const { message } = await a.encrypt(again, Buffer.from('words'), Buffer.alloc(0), context);
    assert.equal((await b.process(state as State, message, context)).kind, 'application');
  });

  it('a stored state is the same state; signatures are of one member', async () => {
    const { a, b, ofA, ofB } = await three();
    const { message, state } = await a.encrypt(ofA, Buffer.from('1'), Buffer.alloc(0), context);
    const again = a.deserialize(a.serialize(state));
    const [kept, was] = [a.view(again), a.view(state)];
    assert.deepEqual([kept.epoch, kept.number, kept.members], [was.epoch, was.number, was.members]);
    assert.ok(equalBytes(kept.data, was.data) && equalBytes(kept.groupId, was.groupId));
    const opened = await b.process(b.deserialize(b.serialize(ofB)), message, context);
    assert.equal(opened.kind, 'application');
    await refused(() => b.process(b.deserialize(b.serialize(opened.state as State)), message, context));
    const next = await a.encrypt(again, Buffer.from('2'), Buffer.alloc(0), context);
    assert.equal((await b.process(opened.state as State, next.message, context)).kind, 'application');
    assert.equal(b.verify(ofB, a.self, data, a.sign(data)), true);
    assert.equal(b.verify(ofB, b.self, data, a.sign(data)), false);
    assert.equal(b.verify(ofB, 'nobody' as ContactId, data, a.sign(data)), false);
  });
}
