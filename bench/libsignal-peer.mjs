import * as signal from '@signalapp/libsignal-client';

/** libsignal's stores, in memory and holding records as they are: nothing is serialized that need not be. */
class Sessions extends signal.SessionStore {
  #records = new Map();
  async saveSession(name, record) {
    this.#records.set(name.toString(), record);
  }
  async getSession(name) {
    return this.#records.get(name.toString()) ?? null;
  }
  async getExistingSessions(names) {
    return names.map(name => this.#records.get(name.toString()));
  }
}

class Identities extends signal.IdentityKeyStore {
  #key = signal.PrivateKey.generate();
  #known = new Map();
  async getIdentityKey() {
    return this.#key;
  }
  async getLocalRegistrationId() {
    return 5;
  }
  async saveIdentity(name, key) {
    this.#known.set(name.toString(), key);
    return signal.IdentityChange.NewOrUnchanged;
  }
  async isTrustedIdentity() {
    return true;
  }
  async getIdentity(name) {
    return this.#known.get(name.toString()) ?? null;
  }
}

class PreKeys extends signal.PreKeyStore {
  #records = new Map();
  async savePreKey(id, record) {
    this.#records.set(id, record);
  }
  async getPreKey(id) {
    return this.#records.get(id);
  }
  async removePreKey(id) {
    this.#records.delete(id);
  }
}

class SignedPreKeys extends signal.SignedPreKeyStore {
  #records = new Map();
  async saveSignedPreKey(id, record) {
    this.#records.set(id, record);
  }
  async getSignedPreKey(id) {
    return this.#records.get(id);
  }
}

class KyberPreKeys extends signal.KyberPreKeyStore {
  #records = new Map();
  async saveKyberPreKey(id, record) {
    this.#records.set(id, record);
  }
  async getKyberPreKey(id) {
    return this.#records.get(id);
  }
  async markKyberPreKeyUsed() {}
}

function makeEnd(name) {
  return {
    address: signal.ProtocolAddress.new(name, 1),
    sessions: new Sessions(),
    identities: new Identities(),
    preKeys: new PreKeys(),
    signedPreKeys: new SignedPreKeys(),
    kyberPreKeys: new KyberPreKeys(),
  };
}

async function publishBundle(end) {
  const identity = await end.identities.getIdentityKey();
  const preKey = signal.PrivateKey.generate();
  const signedPreKey = signal.PrivateKey.generate();
  const kyber = signal.KEMKeyPair.generate();
  const signature = identity.sign(signedPreKey.getPublicKey().serialize());
  const kyberSignature = identity.sign(kyber.getPublicKey().serialize());
  const now = Date.now();
  await end.preKeys.savePreKey(1, signal.PreKeyRecord.new(1, preKey.getPublicKey(), preKey));
  await end.signedPreKeys.saveSignedPreKey(
    1,
    signal.SignedPreKeyRecord.new(1, now, signedPreKey.getPublicKey(), signedPreKey, signature),
  );
  await end.kyberPreKeys.saveKyberPreKey(1, signal.KyberPreKeyRecord.new(1, now, kyber, kyberSignature));
  return signal.PreKeyBundle.new(
    5,
    1,
    1,
    preKey.getPublicKey(),
    1,
    signedPreKey.getPublicKey(),
    signature,
    identity.getPublicKey(),
    1,
    kyber.getPublicKey(),
    kyberSignature,
  );
}

/**
 * A libsignal session past its set-up: both ends have heard each other.
 * @returns `pass(way, text)`: encrypts at one end, decrypts at the other, and returns what arrived
 */
export async function makeSignalPair() {
  const ends = [makeEnd('alice'), makeEnd('bob')];
  const [alice, bob] = ends;
  const bundle = await publishBundle(bob);
  await signal.processPreKeyBundle(bundle, bob.address, alice.address, alice.sessions, alice.identities);
  const pass = async (way, text) => {
    const from = ends[way];
    const to = ends[1 - way];
    const sent = await signal.signalEncrypt(text, to.address, from.address, from.sessions, from.identities);
    const bytes = sent.serialize();
    if (sent.type() !== signal.CiphertextMessageType.PreKey) {
      const message = signal.SignalMessage.deserialize(bytes);
      return signal.signalDecrypt(message, from.address, to.address, to.sessions, to.identities);
    }
    const message = signal.PreKeySignalMessage.deserialize(bytes);
    const { sessions, identities, preKeys, signedPreKeys, kyberPreKeys } = to;
    return signal.signalDecryptPreKey(
      message,
      from.address,
      to.address,
      sessions,
      identities,
      preKeys,
      signedPreKeys,
      kyberPreKeys,
    );
  };
  for (const way of [0, 1, 0, 1]) await pass(way, new Uint8Array(256));
  return { pass };
}
