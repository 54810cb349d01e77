import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hex } from '../../core/base/bytes.ts';
import { parseEnvelopeId, parseIdentityKey } from '../../core/base/ids.ts';
import {
  type CustodyFrame,
  custodyStatement,
  decodeCustody,
  decodeCustodyReceipt,
  encodeCustody,
  encodeCustodyReceipt,
} from '../../core/wire/custody.ts';

/** Frozen bytes of `/molva/custody/1`, written out as docs/protocol/mailbox.md §3 and receipts.md §2 say. */
const fill = (byte: number, count: number) => Buffer.alloc(count, byte);
const idA = parseEnvelopeId(fill(0xa1, 32));
const idB = parseEnvelopeId(fill(0xb2, 32));
const A = 'a1'.repeat(32);
const B = 'b2'.repeat(32);

const FRAMES: readonly (readonly [CustodyFrame, string])[] = [
  [{ kind: 'deposit', envelope: fill(0xee, 5) }, '01eeeeeeeeee'],
  [{ kind: 'check', ids: [idA, idB] }, `02${A}${B}`],
  [{ kind: 'release', ids: [idA] }, `03${A}`],
  [{ kind: 'held', receipt: fill(0xdd, 3) }, '04dddddd'],
  [{ kind: 'refused', ids: [idB] }, `05${B}`],
  [{ kind: 'gone', ids: [idA, idB] }, `06${A}${B}`],
  [{ kind: 'taken', ids: [idA] }, `07${A}`],
];

test('custody: a kind byte and a body', () => {
  for (const [frame, bytes] of FRAMES) {
    assert.equal(hex(encodeCustody(frame)), bytes);
    assert.deepEqual(encodeCustody(decodeCustody(Buffer.from(bytes, 'hex'))), Buffer.from(bytes, 'hex'));
    assert.equal(decodeCustody(Buffer.from(bytes, 'hex')).kind, frame.kind);
  }
});

test('custody receipt: version, envelope id, held until, custodian, signature', () => {
  const custodian = parseIdentityKey(fill(0xc3, 32));
  const receipt = { envelopeId: idA, heldUntilMs: 0x0198_5a2b_3c4d, custodian, signature: fill(0x55, 64) };
  const fields = `01 5820${A} 1b000001985a2b3c4d 5820${'c3'.repeat(32)}`.replaceAll(' ', '');
  const bytes = `85${fields}5840${'55'.repeat(64)}`;
  assert.equal(hex(encodeCustodyReceipt(receipt)), bytes);
  assert.equal(decodeCustodyReceipt(Buffer.from(bytes, 'hex')).heldUntilMs, receipt.heldUntilMs);
  assert.equal(hex(custodyStatement(receipt)), `84${fields}`);
});
