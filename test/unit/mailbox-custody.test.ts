import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, HOUR_MS } from '../../core/base/clock.ts';
import { type ContactId, contactIdOf, parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import { LIMITS } from '../../core/base/limits.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { generateIdentity } from '../../core/crypto/identity.ts';
import {
  type Admission,
  admit,
  type HeldEnvelope,
  openCustodyReceipt,
  signCustodyReceipt,
} from '../../core/mailbox/custody.ts';
import { encodeCustodyReceipt } from '../../core/wire/custody.ts';

const NOW = 1_760_000_000_000;
const KIB = 1024;
const contact = (): ContactId => contactIdOf(parseIdentityKey(systemRandom(32)));
const [anna, boris] = [contact(), contact()];
const inHours = (ms: number): number => Math.ceil((NOW + ms) / HOUR_MS);
const week = inHours(7 * DAY_MS - HOUR_MS);

/** Custody kept in a list, in order of arrival. */
class Model {
  readonly rows: (HeldEnvelope & { readonly box: string })[] = [];

  deposit(box: string, depositor: ContactId | null, bytes: number, expiresAtHours = week): Admission {
    const sum = (rows: readonly HeldEnvelope[]): number => rows.reduce((total, row) => total + row.bytes, 0);
    const inBox = this.rows.filter(row => row.box === box);
    const room = {
      holds: true,
      totalBytes: sum(this.rows),
      depositorBytes: sum(this.rows.filter(row => row.depositor === depositor)),
      boxCount: inBox.length,
      box: inBox,
      part: inBox.filter(row => row.depositor === depositor),
    };
    const admission = admit({ bytes, expiresAtHours, depositor }, room, NOW);
    if (admission.kind === 'refuse') return admission;
    for (const id of admission.evict) {
      const at = this.rows.findIndex(row => row.envelopeId === id);
      assert.equal(this.rows[at]?.box, box, 'only the recipient’s own gives way');
      assert.equal(
        this.rows.findIndex(row => row.box === box && (depositor !== null || row.depositor === null)) <= at,
        true,
      );
      this.rows.splice(at, 1);
    }
    this.rows.push({ envelopeId: parseEnvelopeId(systemRandom(32)), depositor, bytes, box });
    this.check();
    return admission;
  }

  check(): void {
    const sums = new Map<string | null, number>();
    for (const { depositor, bytes } of this.rows) sums.set(depositor, (sums.get(depositor) ?? 0) + bytes);
    const total = [...sums.values()].reduce((all, bytes) => all + bytes, 0);
    assert.ok(total <= LIMITS.mailboxBytes);
    for (const [depositor, bytes] of sums) {
      assert.ok(bytes <= (depositor === null ? LIMITS.mailboxStrangerBytes : LIMITS.mailboxDepositorBytes));
    }
    for (const box of new Set(this.rows.map(row => row.box))) {
      assert.ok(this.rows.filter(row => row.box === box).length <= LIMITS.mailboxPerRecipient);
    }
  }
}

describe('custody', () => {
  it('a full mailbox gives up its oldest, and no other mailbox anything', () => {
    const model = new Model();
    model.deposit('other', boris, 300);
    for (let count = 0; count < LIMITS.mailboxPerRecipient; count += 1) model.deposit('box', anna, 300);
    const oldest = model.rows.find(row => row.box === 'box')?.envelopeId;
    const admission = model.deposit('box', boris, 300);
    assert.deepEqual(admission.kind === 'take' && admission.evict, [oldest]);
    assert.equal(model.rows.filter(row => row.box === 'other').length, 1);
  });

  it('a depositor with a full part is refused for others, and displaces only its own oldest', () => {
    const model = new Model();
    const large = 64 * KIB;
    for (let count = 0; count < 256; count += 1) assert.equal(model.deposit('box', anna, large).kind, 'take');
    model.deposit('box', boris, 300);
    assert.deepEqual(model.deposit('elsewhere', anna, 300), { kind: 'refuse', why: 'full' });
    const oldestOfAnna = model.rows.find(row => row.depositor === anna)?.envelopeId;
    const admission = model.deposit('box', anna, large);
    assert.deepEqual(admission.kind === 'take' && admission.evict, [oldestOfAnna]);
  });

  it('a full custody refuses a mailbox with nothing older, and takes for one that has', () => {
    const model = new Model();
    const people = [anna, boris, contact(), contact()];
    for (const person of people) {
      for (let count = 0; count < 256; count += 1) model.deposit(`of ${person}`, person, 64 * KIB);
    }
    assert.deepEqual(model.deposit('new', contact(), 300), { kind: 'refuse', why: 'full' });
    assert.equal(model.deposit(`of ${anna}`, contact(), 300).kind, 'take');
  });

  it('strangers share next to nothing, and displace no one who is known', () => {
    const model = new Model();
    for (let count = 0; count < LIMITS.mailboxPerRecipient; count += 1) model.deposit('box', anna, 300);
    assert.deepEqual(model.deposit('box', null, 300), { kind: 'refuse', why: 'full' });
    let taken = 0;
    for (let count = 0; count < 2_000; count += 1) {
      if (model.deposit(`tag ${count}`, null, 300).kind === 'take') taken += 1;
    }
    assert.equal(taken, Math.floor(LIMITS.mailboxStrangerBytes / 300));
    assert.equal(model.deposit('box 2', boris, 64 * KIB).kind, 'take');
  });

  it('what has expired, or would live longer than an envelope can, is refused', () => {
    const model = new Model();
    assert.deepEqual(model.deposit('box', anna, 300, inHours(-HOUR_MS)), { kind: 'refuse', why: 'expired' });
    assert.deepEqual(model.deposit('box', anna, 300, inHours(3650 * DAY_MS)), { kind: 'refuse', why: 'expired' });
    const late = model.deposit('box', anna, 300, inHours(8 * DAY_MS));
    assert.equal(late.kind === 'take' && late.holdMs, LIMITS.envelopeLifetimeMs);
  });

  it('keeps every limit whatever is deposited', () => {
    const people = [anna, boris, null];
    const step = fc.record({
      box: fc.integer({ min: 0, max: 5 }),
      who: fc.nat({ max: 2 }),
      bytes: fc.constantFrom(300, 1_070, 4_140, 16_430, 65_582),
      times: fc.integer({ min: 1, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), steps => {
        const model = new Model();
        for (const { box, who, bytes, times } of steps) {
          for (let count = 0; count < times; count += 1) model.deposit(`box ${box}`, people[who] ?? null, bytes);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe('custody receipt', () => {
  const identity = generateIdentity(systemRandom);
  const id = parseEnvelopeId(systemRandom(32));
  const until = NOW + 6 * DAY_MS;
  const bytes = encodeCustodyReceipt(signCustodyReceipt(identity, id, until));

  it('opens for its signer, and for nobody else', () => {
    assert.equal(openCustodyReceipt(bytes, identity.public.identity, NOW)?.heldUntilMs, until);
    const other = generateIdentity(systemRandom).public.identity;
    assert.equal(openCustodyReceipt(bytes, other, NOW), undefined);
  });

  it('is not believed when altered, past, or too far ahead', () => {
    const { identity: key } = identity.public;
    const receipt = signCustodyReceipt(identity, id, until);
    const altered = encodeCustodyReceipt({ ...receipt, heldUntilMs: until + 1 });
    assert.equal(openCustodyReceipt(altered, key, NOW), undefined);
    assert.equal(openCustodyReceipt(bytes, key, until), undefined);
    assert.equal(openCustodyReceipt(bytes, key, NOW - 3650 * DAY_MS), undefined);
  });
});
