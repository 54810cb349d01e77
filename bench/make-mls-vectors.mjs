// Makes test/vectors/mls-hybrid.json: a hybrid group of ts-mls with its own provider, as one of its members sees it, in
// the form of the MLS working group's passive-client vectors. Nothing of Molva is loaded.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as mls from 'ts-mls';

const OUT = join(import.meta.dirname, '..', 'test', 'vectors', 'mls-hybrid.json');
const SUITE = 'MLS_256_XWING_CHACHA20POLY1305_SHA512_Ed25519';
const cs = await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(SUITE), mls.defaultCryptoProvider);
const hex = bytes => Buffer.from(bytes).toString('hex');
const encode = message => hex(mls.encodeMlsMessage({ version: 'mls10', ...message }));

function makePerson(name) {
  const credential = { credentialType: 'basic', identity: new TextEncoder().encode(name) };
  return mls.generateKeyPackage(credential, mls.defaultCapabilities(), mls.defaultLifetime, [], cs);
}

async function commit(state, extraProposals = []) {
  return await mls.createCommit({ state, cipherSuite: cs }, { extraProposals, ratchetTreeExtension: true });
}

const add = person => ({ proposalType: 'add', add: { keyPackage: person.publicPackage } });
const take = (state, message) => mls.processPrivateMessage(state, message, mls.emptyPskIndex, cs);
const joined = (made, person) =>
  mls.joinGroup(made.welcome, person.publicPackage, person.privatePackage, mls.emptyPskIndex, cs);

/** A founder adds the passive member, a second and a third; then `moves` name who commits, and what. */
async function makeVector(moves) {
  const [founder, passive, second, third] = await Promise.all(
    ['founder', 'passive', 'second', 'third'].map(makePerson),
  );
  const alone = await mls.createGroup(new Uint8Array(16), founder.publicPackage, founder.privatePackage, [], cs);
  const made = await commit(alone, [passive, second, third].map(add));
  let states = [made.newState, await joined(made, second), await joined(made, third)];
  const epochs = [];
  for (const [who, ...proposals] of moves) {
    const { commit: message, newState } = await commit(states[who], proposals);
    const takeTheirs = async (state, at) =>
      at === who ? newState : (await take(state, message.privateMessage)).newState;
    states = await Promise.all(states.map(takeTheirs));
    const authenticator = hex(newState.keySchedule.epochAuthenticator);
    epochs.push({ proposals: [], commit: encode(message), epoch_authenticator: authenticator });
  }
  const { publicPackage: keyPackage, privatePackage: secrets } = passive;
  return {
    cipher_suite: mls.ciphersuites[SUITE],
    external_psks: [],
    key_package: encode({ wireformat: 'mls_key_package', keyPackage }),
    // Without the head of PKCS #8: the seed.
    signature_priv: hex(secrets.signaturePrivateKey.slice(-32)),
    encryption_priv: hex(secrets.hpkePrivateKey),
    init_priv: hex(secrets.initPrivateKey),
    welcome: encode({ wireformat: 'mls_welcome', welcome: made.welcome }),
    ratchet_tree: null,
    initial_epoch_authenticator: hex(made.newState.keySchedule.epochAuthenticator),
    epochs,
  };
}

const removal = { proposalType: 'remove', remove: { removed: 3 } };
const moves = [[1], [2], [0], [0, add(await makePerson('late'))], [1, removal]];
const vectors = [await makeVector([]), await makeVector(moves)];
writeFileSync(OUT, `${JSON.stringify(vectors, null, 2)}\n`);
