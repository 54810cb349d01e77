import { LIMITS } from '../base/limits.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable, Custody } from './schema.ts';

type CustodyCommands = Pick<CommandTable, 'custody.get' | 'custody.set'>;

export function custodyCommands(host: CoreHost): CustodyCommands {
  const show = (): Custody => {
    const { envelopes, bytes } = host.messenger().custody.usage;
    return { holds: host.holds(), helper: host.helper, envelopes, bytes, limitBytes: LIMITS.mailboxBytes };
  };
  return {
    'custody.get': async () => show(),
    'custody.set': async ({ holds }) => {
      const messenger = host.messenger();
      host.changeSettings({ ...host.settings(), custody: holds });
      messenger.holdsChanged();
      return show();
    },
  };
}
