import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AuthError, DecodeError } from '../../core/base/errors.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import { type MlsState, mlsCrypto } from '../../core/groups/mls-crypto.ts';
import { groupCryptoContract } from './group-crypto.ts';

const context = { nowMs: Date.UTC(2026, 10, 22), random: systemRandom };
const data = Buffer.from('data');

for (const suite of ['classical', 'hybrid'] as const) {
  describe(`MLS by RFC 9420, ${suite}`, () => {
    groupCryptoContract(() => mlsCrypto(generateIdentity(systemRandom), suite), context);
  });
}

describe('MLS under groups', () => {
  const make = (suite: 'classical' | 'hybrid') => mlsCrypto(generateIdentity(systemRandom), suite);

  it('takes no key package of another kind, or out of its time when the time is asked for', async () => {
    const [owner, other] = [make('classical'), make('hybrid')];
    const state = await owner.create(Buffer.from('group'), data, context);
    const [right, wrong] = [await make('classical').keyPackage(context), await other.keyPackage(context)];
    owner.ownerOf(right.keyPackage, context.nowMs, state);
    assert.equal(owner.ownerOf(wrong.keyPackage, context.nowMs), other.self);
    assert.throws(() => owner.ownerOf(wrong.keyPackage, context.nowMs, state), AuthError);
    const late = context.nowMs + 2 * LIMITS.mlsKeyPackageMs;
    assert.throws(() => owner.ownerOf(right.keyPackage, late, state), AuthError);
    owner.ownerOf(right.keyPackage, null, state);
  });

  it('a group’s first epoch has a name of its own', async () => {
    const owner = make('classical');
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async name => owner.view(await owner.create(Buffer.from(name), data, context)).epoch),
    );
    assert.match(one as string, /^[0-9a-f]{64}$/);
    assert.notEqual(one, two);
  });

  it('what a thief of stored states reads: all that follows the oldest, and of the newest nothing that was read', async () => {
    const [a, b] = [make('classical'), make('classical')];
    const { keyPackage, secret } = await b.keyPackage(context);
    const content = { adds: [], removes: [], data: null, authenticatedData: Buffer.alloc(0) };
    const begun = await a.create(Buffer.from('group'), data, context);
    const added = await a.commit(begun, { ...content, adds: [keyPackage] }, context);
    const older = await b.join(added.welcome as Uint8Array, secret, context);
    const renewed = await a.commit(added.state, content, context);
    const said = await a.encrypt(renewed.state, Buffer.from('words'), Buffer.alloc(0), context);
    const followed = await b.process(older, renewed.message, context);
    assert.ok(followed.kind === 'commit' && followed.state !== null);
    const read = await b.process(followed.state, said.message, context);
    assert.equal(read.kind, 'application');

    const newest = b.deserialize(b.serialize(read.state as MlsState));
    await assert.rejects(async () => b.process(newest, said.message, context), AuthError);
    const stolen = await b.process(b.deserialize(b.serialize(older)), renewed.message, context);
    assert.ok(stolen.kind === 'commit' && stolen.state !== null);
    const again = await b.process(stolen.state, said.message, context);
    assert.equal(again.kind === 'application' && Buffer.from(again.plaintext).toString(), 'words');
  });

  it('parts of a state that do not belong together are refused', async () => {
    const owner = make('classical');
    const state = await owner.create(Buffer.from('group'), data, context);
    const { keyPackage } = await make('classical').keyPackage(context);
    const content = { adds: [keyPackage], removes: [], data: null, authenticatedData: Buffer.alloc(0) };
    const made = await owner.commit(state, content, context);
    const parts = owner.serialize(made.state, state);
    assert.throws(() => owner.deserialize(parts), DecodeError);
    assert.throws(() => owner.deserialize({ ...parts, tree: Buffer.of(7) }, state), DecodeError);
    assert.throws(() => owner.deserialize({ ...parts, moving: parts.fixed }, state), DecodeError);
    const widest = await owner.commit(made.state, { ...content, adds: [], removes: [] }, context);
    assert.throws(() => owner.deserialize(parts, widest.state), DecodeError);
  });
});
