import { concat } from '../base/bytes.ts';
import { DecodeError } from '../base/errors.ts';
import type { GroupState as MlsState } from '../crypto/mls/group-state.ts';
import { decodeState, encodeEpoch, encodeRatchets } from '../crypto/mls/state-codec.ts';
import type { SuiteKind } from '../crypto/mls/suite.ts';
import { decodeTreeChange, encodeTreeChange, treeOf } from '../crypto/mls/tree-store.ts';
import type { StateParts } from './group-crypto.ts';

const SUITES: readonly SuiteKind[] = ['classical', 'hybrid'];
const LENGTH_BYTES = 2;

/** The tree part begins with the suite, and whether it is written against another tree. */
export function statePartsOf(state: MlsState, base?: MlsState): StateParts {
  const head = Uint8Array.of(SUITES.indexOf(state.suite), base ? 1 : 0);
  return {
    fixed: encodeEpoch(state),
    moving: encodeRatchets(state),
    tree: concat(head, encodeTreeChange(state, base && treeOf(base))),
  };
}

/** @throws DecodeError not parts of one state, or another base than it was written with */
export function stateOfParts({ fixed, moving, tree }: StateParts, base?: MlsState): MlsState {
  const suite = SUITES[tree[0] ?? SUITES.length];
  const based = tree[1] === 1;
  if (suite === undefined || (tree[1] !== 0 && !based) || (based && !base)) throw new DecodeError('group.state');
  const decoded = decodeTreeChange(suite, tree.subarray(2), based && base ? treeOf(base) : undefined);
  const state = decodeState(fixed, moving, decoded);
  if (state.suite !== suite) throw new DecodeError('group.state');
  return state;
}

/** What a key package's owner keeps of it: itself, as a welcome names it, and its secrets. The caller wipes it. */
export function joinParts(keyPackage: Uint8Array, secrets: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(keyPackage.length);
  return concat(length, keyPackage, secrets);
}

/** Views of the one memory, so that nothing is left when it is wiped. @throws DecodeError */
export function splitSecret(secret: Uint8Array): { keyPackage: Uint8Array; secrets: Uint8Array } {
  const [high = 0, low = 0] = secret;
  const end = LENGTH_BYTES + high * 256 + low;
  if (secret.length < LENGTH_BYTES || end > secret.length) throw new DecodeError('group.key-package-secret');
  return { keyPackage: secret.subarray(LENGTH_BYTES, end), secrets: secret.subarray(end) };
}
