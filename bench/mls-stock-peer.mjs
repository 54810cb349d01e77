import * as mls from 'ts-mls';
import { createSecretTree } from 'ts-mls/secretTree.js';

/**
 * ts-mls with its own provider, beginning with Molva's state: what it takes from there it could have made itself, and
 * that it can go on with it shows that the two speak the same protocol.
 */
export async function measureStock(suite, pair, { ROUNDS, MESSAGES, TEXT, medianMs }) {
  const cs = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(suite), mls.defaultCryptoProvider);
  let alice = await adopt(pair.alice, cs);
  let bob = await adopt(pair.bob, cs);
  const create = await medianMs(ROUNDS, async () => {
    const own = await newcomer(cs);
    return mls.createGroup(new Uint8Array(16), own.publicPackage, own.privatePackage, [], cs);
  });
  let [added, fresh] = [];
  const addOne = await medianMs(ROUNDS, async () => {
    fresh = await newcomer(cs);
    const proposal = { proposalType: 'add', add: { keyPackage: fresh.publicPackage } };
    const options = { extraProposals: [proposal], ratchetTreeExtension: true };
    added = await mls.createCommit({ state: bob, cipherSuite: cs }, options);
  });
  const { publicPackage, privatePackage } = fresh;
  const join = await medianMs(ROUNDS, () =>
    mls.joinGroup(added.welcome, publicPackage, privatePackage, mls.emptyPskIndex, cs),
  );
  let made;
  const commit = await medianMs(ROUNDS, async () => {
    made = await mls.createCommit({ state: bob, cipherSuite: cs });
  });
  const process = await medianMs(ROUNDS, () => take(alice, made.commit.privateMessage, cs));
  const sent = [];
  const encrypt = await medianMs(MESSAGES, async () => {
    const { newState, privateMessage } = await mls.createApplicationMessage(alice, TEXT, cs);
    alice = newState;
    sent.push(privateMessage);
  });
  let at = 0;
  const decrypt = await medianMs(MESSAGES, async () => {
    bob = (await take(bob, sent[at++], cs)).newState;
  });
  return { create, addOne, commit, process, join, encrypt, decrypt };
}

function take(state, message, cs) {
  return mls.processPrivateMessage(state, message, mls.emptyPskIndex, cs);
}

function newcomer(cs) {
  const credential = { credentialType: 'basic', identity: new Uint8Array(96) };
  const capabilities = { ...mls.defaultCapabilities(), extensions: [0xf0a1] };
  return mls.generateKeyPackage(credential, capabilities, mls.defaultLifetime, [], cs);
}

/** @param state of an epoch in which nobody has spoken, so that its secret tree is one secret */
async function adopt(state, cs) {
  const [[, secret]] = state.secretTree.secrets;
  return {
    groupContext: state.context,
    keySchedule: state.keys,
    secretTree: await createSecretTree(state.secretTree.leafCount, secret, cs.kdf),
    ratchetTree: state.tree.nodes,
    privatePath: state.path,
    signaturePrivateKey: state.signatureSecret.subarray(0, 32),
    unappliedProposals: {},
    confirmationTag: state.confirmationTag,
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig: {
      keyRetentionConfig: mls.defaultKeyRetentionConfig,
      lifetimeConfig: mls.defaultLifetimeConfig,
      keyPackageEqualityConfig: mls.defaultKeyPackageEqualityConfig,
      paddingConfig: { kind: 'alwaysPad', paddingLength: 0 },
      authService: mls.defaultAuthenticationService,
    },
  };
}
