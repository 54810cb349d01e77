import { contactCommands } from './contacts.ts';
import { custodyCommands } from './custody.ts';
import { groupCommands } from './groups.ts';
import type { CoreHost } from './host.ts';
import { messageCommands } from './messages.ts';
import { profileCommands } from './profile.ts';
import type { CommandTable } from './schema.ts';
import { verificationCommands } from './verification.ts';

/** Every command of the API, over one host. */
export function createCommands(host: CoreHost): CommandTable {
  return {
    ...profileCommands(host),
    ...contactCommands(host),
    ...groupCommands(host),
    ...messageCommands(host),
    ...custodyCommands(host),
    ...verificationCommands(host),
  };
}
