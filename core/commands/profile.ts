import type { CoreHost } from './host.ts';
import { parseLink } from './link.ts';
import type { CommandTable, Status } from './schema.ts';
import { profileView } from './views.ts';

type ProfileCommands = Pick<
  CommandTable,
  | 'status.get'
  | 'core.stop'
  | 'window.open'
  | 'settings.set'
  | 'link.open'
  | 'profile.create'
  | 'profile.get'
  | 'profile.rename'
  | 'vault.unlock'
  | 'vault.lock'
  | 'vault.changePassphrase'
  | 'vault.keychain'
  | 'panic.wipe'
>;

export function profileCommands(host: CoreHost): ProfileCommands {
  return {
    'status.get': () => statusOf(host),
    'core.stop': async () => {
      host.stop();
      return { done: true };
    },
    'window.open': ({ launch }) => host.openWindow(launch),
    'settings.set': async ({ theme }) => {
      host.changeSettings({ ...host.settings(), theme });
      return host.settings();
    },
    'link.open': async ({ url: asked }) => {
      const url = parseLink(asked);
      await host.openLink(url);
      return { url };
    },
    'profile.create': async ({ nick, passphrase }) => {
      await host.createProfile(nick, Buffer.from(passphrase));
      return profileView(host.messenger());
    },
    'profile.get': async () => profileView(host.messenger()),
    'profile.rename': async ({ nick }) => {
      const messenger = host.messenger();
      await messenger.upkeep.changeCard({ nick });
      return profileView(messenger);
    },
    'vault.unlock': async ({ passphrase }) => {
      await host.unlock(passphrase === undefined ? undefined : Buffer.from(passphrase));
      return profileView(host.messenger());
    },
    'vault.lock': async () => {
      await host.lock();
      return { done: true };
    },
    'vault.changePassphrase': async ({ current, next }) => {
      await host.changePassphrase(Buffer.from(current), Buffer.from(next));
      return { done: true };
    },
    'vault.keychain': async ({ enabled }) => ({ enabled: await host.setKeychain(enabled) }),
    'panic.wipe': async () => ({ keysGoneMs: await host.wipe() }),
  };
}

async function statusOf(host: CoreHost): Promise<Status> {
  const process = await host.processStatus();
  const state = host.state();
  const { offlineMode } = host;
  if (state !== 'unlocked') {
    const network = { online: false, offlineMode, peerId: null, addresses: [], peers: 0 };
    return { ...process, state, profile: null, network, queued: 0, restoredAt: null };
  }
  const messenger = host.messenger();
  const { swarm } = messenger;
  const peers = swarm.connectedPeers().length;
  return {
    ...process,
    state,
    profile: profileView(messenger),
    network: { online: peers > 0, offlineMode, peerId: swarm.peerId, addresses: swarm.addresses(), peers },
    queued: messenger.queuedMessages(),
    restoredAt: messenger.starts.restoredAtMs,
  };
}
