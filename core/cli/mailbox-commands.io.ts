import { EXIT, type ExitCode } from '../commands/error-map.ts';
import { usage } from './failure.ts';
import type { Session } from './session.io.ts';
import { custodyText } from './text.ts';

/** custody. */

export async function custody(session: Session): Promise<ExitCode> {
  const [word = 'status'] = session.words;
  if (!['on', 'off', 'status'].includes(word)) throw usage('Say "molva custody on", "off" or "status".');
  const core = session.core();
  const result =
    word === 'status' ? await core.call('custody.get', {}) : await core.call('custody.set', { holds: word === 'on' });
  session.print(result, () => custodyText(result));
  return EXIT.done;
}
