import v8 from 'node:v8';
import vm from 'node:vm';
import { DAY_MS, SECOND_MS } from '../core/base/clock.ts';
import {
  type ContactId,
  contactIdOf,
  conversationIdOf,
  parseEnvelopeId,
  parseIdentityKey,
  parseTransportKey,
} from '../core/base/ids.ts';
import { systemRandom } from '../core/base/world.io.ts';
import { Placing } from '../core/state/placing.ts';
import { Presence } from '../core/state/presence.ts';
import type { ContactRecord } from '../core/storage/records.ts';
import { MemoryNetwork } from '../test/support/memory-network.ts';
import { Person } from '../test/support/person.ts';
import { VirtualTime } from '../test/support/virtual-time.ts';
import { median, type Row } from './row.ts';

const CONTACTS = 200;
const ENVELOPES = 10_000;
const HOLDERS = 3;
const PAGE = 500;
const RECEIPT_BYTES = 148;
const ROUNDS = 9;

/** What a full outbox costs while nothing of it can be delivered: envelopes with three receipts each, all contacts there. */
export async function run(): Promise<Row[]> {
  const time = new VirtualTime();
  const ada = await Person.create('Ada', new MemoryNetwork(time.scheduler), time);
  const contacts = await addContacts(ada);
  const away = contacts[0] as ContactId;
  await fillOutbox(ada, away, contacts.slice(1), time.clock());
  const presence = new Presence(
    ada.messenger.context,
    ada.swarm,
    () => undefined,
    () => true,
  );
  const awayKey = ada.store.contacts.get(away)?.transportKey ?? Buffer.of();
  Object.assign(ada.swarm, {
    isConnected: (key: Uint8Array) => Buffer.compare(key, awayKey) !== 0,
    channel: () => new Promise(() => undefined),
  });
  presence.custodians();
  const emptyBytes = heapBytes();
  const placing = new Placing(ada.messenger.context, ada.swarm, presence);
  await placing.start();
  await time.pass(SECOND_MS);
  const bytes = (heapBytes() - emptyBytes) / ENVELOPES;
  const comes = await cpuMs(time, round => {
    const contact = contacts[round + 1] as ContactId;
    presence.note(contact);
    placing.presenceChanged(contact);
  });
  const sweeps = await cpuMs(time, () => placing.sweep());
  return [
    row('a contact connects, full outbox', 'ms', median(comes), 20),
    row('sweep of a full outbox', 'ms', median(sweeps), 20),
    row('heap an envelope with three receipts', 'bytes', bytes, 400),
  ];
}

async function addContacts(ada: Person): Promise<ContactId[]> {
  const { store } = ada;
  const contacts = Array.from({ length: CONTACTS }, () => newContact(ada));
  await store.write(tx => {
    for (const contact of contacts) {
      store.contacts.put(tx, contact);
      const stamp = { alias: systemRandom(4), order: 1, sealed: systemRandom(24) };
      store.instances.putSeen(tx, contact.id, { holds: true, stamps: [stamp] });
    }
  });
  return contacts.map(({ id }) => id);
}

function newContact(ada: Person): ContactRecord {
  const identity = parseIdentityKey(systemRandom(32));
  return {
    id: contactIdOf(identity),
    identity,
    conversation: conversationIdOf(ada.messenger.context.account.public.identity, identity),
    card: systemRandom(1_500),
    cardSerial: 1,
    nick: '',
    claimedNick: 'Ben',
    phase: 'accepted',
    trust: 'unverified',
    addedAtMs: 0,
    lastSeenAtMs: null,
    addresses: [],
    transportKey: parseTransportKey(systemRandom(32)),
    mailboxKey: systemRandom(32),
    initiation: null,
    superseded: null,
    lastInitiationMs: 0,
  };
}

async function fillOutbox(ada: Person, contact: ContactId, custodians: ContactId[], nowMs: number): Promise<void> {
  const { store } = ada;
  const untilMs = nowMs + 6 * DAY_MS;
  for (let start = 0; start < ENVELOPES; start += PAGE) {
    await store.write(tx => {
      for (let index = start; index < start + PAGE; index += 1) {
        const envelopeId = parseEnvelopeId(systemRandom(32));
        const envelope = systemRandom(283);
        const seq = nowMs * 64 + index;
        store.outbox.put(tx, { envelopeId, contact, seq, envelope, expiresAtMs: nowMs + 7 * DAY_MS, messageId: null });
        for (let holder = 0; holder < HOLDERS; holder += 1) {
          const custodian = custodians[(index * 7 + holder) % custodians.length] as ContactId;
          const receipt = systemRandom(RECEIPT_BYTES);
          const row = { envelopeId, messageId: null, contact, custodian, changedAtMs: nowMs, untilMs, receipt };
          store.placements.put(tx, row);
        }
      }
    });
  }
}

/** Processor time of each of some rounds, with everything that they set off. */
async function cpuMs(time: VirtualTime, act: (round: number) => void): Promise<number[]> {
  const all: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    act(round);
    await time.pass(10);
    const { user, system } = process.cpuUsage(before);
    all.push((user + system) / 1_000);
  }
  return all;
}

function heapBytes(): number {
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

function row(name: string, unit: string, value: number, goal: number): Row {
  const note = `${ENVELOPES} envelopes, ${CONTACTS} contacts; times are processor time, median of ${ROUNDS}`;
  return { name, unit, value, goal, goalOf: 'value', better: 'less', peer: '', peerValue: null, ratio: null, note };
}

if (import.meta.main) {
  for (const each of await run()) process.stdout.write(`${JSON.stringify(each)}\n`);
  process.exit(0);
}
