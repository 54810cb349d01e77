import { hex, utf8, wipe } from '../base/bytes.ts';
import { AuthError } from '../base/errors.ts';
import { blake2b } from '../base/hash.ts';
import { type ContactId, contactIdOf } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { verifySignature } from '../crypto/identity.ts';
import { openApplication, sealApplication } from '../crypto/mls/application.ts';
import { commit, createGroup, groupInfoOf, type ProposalRequest } from '../crypto/mls/group.ts';
import { joinExternally, joinGroup, openGroupInfo } from '../crypto/mls/group-join.ts';
import { type ProcessedMessage, processMessage, readHead } from '../crypto/mls/group-messages.ts';
import {
  epochIdOf,
  epochOf,
  exportSecret,
  forkState,
  groupDataOf,
  groupIdOf,
  type Member,
  type GroupState as MlsState,
  membersOf,
  wipeFork,
  wipeState,
} from '../crypto/mls/group-state.ts';
import { makeKeyPackage, parseKeyPackage, readKeyPackage } from '../crypto/mls/key-package.ts';
import type { IdentitySigner } from '../crypto/mls/leaf-authentication.ts';
import { encodeRatchets } from '../crypto/mls/state-codec.ts';
import type { SuiteKind } from '../crypto/mls/suite.ts';
import { makerOf } from '../crypto/mls/tree-maker.ts';
import type { CommitContent, CryptoContext, EpochId, EpochView, GroupCrypto, Processed } from './group-crypto.ts';
import { joinParts, splitSecret, stateOfParts, statePartsOf } from './mls-parts.ts';

export type { MlsState };

type MlsCommit = ProcessedMessage & { readonly kind: 'commit' };
type Public = Pick<MlsState, 'context' | 'tree'>;

interface Known {
  readonly view: EpochView;
  readonly places: ReadonlyMap<ContactId, Member>;
}

/** What an epoch says in the open is asked for with every message, and is the same in all its states. */
const known = new WeakMap<MlsState['context'], Known>();

/**
 * MLS for one person (RFC 9420, core/crypto/mls).
 * @param suite of groups this person makes, and of its key packages; a group it joins has its own
 */
export function mlsCrypto(signer: IdentitySigner, suite: SuiteKind): GroupCrypto<MlsState> {
  return new MlsCrypto(signer, suite);
}

class MlsCrypto implements GroupCrypto<MlsState> {
  readonly self: ContactId;
  readonly #signer: IdentitySigner;
  readonly #suite: SuiteKind;

  constructor(signer: IdentitySigner, suite: SuiteKind) {
    this.#signer = signer;
    this.#suite = suite;
    this.self = contactIdOf(signer.public.identity);
  }

