import { wipe } from '../base/bytes.ts';
import type { Clock, RandomSource } from '../base/clock.ts';
import { blake2b, deriveKey } from '../base/hash.ts';
import { type ContactId, contactIdOf } from '../base/ids.ts';
import { LABEL } from '../base/labels.ts';
import { LIMITS } from '../base/limits.ts';
import { requireNick } from '../base/nick.ts';
import { Secret } from '../base/secret.ts';
import { openCard, signCard } from '../crypto/card.ts';
import { publicKeyOfSeed } from '../crypto/ed25519.ts';
import { generateIdentity, type IdentityPublic, type IdentitySecrets, importIdentity } from '../crypto/identity.ts';
import { deriveMailboxKeys, type MailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import { generatePrekey, importPrekey, type Prekey } from '../crypto/prekey.ts';
import { type ConsumedInitiation, consumeSessionInitiation } from '../crypto/session.ts';
import { addressesToCard } from '../network/card-addresses.ts';
import type { PrekeyRecord, ProfileRecord } from '../storage/records.ts';
import type { Store } from '../storage/store.ts';

/** The own side of an unlocked profile: keys in guarded memory, and the current contact card. */
export interface Account {
  readonly id: ContactId;
  readonly createdAtMs: number;
  readonly identity: IdentitySecrets;
  readonly public: IdentityPublic;
  readonly transportSeed: Secret;
  readonly mailbox: MailboxKeys;
  /** Marks the starts of this profile as its own. */
  readonly instanceKey: Secret;
  /** Settles ties between custodians. */
  readonly tieKey: Secret;
  /** The current signed card; replaced whole by `renewCard`. */
  card: Buffer;
  nick: string;
  wipe(): void;
}

const KEY_BYTES = 32;

/** Makes the keys and first rows of a new profile. @returns its id @throws UsageError `bad-request` the nick is none */
export async function createAccount(
  store: Store,
  nick: string,
  clock: Clock,
  random: RandomSource,
): Promise<ContactId> {
  requireNick(nick, 'profile.create');
  const identity = generateIdentity(random);
  const transportSeed = random(KEY_BYTES);
  const nowMs = clock();
  const prekey = generatePrekey(1, nowMs, random);
  const exported = identity.export();
  const mailboxKey = random(KEY_BYTES);
  const presenceKey = random(KEY_BYTES);
  const card = signCard(identity, {
    serial: 1,
    issuedAtMs: nowMs,
    prekeys: [prekey.public],
    mailboxKey,
    presenceKey,
    transportKey: publicKeyOfSeed(transportSeed),
    addresses: [],
    nick,
  });
  const record: ProfileRecord = {
    nick,
    createdAtMs: nowMs,
    identity: exported,
    transportSeed,
    mailboxKey,
    presenceKey,
    cardSerial: 1,
    nextPrekeyId: 2,
    listenPorts: [],
    card,
  };
  const prekeyRow = prekeyRecord(prekey, nowMs);
  await store.write(tx => {
    store.profile.put(tx, record);
    store.prekeys.put(tx, prekeyRow);
  });
  wipe(exported, transportSeed, mailboxKey, presenceKey, prekeyRow.bytes);
  const id = contactIdOf(identity.public.identity);
  identity.wipe();
  prekey.wipe();
  return id;
}

/** Opens the keys of a stored profile; the row's copies are wiped. */
export function openAccount(profile: ProfileRecord): Account {
  const identity = importIdentity(profile.identity);
  const mailbox = deriveMailboxKeys(profile.mailboxKey);
  const root = blake2b(KEY_BYTES, profile.identity);
  const instanceKey = Secret.take(deriveKey(root, LABEL.incarnation));
  const tieKey = Secret.take(deriveKey(root, LABEL.custodianTie));
  wipe(root, profile.identity, profile.mailboxKey, profile.presenceKey);
  const transportSeed = Secret.take(profile.transportSeed);
  return {
    id: contactIdOf(identity.public.identity),
    createdAtMs: profile.createdAtMs,
    identity,
    public: identity.public,
    transportSeed,
    mailbox,
    instanceKey,
    tieKey,
    card: Buffer.from(profile.card),
    nick: profile.nick,
    wipe() {
      identity.wipe();
      transportSeed.wipe();
      instanceKey.wipe();
      tieKey.wipe();
      wipeMailboxKeys(mailbox);
    },
  };
}

export interface CardChange {
  readonly nick?: string;
  readonly addresses?: readonly string[];
  /** Leave out to keep the prekeys offered now. */
  readonly prekey?: Prekey;
}

/** Signs the next card of the profile. */
export function nextCard(account: Account, change: CardChange, nowMs: number): Buffer {
  const current = openCard(account.card);
  const prekeys = change.prekey
    ? [change.prekey.public, ...current.prekeys].slice(0, LIMITS.cardPrekeys)
    : current.prekeys;
  return signCard(account.identity, {
    serial: current.serial + 1,
    issuedAtMs: nowMs,
    prekeys,
    mailboxKey: current.mailboxKey,
    presenceKey: current.presenceKey,
    transportKey: current.transportKey,
    addresses: change.addresses ? addressesToCard(change.addresses) : current.addresses,
    nick: change.nick ?? current.nick,
  });
}

export function prekeyRecord(prekey: Prekey, nowMs: number): PrekeyRecord {
  return {
    id: prekey.id,
    bytes: prekey.export(),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + LIMITS.prekeyKeepMs,
  };
}

/**
 * Reads an initiation with the prekey it names, which is open only meanwhile. The caller wipes the result.
 * @throws DecodeError, AuthError as `consumeSessionInitiation`
 */
export function readInitiation(account: Account, store: Store, frame: Uint8Array): ConsumedInitiation {
  let prekey: Prekey | undefined;
  try {
    return consumeSessionInitiation({
      self: account.identity,
      prekey: id => {
        prekey = prekeyOf(store, id);
        return prekey;
      },
      frame,
    });
  } finally {
    prekey?.wipe();
  }
}

/** Wipes the secrets of a profile's row that was read to be changed. */
export function wipeProfileRecord(profile: ProfileRecord): void {
  wipe(profile.identity, profile.transportSeed, profile.mailboxKey, profile.presenceKey);
}

/** Undefined when it is unknown or was dropped. */
function prekeyOf(store: Store, id: number): Prekey | undefined {
  const record = store.prekeys.get(id);
  if (!record) return undefined;
  const prekey = importPrekey(record.bytes);
  wipe(record.bytes);
  return prekey;
}

/** Whether a card offers the addresses given, in the same order. */
export function cardOffers(card: Uint8Array, addresses: readonly string[]): boolean {
  const offered = openCard(card).addresses;
  const wanted = addressesToCard(addresses);
  return (
    offered.length === wanted.length &&
    wanted.every((item, index) => Buffer.compare(item, offered[index] as Uint8Array) === 0)
  );
}
