import { EXIT, type ExitCode } from '../commands/error-map.ts';
import type { Contact, Params } from '../commands/schema.ts';
import { safe } from './safe.ts';
import type { Session } from './session.io.ts';
import { contactLine, contactsText, requestsText, stamp } from './text.ts';

/** invite, add, requests, accept, decline, contacts, rename, remove. */

export async function invite(session: Session): Promise<ExitCode> {
  const result = await session.core().call('invite.create', {});
  const picture = session.io.stdout.isTTY && !session.json ? await qrText(result.invite) : '';
  session.print(
    result,
    () => `${picture}${result.invite}\n\nGive it to one person. It is good until ${stamp(result.expiresAt)}.\n`,
  );
  return EXIT.done;
}

async function qrText(invite: string): Promise<string> {
  const { encodeQR } = await import('qr');
  return `${encodeQR(invite, 'term')}\n`;
}

export async function add(session: Session): Promise<ExitCode> {
  const [text = ''] = session.words;
  const { nick } = session.options;
  const params: Params<'contacts.add'> = nick === undefined ? { invite: text } : { invite: text, nick };
  const contact = await session.core().call('contacts.add', params);
  session.print(
    contact,
    () => `${safe(contact.nick) || 'The person'} was asked. Messages can be sent once they accept.\n`,
  );
  return EXIT.done;
}

export async function requests(session: Session): Promise<ExitCode> {
  const list = await session.core().call('requests.list', {});
  session.printAll(list, () => requestsText(list));
  return EXIT.done;
}

export async function accept(session: Session): Promise<ExitCode> {
  const [id = ''] = session.words;
  const contact = await session.core().call('requests.accept', { id });
  session.print(contact, () => `${safe(contact.nick)} is a contact now.\n`);
  return EXIT.done;
}

export async function decline(session: Session): Promise<ExitCode> {
  const [id = ''] = session.words;
  session.print(await session.core().call('requests.decline', { id }), () => 'The request is declined.\n');
  return EXIT.done;
}

export async function contacts(session: Session): Promise<ExitCode> {
  const list: Contact[] = await session.core().call('contacts.list', {});
  session.printAll(list, () => contactsText(list));
  return EXIT.done;
}

/** One word is a new nick of one's own; two are a contact and its nick. */
export async function rename(session: Session): Promise<ExitCode> {
  const [first = '', nick] = session.words;
  const core = session.core();
  if (nick === undefined) {
    const profile = await core.call('profile.rename', { nick: first });
    session.print(profile, () => `You are ${safe(profile.nick)} now.\n`);
  } else {
    const contact = await core.call('contacts.rename', { who: first, nick });
    session.print(contact, () => `${contactLine(contact)}\n`);
  }
  return EXIT.done;
}

export async function remove(session: Session): Promise<ExitCode> {
  const [who = ''] = session.words;
  session.print(
    await session.core().call('contacts.remove', { who }),
    () => 'The contact and its messages are gone.\n',
  );
  return EXIT.done;
}
