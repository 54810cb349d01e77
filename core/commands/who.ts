import { UsageError } from '../base/errors.ts';
import type { ContactId, ConversationId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import type { Messenger } from '../state/messenger.ts';
import type { ContactRecord, RequestRecord } from '../storage/records.ts';
import { nickOf } from './views.ts';

/** What the parsers of ids take: 16 bytes in base32. */
const ONE_SPELLING = /^[a-z2-7]{25}[aeimquy4]$/;

/**
 * The contact meant by a nick, contact id or conversation id; ids win over nicks, case does not count in nicks.
 * @throws UsageError `not-found`; `ambiguous` when two contacts bear the nick
 */
export function findContact(messenger: Messenger, who: string): ContactRecord {
  const { contacts } = messenger.context.store;
  return (
    contactById(messenger, who) ??
    onlyOne(
      contacts.list().filter(contact => sameName(nickOf(contact), who)),
      who,
    )
  );
}

/** Programs name contacts by id, call after call: no list of all contacts is read for it. */
function contactById({ context }: Messenger, id: string): ContactRecord | undefined {
  if (!ONE_SPELLING.test(id)) return undefined;
  const { contacts, conversations } = context.store;
  const contact = contacts.get(id as ContactId);
  if (contact) return contact;
  const conversation = conversations.get(id as ConversationId);
  return conversation && contacts.get(conversation.contact);
}

/** The request meant by its id or the nick it bears. @throws as findContact */
export function findRequest(messenger: Messenger, who: string): RequestRecord {
  const requests = messenger.context.store.requests.list();
  return (
    requests.find(request => request.id === who) ??
    onlyOne(
      requests.filter(item => sameName(item.nick, who)),
      who,
    )
  );
}

function onlyOne<T>(found: readonly T[], who: string): T {
  const [first] = found;
  if (first === undefined) throw new UsageError('not-found', 'who', `Nobody here is called "${shown(who)}".`);
  if (found.length > 1) {
    throw new UsageError('ambiguous', 'who', `More than one is called "${shown(who)}"; use the id.`);
  }
  return first;
}

function sameName(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase();
}

function shown(who: string): string {
  return who.slice(0, LIMITS.nickBytes);
}
