import { SECOND_MS } from '../../core/base/clock.ts';
import { MemoryNetwork } from './memory-network.ts';
import { Person } from './person.ts';
import { VirtualTime } from './virtual-time.ts';

/** What a line of the network does to what it carries. */
type Weather = ConstructorParameters<typeof MemoryNetwork>[1];

/** People of one world with its own time, who do not know each other yet. */
export async function people<const Nicks extends readonly string[]>(nicks: Nicks, weather?: Weather) {
  const time = new VirtualTime();
  const network = new MemoryNetwork(time.scheduler, weather);
  const all: Person[] = [];
  for (const nick of nicks) all.push(await Person.create(nick, network, time));
  return { time, network, all: all as { [At in keyof Nicks]: Person } };
}

/** Ada and Ben, who know each other. */
export async function twoFriends(weather?: Weather) {
  const { time, network, all } = await people(['Ada', 'Ben'], weather);
  const [ada, ben] = all;
  await ada.meet(ben);
  return { time, network, ada, ben };
}

/** Ada, Ben and Cleo, who know each other and have nothing more to say. */
export async function threeFriends() {
  const { time, network, all } = await people(['Ada', 'Ben', 'Cleo']);
  const [ada, ben, cleo] = all;
  await ada.meet(ben);
  await ada.meet(cleo);
  await ben.meet(cleo);
  await time.pass(30 * SECOND_MS);
  return { time, network, ada, ben, cleo };
}

/** The three, and Dan, whom Ada alone knows. */
export async function threeFriendsAndDan() {
  const friends = await threeFriends();
  const dan = await Person.create('Dan', friends.network, friends.time);
  await friends.ada.meet(dan);
  await friends.time.pass(30 * SECOND_MS);
  return { ...friends, dan };
}
