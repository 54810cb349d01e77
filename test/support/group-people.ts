import type { GroupId } from '../../core/base/ids.ts';
import { systemRandom } from '../../core/base/world.io.ts';
import { MemoryRows } from '../../core/storage/memory-rows.ts';
import { decodeNotice, type Notice } from '../../core/wire/notice.ts';
import type { MemoryNetwork } from './memory-network.ts';
import { people } from './people.ts';
import type { Person } from './person.ts';

const ALL = [Buffer.alloc(0), Buffer.alloc(64, 0xff)] as const;

/** A profile's folder: the rows, and the file beside them. */
export interface Folder {
  readonly rows: MemoryRows;
  readonly mark: Buffer | undefined;
}

/** Contacts of each other in one group, which the first has made, all in one epoch. */
export async function groupOf<const Nicks extends readonly string[]>(nicks: Nicks) {
  const world = await people(nicks);
  const { time } = world;
  const all: readonly Person[] = world.all;
  const [maker, ...others] = all;
  if (!maker) throw new Error('nobody is there');
  for (const person of all) person.addable = true;
  for (const [at, person] of all.entries()) for (const other of all.slice(at + 1)) await person.meet(other);
  await time.until(() => others.every(({ id }) => maker.store.peerKeyPackages.get(id) !== undefined));
  const ids = others.map(({ id }) => id);
  const group = await time.run(maker.messenger.groups.create('Trip', ids));
  await time.until(() => all.every(person => membersOf(person, group) === all.length));
  return { ...world, group };
}

export function membersOf(person: Person, group: GroupId): number {
  return person.messenger.groups.list().find(({ id }) => id === group)?.members.length ?? 0;
}

/** Texts in the order in which they are shown. */
export function textsOf(person: Person, group: GroupId): string[] {
  return rowsOf(person, group).flatMap(({ content, text }) => (content === undefined ? [text] : []));
}

export function noticesOf(person: Person, group: GroupId): Notice[] {
  return rowsOf(person, group).flatMap(({ content }) => (content === undefined ? [] : decodeNotice(content)));
}

export function have(persons: readonly Person[], group: GroupId, text: string): () => boolean {
  return () => persons.every(person => textsOf(person, group).filter(heard => heard === text).length === 1);
}

/** The folder as a backup of it would be, taken while the program runs or not. */
export async function backUp({ rows, startsMark }: Person): Promise<Folder> {
  return { rows: await copyOf(rows), mark: startsMark };
}

export async function putBack(person: Person, { rows, mark }: Folder): Promise<void> {
  await person.stop();
  await person.putBack(await copyOf(rows));
  person.startsMark = mark;
  await person.start();
}

/** Those of one side reach nobody of the other. */
export function part(network: MemoryNetwork, one: readonly Person[], other: readonly Person[]): void {
  for (const a of one) for (const b of other) network.part(a.swarm.transportKey, b.swarm.transportKey);
}

export function heal(network: MemoryNetwork, one: readonly Person[], other: readonly Person[]): void {
  for (const a of one) for (const b of other) network.heal(a.swarm.transportKey, b.swarm.transportKey);
}

/** Something that stands for rows which a failing disk has damaged. */
export async function damage(person: Person, group: GroupId): Promise<void> {
  const { store } = person;
  const record = store.groups.get(group);
  if (!record) throw new Error('no such group');
  await person.stop();
  await store.write(tx => store.groups.put(tx, { ...record, state: systemRandom(64) }));
  await person.start();
}

async function copyOf(rows: MemoryRows): Promise<MemoryRows> {
  const copy = new MemoryRows();
  await copy.commit([...rows.range(...ALL)]);
  return copy;
}

function rowsOf(person: Person, group: GroupId) {
  const { conversation } = person.messenger.groups.get(group);
  return person.store.messages.newest(conversation, 1_000);
}