  async keyPackage({ nowMs, random }: CryptoContext, lastResort = false) {
    const lifetime = { validFromMs: nowMs, validUntilMs: nowMs + LIMITS.mlsKeyPackageMs };
    const { bytes, secrets } = makeKeyPackage(this.#signer, { suite: this.#suite, ...lifetime, lastResort }, random);
    const secret = joinParts(bytes, secrets);
    wipe(secrets);
    return { keyPackage: bytes, secret };
  }

  ownerOf(keyPackage: Uint8Array, nowMs: number | null, group?: MlsState): ContactId {
    const { identity, suite } = parseKeyPackage(keyPackage, nowMs ?? readKeyPackage(keyPackage).validFromMs);
    if (group && suite !== group.suite) throw refusal('group.key-package', 'A key is for another kind of group.');
    return contactIdOf(identity);
  }

  packageName(keyPackage: Uint8Array): string {
    return hex(readKeyPackage(keyPackage).reference);
  }

  packageOf(secret: Uint8Array): Uint8Array {
    return splitSecret(secret).keyPackage;
  }

  async create(groupId: Uint8Array, data: Uint8Array, context: CryptoContext): Promise<MlsState> {
    const { keyPackage, secret } = await this.keyPackage(context);
    const { secrets } = splitSecret(secret);
    const state = await createGroup(keyPackage, secrets, groupId, data, context.random);
    wipe(secret);
    return state;
  }

  async join(welcome: Uint8Array, secret: Uint8Array): Promise<MlsState> {
    return await joinGroup(welcome, splitSecret(secret));
  }

  groupInfo(state: MlsState): Promise<Uint8Array> {
    return groupInfoOf(state);
  }

  viewOfInfo(groupInfo: Uint8Array): EpochView {
    return knownOf(openGroupInfo(groupInfo)).view;
  }

  async externalCommit(groupInfo: Uint8Array, { random }: CryptoContext) {
    if (!this.viewOfInfo(groupInfo).members.includes(this.self)) throw refusal('group.external', 'Not a member.');
    return await joinExternally(groupInfo, this.#signer, random);
  }

  async commit(state: MlsState, content: CommitContent, { nowMs, random }: CryptoContext) {
    const { places } = knownOf(state);
    const removes = content.removes.map((member): ProposalRequest => {
      const place = places.get(member);
      if (!place) throw refusal('group.commit', 'Who is to be removed is no member.');
      return { kind: 'remove', index: place.index };
    });
    const adds = content.adds.map((keyPackage): ProposalRequest => ({ kind: 'add', keyPackage }));
    const data: ProposalRequest[] = content.data === null ? [] : [{ kind: 'data', data: content.data }];
    const terms = { proposals: [...removes, ...adds, ...data], nowMs, authenticatedData: content.authenticatedData };
    const fork = forkState(state);
    const { message, welcome, parent, next } = await commit(fork, terms, random).catch(cause => dropped(fork, cause));
    return { message, welcome: welcome ?? null, parent, state: next };
  }

  async process(state: MlsState, message: Uint8Array): Promise<Processed<MlsState>> {
    if (readHead(message).kind === 'application') return this.#open(state, message);
    const processed = await processMessage(state, message);
    if (processed.kind !== 'commit') throw refusal('group.proposal', 'Groups send no proposals by themselves.');
    return this.#commitOf(state, processed);
  }

  async encrypt(state: MlsState, plaintext: Uint8Array, authenticatedData: Uint8Array, { random }: CryptoContext) {
    return overFork(state, fork => sealApplication(fork, plaintext, random, authenticatedData));
  }

  async exporter(state: MlsState, label: string, length: number): Promise<Uint8Array> {
    return exportSecret(state, label, NOTHING, length);
  }

  view(state: MlsState): EpochView {
    return knownOf(state).view;
  }

  sign(bytes: Uint8Array): Uint8Array {
    return this.#signer.sign(LABEL.groupSignature, bytes);
  }

  verify(state: MlsState, member: ContactId, bytes: Uint8Array, signature: Uint8Array): boolean {
    const place = knownOf(state).places.get(member);
    return place !== undefined && verifySignature(place.identity, LABEL.groupSignature, bytes, signature);
  }

  serialize = statePartsOf;
  serializeMoving = encodeRatchets;
  deserialize = stateOfParts;
  retire = wipeFork;
  wipe = wipeState;

  #open(state: MlsState, message: Uint8Array): Processed<MlsState> {
    const { sender, data, authenticatedData, state: next } = overFork(state, fork => openApplication(fork, message));
    return {
      kind: 'application',
      sender: this.#other(sender),
      authenticatedData,
      plaintext: data,
      state: next,
    };
  }

  /** A commit brings its changes with it, and whoever comes back by one takes its own old place. */
  #commitOf(state: MlsState, processed: MlsCommit): Processed<MlsState> {
    const { committer, external, changes, authenticatedData, next = null, epochId } = processed;
    const sender = this.#other(committer);
    if (!processed.renews) throw refusal('group.commit', 'A commit brings no new keys.');
    const [added, removed]: [string[], ContactId[]] = [[], []];
    for (const { proposal } of changes) {
      if (proposal.kind === 'add') added.push(hex(proposal.keyPackageReference));
      else if (proposal.kind === 'remove') removed.push(contactIdOf(proposal.identity));
      else if (proposal.kind !== 'data' && proposal.kind !== 'external-init')
        throw refusal('group.commit', 'A commit does what groups never do.');
    }
    if (external && removed.length === 0) throw refusal('group.external', 'Only members may come back.');
    const epoch = epochNamed(groupIdOf(state), epochId);
    const common = { kind: 'commit', sender, external, authenticatedData, epoch, state: next } as const;
    return external ? { ...common, added: [], removed: [] } : { ...common, added, removed };
  }

  /** One's own messages are known from when they were made, and never taken from others. */
  #other({ identity }: Member): ContactId {
    const sender = contactIdOf(identity);
    if (sender === this.self) throw refusal('group.own', "One's own message.");
    return sender;
  }
}

/** Runs a step over keys of its own, which are wiped when it fails. */
function overFork<T>(state: MlsState, run: (fork: MlsState) => T): T {
  const fork = forkState(state);
  try {
    return run(fork);
  } catch (cause) {
    return dropped(fork, cause);
  }
}

function dropped(fork: MlsState, cause: unknown): never {
  wipeFork(fork);
  throw cause;
}

function knownOf(epoch: Public): Known {
  let found = known.get(epoch.context);
  if (found === undefined) {
    const members = membersOf(epoch);
    const places = new Map(members.map(member => [contactIdOf(member.identity), member]));
    found = { places, view: viewOf(epoch, [...places.keys()]) };
    known.set(epoch.context, found);
  }
  return found;
}

function viewOf(epoch: Public, members: readonly ContactId[]): EpochView {
  const groupId = groupIdOf(epoch);
  const [number, made] = [Number(epochOf(epoch)), makerOf(epoch)];
  const maker = made ? contactIdOf(made.identity) : null;
  return { groupId, epoch: epochNamed(groupId, epochIdOf(epoch)), maker, number, members, data: groupDataOf(epoch) };
}

/** The first epoch has no transcript yet, and transcript hashes are as long as the suite's hash. */
function epochNamed(groupId: Uint8Array, transcriptHash: Uint8Array): EpochId {
  return hex(blake2b(32, utf8(LABEL.groupEpoch), groupId, transcriptHash)) as EpochId;
}

function refusal(operation: string, message: string): AuthError {
  return new AuthError('not-authentic', operation, message);
}

const NOTHING = new Uint8Array();
