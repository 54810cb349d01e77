import { EXIT, type ExitCode } from '../commands/error-map.ts';
import type { ApiEvent, Verification } from '../commands/schema.ts';
import type { CoreClient } from './client.io.ts';
import { CliFailure, noCore, usage } from './failure.ts';
import type { Session } from './session.io.ts';
import { contactLine, verificationText } from './text.ts';

/**
 * `verify WHO` shows a code, `verify WHO CODE` compares the one the other side shows, `verify WHO --confirm` says
 * that the other person reported a match, `verify WHO --cancel` gives the code up. A mismatch is "refused" (4).
 */
export async function verify(session: Session): Promise<ExitCode> {
  const [who = '', ...code] = session.words;
  const core = session.core();
  const { confirm, cancel } = session.options;
  if (Number(code.length > 0) + Number(confirm === true) + Number(cancel === true) > 1) {
    throw usage('Give a code, --confirm or --cancel, and only one of them.');
  }
  if (cancel) {
    const left = await core.call('verification.cancel', { who });
    session.print(left, () => (left ? verificationText(left) : 'No code is under way.\n'));
    return EXIT.done;
  }
  if (confirm) {
    const contact = await core.call('verification.confirm', { who });
    session.print(contact, () => `${contactLine(contact)}\n`);
    return EXIT.done;
  }
  if (code.length === 0) return show(session, core, who);
  // A code is read out in groups, so it may be typed in groups.
  const result = await core.call('verification.enter', { who, code: code.join('') });
  if (result.phase !== 'verified') {
    throw new CliFailure('code-mismatch', EXIT.refused, verificationText(result).trimEnd());
  }
  session.print(result, () => verificationText(result));
  return EXIT.done;
}

/** With --json or --no-wait it is done when there is a code; else when the other side has used it, or cannot any more. */
async function show(session: Session, core: CoreClient, who: string): Promise<ExitCode> {
  const follow = await followVerification(session, core);
  try {
    let current = follow.begin(await core.call('verification.start', { who }));
    let shown: Verification | undefined;
    for (;;) {
      if (isOver(current)) return ended(session, current);
      if (current.phase === 'ready' && !shown) {
        shown = current;
        session.print(current, () => verificationText(shown as Verification));
        if (session.json || session.options['no-wait']) return EXIT.done;
      } else if (current.phase === 'exchanging') session.note(verificationText(current));
      current = await follow.next();
    }
  } finally {
    follow.stop();
  }
}

function isOver({ phase }: Verification): boolean {
  return phase !== 'exchanging' && phase !== 'ready';
}

function ended(session: Session, verification: Verification): ExitCode {
  const text = verificationText(verification);
  if (verification.phase !== 'matched' && verification.phase !== 'verified')
    throw new CliFailure('code-burnt', EXIT.refused, text.trimEnd());
  session.print(verification, () => text);
  return EXIT.done;
}

/** The states of one contact's verification, in order; listening begins before it is started. */
async function followVerification(session: Session, core: CoreClient) {
  const queue: Verification[] = [];
  let contact: string | undefined;
  let wake = Promise.withResolvers<void>();
  let over: 'core-gone' | 'interrupted' | undefined;
  const watching = await core.watch((event: ApiEvent) => {
    if (event.event !== 'verification-changed') return;
    queue.push(event.verification);
    wake.resolve();
  });
  const end = (why: 'core-gone' | 'interrupted') => {
    over ??= why;
    wake.resolve();
  };
  watching.ended.then(() => end('core-gone'));
  const stopListening = session.io.onSignal(() => end('interrupted'));
  return {
    begin(first: Verification): Verification {
      contact = first.contact;
      return first;
    },
    async next(): Promise<Verification> {
      for (;;) {
        const found = queue.shift();
        if (found && found.contact === contact) return found;
        if (found) continue;
        if (over === 'core-gone') throw noCore(session.dataDirectory);
        if (over === 'interrupted') throw new CliFailure('refused', EXIT.refused, 'Interrupted; the code stays good.');
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
    },
    stop() {
      stopListening();
      watching.stop();
    },
  };
}
