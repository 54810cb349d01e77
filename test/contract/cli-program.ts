import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createApi } from '../../core/api/api.io.ts';
import { createTokens } from '../../core/api/tokens.ts';
import { wipe } from '../../core/base/bytes.ts';
import { AuthError, UsageError } from '../../core/base/errors.ts';
import { systemClock, systemRandom, systemScheduler } from '../../core/base/world.io.ts';
import { runCli } from '../../core/cli/cli.io.ts';
import type { CoreRunner, StartOptions } from '../../core/cli/runner.ts';
import { removeCoreFile, writeCoreFile } from '../../core/commands/core-file.io.ts';
import type {
  ApiEvent,
  CommandTable,
  Contact,
  Message,
  Profile,
  Status,
  Verification,
} from '../../core/commands/schema.ts';
import { groupCommands } from './cli-groups.ts';

/**
 * A program like the product's own around the real command line, API and core file, with a core that keeps one
 * contact and its messages in memory. Run as a process of its own by the cli tests.
 */

const id = (letter: string) => letter.repeat(26);
const PASSPHRASE = 'correct horse';

function makeCore(options: StartOptions, emit: (event: ApiEvent) => void, stop: () => void): CommandTable {
  let state: Status['state'] = options.passphrase?.toString() === PASSPHRASE ? 'unlocked' : 'locked';
  const profile: Profile = { id: id('a'), nick: 'Ann', createdAt: 1 };
  const messages: Message[] = [];
  const bob: Contact = {
    id: id('b'),
    conversation: id('c'),
    nick: 'Bob\u001b[2J',
    claimedNick: 'Bob',
    phase: 'accepted',
    trust: 'unverified',
    online: true,
    addable: true,
    safetyNumber: '12345 '.repeat(12).trim(),
    addedAt: 1,
    lastSeenAt: null,
  };
  const verification: Verification = {
    contact: bob.id,
    role: 'shows',
    phase: 'exchanging',
    code: null,
    triesLeft: 3,
    expiresAt: Date.now() + 600_000,
  };
  const proofs = [
    { says: 'read' as const, at: 1_760_000_000_000, by: 'Ben', identity: '0a', statement: '0b', signature: '0c' },
  ];
  const held = { holds: true, helper: false, envelopes: 3, bytes: 4096, limitBytes: 64 * 2 ** 20 };
  const open = () => {
    if (state !== 'unlocked') throw new UsageError('locked', 'test', 'The profile is locked.');
  };
  const find = (who: string) => {
    open();
    if (who === 'twins') throw new UsageError('ambiguous', 'test', 'More than one is called so.');
    if (who !== 'bob' && who !== bob.id) throw new UsageError('not-found', 'test', `There is no contact "${who}".`);
    return bob;
  };
  const done = async () => ({ done: true as const });
  const status = async (): Promise<Status> => ({
    version: '0.0.1',
    state,
    pid: process.pid,
    dataDirectory: options.dataDirectory,
    startedAt: 1,
    unlockAllowedAt: 0,
    profile: state === 'unlocked' ? profile : null,
    network: {
      online: !options.offline,
      offlineMode: options.offline,
      peerId: null,
      addresses: [...options.listen],
      peers: 1,
    },
    keychain: { available: false, enabled: false, reason: 'There is none here.' },
    hardening: { addon: 'missing', coreDumps: 'unknown', memory: 'unlocked', missing: ['Build the addon.'] },
    settings: { theme: 'auto', custody: true },
    queued: 2,
    restoredAt: null,
    memoryBytes: 60 * 2 ** 20,
  });
  return {
    'status.get': status,
    'core.stop': async () => {
      setImmediate(stop);
      return { done: true };
    },
    'window.open': async ({ launch }) => ({ url: 'http://127.0.0.1:1/#code=x', launched: launch === true }),
    'profile.create': async ({ nick }) => ({ ...profile, nick }),
    'profile.get': async () => profile,
    'profile.rename': async ({ nick }) => ({ ...profile, nick }),
    'vault.unlock': async ({ passphrase }) => {
      if (passphrase !== PASSPHRASE) throw new AuthError('wrong-passphrase', 'test', 'The passphrase is wrong.');
      state = 'unlocked';
      return profile;
    },
    'vault.lock': async () => {
      state = 'locked';
      return { done: true };
    },
    'vault.changePassphrase': done,
    'vault.keychain': async () => ({ enabled: false }),
    'invite.create': async () => ({ invite: 'molva:1/abc', expiresAt: 1_800_000_000_000 }),
    'contacts.list': async () => {
      open();
      return [bob, { ...bob, nick: 'Cyd' }];
    },
    'contacts.add': async ({ invite, nick }) => {
      if (!invite.startsWith('molva:1/')) throw new UsageError('bad-bytes', 'test', 'This is not an invite.');
      return { ...bob, nick: nick ?? 'Bob', phase: 'requested' };
    },
    'contacts.rename': async ({ who, nick }) => ({ ...find(who), nick }),
    'contacts.remove': async ({ who }) => {
      find(who);
      return { done: true };
    },
    'requests.list': async () => [{ id: id('d'), nick: 'Dan', safetyNumber: bob.safetyNumber, receivedAt: 1 }],
    'requests.accept': async ({ id: request }) => {
      if (request !== id('d')) throw new UsageError('not-found', 'test', 'There is no such request.');
      return { ...bob, id: request, nick: 'Dan' };
    },
    'requests.decline': done,
    'conversations.list': async () => [],
    ...groupCommands(open, bob),
    'messages.send': async ({ who, text }) => {
      const contact = find(who);
      const message: Message = {
        id: id('m'),
        conversation: contact.conversation,
        from: profile.id,
        fromNick: profile.nick,
        outgoing: true,
        text,
        sentAt: Date.now(),
        place: '',
        state: 'queued',
        heldBy: 0,
        until: null,
        late: false,
        notice: null,
        reach: null,
      };
      messages.push(message);
      emit({ event: 'message-sent', message });
      return message;
    },
    'messages.list': async ({ who, limit = 50 }) => {
      find(who);
      return { messages: messages.slice(-limit), more: false, completeUpTo: null, missing: 0 };
    },
    'messages.sendAgain': async () => {
      throw new UsageError('refused', 'test', 'Only a message that has expired can be sent again.');
    },
    'messages.proof': async ({ id }) => ({ id, proofs }),
    'custody.get': async () => held,
    'custody.set': async ({ holds }) => ({ ...held, holds }),
    'messages.markRead': done,
    'verification.start': async ({ who }) => {
      find(who);
      setImmediate(() =>
        emit({
          event: 'verification-changed',
          verification: { ...verification, phase: 'ready', code: 'ABCDEFGH2345' },
        }),
      );
      return verification;
    },
    'verification.get': async () => null,
    'verification.enter': async ({ who, code }) => {
      find(who);
      emit({ event: 'verification-changed', verification: { ...verification, phase: 'matched' } });
      if (code !== 'ABCDEFGH2345') throw new AuthError('code-mismatch', 'test', 'The codes differ.');
      return { ...verification, role: 'types', phase: 'verified' };
    },
    'verification.confirm': async ({ who }) => ({ ...find(who), trust: 'verified' }),
    'verification.cancel': async ({ who }) => {
      find(who);
      return { ...verification, phase: 'cancelled' };
    },
    'settings.set': async ({ theme }) => ({ theme, custody: true }),
    'link.open': async ({ url }) => ({ url }),
    'panic.wipe': async () => {
      rmSync(join(options.dataDirectory, 'vault.key'), { force: true });
      setImmediate(stop);
      return { keysGoneMs: 1.5 };
    },
  };
}

