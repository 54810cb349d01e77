import { UsageError } from '../base/errors.ts';
import type { ContactId } from '../base/ids.ts';
import type { Ceremony, CeremonyPhase } from '../crypto/verification.ts';
import type { Messenger } from '../state/messenger.ts';
import { ceremonyWith, codeShown, type VerificationInput } from '../state/verifying.ts';
import type { ContactRecord } from '../storage/records.ts';
import type { CoreHost } from './host.ts';
import type { CommandTable, Verification } from './schema.ts';
import { contactView } from './views.ts';
import { findContact } from './who.ts';

type VerificationCommands = Pick<
  CommandTable,
  'verification.start' | 'verification.get' | 'verification.enter' | 'verification.confirm' | 'verification.cancel'
>;

const PHASE: Record<CeremonyPhase, Verification['phase']> = {
  committed: 'exchanging',
  ready: 'ready',
  matched: 'matched',
  verified: 'verified',
  burnt: 'burnt',
  expired: 'expired',
  cancelled: 'cancelled',
};

export function verificationCommands(host: CoreHost): VerificationCommands {
  const step = async (who: string, input: VerificationInput): Promise<[Messenger, ContactRecord]> => {
    const messenger = host.messenger();
    const { id } = findContact(messenger, who);
    await messenger.ask(id, { kind: 'verify', input });
    const contact = messenger.context.store.contacts.get(id);
    if (!contact) throw new UsageError('not-found', 'verification', 'There is no such contact.');
    return [messenger, contact];
  };
  const shown = ([messenger, contact]: [Messenger, ContactRecord]): Verification => {
    const view = verificationView(messenger, contact);
    if (!view) throw new UsageError('refused', 'verification', 'No code is under way with this contact.');
    return view;
  };
  return {
    'verification.start': async ({ who }) => shown(await step(who, { kind: 'start' })),
    'verification.get': async ({ who }) => {
      const messenger = host.messenger();
      return verificationView(messenger, findContact(messenger, who)) ?? null;
    },
    'verification.enter': async ({ who, code }) => shown(await step(who, { kind: 'enter', code })),
    'verification.confirm': async ({ who }) => {
      const [messenger, contact] = await step(who, { kind: 'confirm' });
      return contactView(messenger, contact);
    },
    'verification.cancel': async ({ who }) => {
      const [messenger, contact] = await step(who, { kind: 'cancel' });
      return verificationView(messenger, contact) ?? null;
    },
  };
}

/** The one-time code under way with a contact, or the last one; undefined when there never was one. */
export function verificationView(messenger: Messenger, contact: ContactRecord): Verification | undefined {
  const { context } = messenger;
  const ceremony: Ceremony = ceremonyWith(context, contact);
  if (ceremony.phase === 'idle') return undefined;
  const nowMs = context.clock();
  const running = ['committed', 'ready', 'matched'].includes(ceremony.phase);
  return {
    contact: contact.id,
    role: ceremony.role === 'shower' ? 'shows' : 'types',
    phase: running && ceremony.expiresAtMs <= nowMs ? 'expired' : PHASE[ceremony.phase],
    code: codeShown(context, contact, ceremony) ?? null,
    triesLeft: ceremony.triesLeft,
    expiresAt: ceremony.expiresAtMs,
  };
}

/** The view for an event, which names only the contact. */
export function verificationOf(messenger: Messenger, id: ContactId): Verification | undefined {
  const contact = messenger.context.store.contacts.get(id);
  return contact && verificationView(messenger, contact);
}
