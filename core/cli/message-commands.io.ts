import { LIMITS } from '../base/limits.ts';
import { EXIT, type ExitCode } from '../commands/error-map.ts';
import type { ApiEvent, Params } from '../commands/schema.ts';
import { eventText } from './event-text.ts';
import { noCore, usage } from './failure.ts';
import { GroupNames } from './group-names.ts';
import type { Session } from './session.io.ts';
import { messageLine, messagesText, proofsText } from './text.ts';

/** send, messages, resend, proof, watch. */

export async function send(session: Session): Promise<ExitCode> {
  const [who = '', word = ''] = session.words;
  const core = session.core();
  const text = word === '-' ? await readText(session) : word;
  const message = await core.call('messages.send', { who, text });
  session.print(message, () => `${messageLine(message)}\n`);
  return EXIT.done;
}

/** What comes on the standard input, without the end of its last line. */
export async function readText(session: Session): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of session.io.stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length > 2 * LIMITS.textBytes) throw usage('The text is too long.');
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/\r?\n$/, '');
}

export async function messages(session: Session): Promise<ExitCode> {
  const [who = ''] = session.words;
  const { limit, before } = session.options;
  const params: Params<'messages.list'> = { who };
  if (limit !== undefined) params.limit = readLimit(limit);
  if (before !== undefined) params.before = before;
  const { messages: list, missing } = await session.core().call('messages.list', params);
  session.printAll(list, () => (list.length === 0 ? 'No messages yet.\n' : messagesText(list)));
  if (missing > 0)
    session.note(`${missing} earlier ${missing === 1 ? 'message has' : 'messages have'} not come yet.\n`);
  return EXIT.done;
}

export async function resend(session: Session): Promise<ExitCode> {
  const [id = ''] = session.words;
  const message = await session.core().call('messages.sendAgain', { id });
  session.print(message, () => `${messageLine(message)}\n`);
  return EXIT.done;
}

export async function proof(session: Session): Promise<ExitCode> {
  const [id = ''] = session.words;
  const found = await session.core().call('messages.proof', { id });
  session.print(found, () => proofsText(found.proofs));
  return EXIT.done;
}

function readLimit(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) throw usage('--limit takes a whole number from 1 to 10000.');
  return Number(text);
}

/**
 * The first line is the core's present state, so that a script knows from when on it misses nothing.
 * Ends done when interrupted or when nobody reads any more, and with "no core running" when the core goes away.
 */
export async function watch(session: Session): Promise<ExitCode> {
  const groups = new GroupNames();
  const print = (event: ApiEvent) => {
    groups.see(event);
    session.print(event, () => `${eventText(event, groups)}\n`);
  };
  const waiting: ApiEvent[] = [];
  let begun = false;
  let interrupted = false;
  const core = session.core();
  const watching = await core.watch(event => (begun ? print(event) : waiting.push(event)));
  const interrupt = () => {
    interrupted = true;
    watching.stop();
  };
  session.io.stdout.on('error', interrupt);
  const stopListening = session.io.onSignal(interrupt);
  const { state } = await core.call('status.get', {});
  if (state === 'unlocked' && !session.json) groups.learn(await core.call('groups.list', {}));
  print({ event: 'core-state', state });
  begun = true;
  for (const event of waiting) print(event);
  await watching.ended;
  stopListening();
  if (!interrupted) throw noCore(session.dataDirectory);
  return EXIT.done;
}