const runner: CoreRunner = {
  version: '0.0.1',
  hasProfile: async () => true,
  createProfile: async ({ nick, passphrase }) => {
    const strong = passphrase.toString() === PASSPHRASE;
    wipe(passphrase);
    if (!strong) throw new UsageError('bad-request', 'test', 'Another passphrase was expected.');
    return { id: id('a'), nick, createdAt: 1 };
  },
  startCore: async options => {
    const tokens = createTokens({ clock: systemClock, random: systemRandom });
    const listeners = new Set<(event: ApiEvent) => void>();
    const stopped = Promise.withResolvers<void>();
    const stop = async () => {
      if (options.listen.includes('/never-stops')) return;
      await api.close();
      removeCoreFile(options.dataDirectory, process.pid);
      stopped.resolve();
    };
    const emit = (event: ApiEvent) => {
      for (const listener of listeners) listener(event);
    };
    const api = createApi({
      bundles: {
        write: async () => {
          throw new UsageError('refused', 'test', 'Not in this test.');
        },
        read: async () => {
          throw new UsageError('refused', 'test', 'Not in this test.');
        },
      },
      commands: makeCore(options, emit, stop),
      subscribe: listener => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      tokens,
      pageDirectory: '/nonexistent',
      scheduler: systemScheduler,
      log: () => {},
    });
    const { origin } = await api.listen();
    writeCoreFile(options.dataDirectory, { url: origin, pid: process.pid, token: tokens.reveal() });
    return { url: api.issueLink(), pid: process.pid, stopped: stopped.promise, stop };
  },
  wipe: async dataDirectory => {
    rmSync(join(dataDirectory, 'vault.key'), { force: true });
    return { keysGoneMs: 0.5 };
  },
};

const io = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  programDirectory: process.env.TEST_PROGRAM_DIRECTORY ?? import.meta.dirname,
  endNow: (code: number) => process.exit(code),
  onSignal(listener: () => void) {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, listener);
    return () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, listener);
    };
  },
};

process.exitCode = await runCli(process.argv.slice(2), io, runner);
