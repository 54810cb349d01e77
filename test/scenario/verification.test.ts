import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreHost } from '../../core/commands/host.ts';
import { verificationCommands } from '../../core/commands/verification.ts';
import { twoFriends } from '../support/people.ts';
import type { Person } from '../support/person.ts';
import type { VirtualTime } from '../support/virtual-time.ts';

/** Two who have met, each with the commands of its own core. */
async function twoWhoMet() {
  const { time, ada, ben } = await twoFriends();
  const side = (me: Person, other: Person) => {
    const commands = verificationCommands({ messenger: () => me.messenger } as CoreHost);
    const who = other.id;
    return {
      start: () => time.run(commands['verification.start']({ who })),
      enter: (code: string) => time.run(commands['verification.enter']({ who, code })),
      confirm: () => time.run(commands['verification.confirm']({ who })),
      cancel: () => time.run(commands['verification.cancel']({ who })),
      now: () => commands['verification.get']({ who }),
      trust: () => me.store.contacts.get(who)?.trust,
    };
  };
  return { time, ada: side(ada, ben), ben: side(ben, ada) };
}

type Side = Awaited<ReturnType<typeof twoWhoMet>>['ada'];

async function showTo({ time }: { time: VirtualTime }, shower: Side, typer: Side): Promise<string> {
  await shower.start();
  await reaches(time, shower, 'ready');
  await reaches(time, typer, 'ready');
  return (await shower.now())?.code ?? '';
}

async function reaches(time: VirtualTime, side: Side, phase: string): Promise<void> {
  let seen: string | undefined;
  await time.until(() => {
    void side.now().then(now => {
      seen = now?.phase;
    });
    return seen === phase;
  });
}

describe('the one-time code, by the commands of both sides', () => {
  it('matched is a report, verified is an end, and they are told apart', async () => {
    const world = await twoWhoMet();
    const { time, ada, ben } = world;
    const code = await showTo(world, ada, ben);
    assert.equal((await ben.enter(code)).phase, 'verified');
    assert.equal(ben.trust(), 'verified');
    await reaches(time, ada, 'matched');
    assert.equal(ada.trust(), 'unverified', 'a report verifies nothing');
    assert.equal((await ada.confirm()).trust, 'verified');
    assert.equal((await ada.now())?.phase, 'verified');
  });

  it('given up by the one who shows: both know, and the code opens nothing any more', async () => {
    const world = await twoWhoMet();
    const { time, ada, ben } = world;
    const code = await showTo(world, ada, ben);
    assert.equal((await ada.cancel())?.phase, 'cancelled');
    assert.equal((await ada.now())?.code, null);
    await reaches(time, ben, 'cancelled');
    await assert.rejects(ben.enter(code), { code: 'refused' });
    await assert.rejects(ada.confirm(), { code: 'refused' });
    assert.deepEqual([ada.trust(), ben.trust()], ['unverified', 'unverified']);
    assert.equal((await showTo(world, ben, ada)).length, 12, 'a new one can be shown');
  });

  it('a reported match that is denied cannot be confirmed later', async () => {
    const world = await twoWhoMet();
    const { time, ada, ben } = world;
    await ben.enter(await showTo(world, ada, ben));
    await reaches(time, ada, 'matched');
    assert.equal((await ada.cancel())?.phase, 'cancelled');
    await assert.rejects(ada.confirm(), { code: 'refused' });
    assert.equal(ada.trust(), 'unverified');
  });

  it('giving up where nothing is under way changes nothing', async () => {
    const { ada } = await twoWhoMet();
    assert.equal(await ada.cancel(), null);
    assert.equal(await ada.now(), null);
  });
});
