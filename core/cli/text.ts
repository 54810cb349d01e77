import type { Contact, ContactRequest, Custody, Message, Proof, Status, Verification } from '../commands/schema.ts';
import type { BundleReport } from '../state/bundles.ts';
import { noticeText } from './group-text.ts';
import { safe, safeName } from './safe.ts';

/** Plain text for a person. Whatever other people wrote goes through `safe`. */

const TRUST_MARK = { verified: 'verified', unverified: 'not verified', changed: 'KEY CHANGED' } as const;

export function statusText(status: Status): string {
  const { network, keychain, hardening } = status;
  const rows: [string, string][] = [
    ['Profile', status.profile ? `${safe(status.profile.nick)}  ${status.profile.id}` : 'none open'],
    ['Data', status.dataDirectory],
    [
      'Network',
      `${network.online ? 'online' : 'offline'}, ${count(network.peers, 'peer')}${network.offlineMode ? ', offline mode' : ''}`,
    ],
    ...network.addresses.map((address, index): [string, string] => [index === 0 ? 'Addresses' : '', address]),
    ['Waiting', `${count(status.queued, 'message')} not yet delivered`],
    ...(status.restoredAt === null ? [] : [['Restored', RESTORED] satisfies [string, string]]),
    [
      'Keychain',
      keychain.available ? (keychain.enabled ? 'opens this profile' : 'not used') : (keychain.reason ?? 'none'),
    ],
    [
      'Memory',
      `${Math.round(status.memoryBytes / 2 ** 20)} MiB, ${hardening.memory}; core dumps ${hardening.coreDumps}`,
    ],
    ...hardening.missing.map((text, index): [string, string] => [index === 0 ? 'Missing' : '', text]),
  ];
  const head = `Molva ${status.version} is ${STATE_TEXT[status.state]} (process ${status.pid}).\n`;
  return head + rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}\n`).join('');
}

export const RESTORED = 'this profile is an old copy; its sessions were begun anew';

export function custodyText({ holds, helper, envelopes, bytes, limitBytes }: Custody): string {
  const how = helper ? 'This helper holds' : holds ? 'This profile holds' : 'This profile takes nothing more to hold';
  const part = `${Math.ceil(bytes / 1024)} KiB of ${limitBytes / 2 ** 20} MiB`;
  return `${how} for contacts that are away: ${count(envelopes, 'envelope')}, ${part}.\n`;
}

/** What became of a bundle, for a person. */
export function bundleText(report: BundleReport): string {
  if (report.file === 'closed') return 'This bundle is not for this profile, or its beginning is damaged.\n';
  const parts = [
    `${report.taken} new for you`,
    `${report.kept} now held for contacts`,
    `${report.seenBefore} known before`,
    `${report.notOurs} for nobody known here`,
    `${report.refused} expired, unreadable or without room`,
  ];
  const whole = { complete: '', cut: 'The file ends too early. ', damaged: 'The file is damaged. ' };
  return `${whole[report.file]}${count(report.read, 'envelope')} read: ${parts.join(', ')}.\n`;
}

export function exportedText({ file, envelopes }: { readonly file: string; readonly envelopes: number }): string {
  if (envelopes === 0) return `Nothing waits for them: the bundle in ${file} is empty.\n`;
  return `The bundle in ${file} holds ${count(envelopes, 'envelope')}. Whoever carries it can read none of it.\n`;
}

export const STATE_TEXT = {
  'no-profile': 'running, without a profile',
  locked: 'running, locked',
  unlocked: 'running',
  stopping: 'stopping',
} as const;

export function contactsText(contacts: readonly Contact[]): string {
  if (contacts.length === 0) return 'No contacts yet. "molva invite" makes an invite for a person.\n';
  const width = Math.max(...contacts.map(contact => safe(contact.nick).length));
  return contacts.map(contact => `${contactLine(contact, width)}\n`).join('');
}

export function contactLine(contact: Contact, width = 0): string {
  const presence = contact.phase === 'requested' ? 'asked' : contact.online ? 'online' : 'away';
  return `${safe(contact.nick).padEnd(width)}  ${presence.padEnd(6)}  ${TRUST_MARK[contact.trust].padEnd(12)}  ${contact.id}`;
}

export function requestsText(requests: readonly ContactRequest[]): string {
  if (requests.length === 0) return 'Nobody asks to become a contact.\n';
  return requests.map(request => `${requestLine(request)}\n    safety number ${request.safetyNumber}\n`).join('');
}

function requestLine(request: ContactRequest): string {
  return `${safe(request.nick)}  ${request.id}  ${stamp(request.receivedAt)}`;
}

export function messagesText(messages: readonly Message[]): string {
  let day = '';
  const twins = sharedNicks(messages);
  return messages
    .map(told => {
      const message = twins.has(told.fromNick)
        ? { ...told, fromNick: `${told.fromNick} ${told.from.slice(0, 6)}` }
        : told;
      const heading = dayOf(message.sentAt) === day ? '' : `${day === '' ? '' : '\n'}${dayOf(message.sentAt)}\n`;
      day = dayOf(message.sentAt);
      return `${heading}${messageLine(message)}\n`;
    })
    .join('');
}

/** Nicks that more than one of those who speak bear: they are told apart by the beginning of their ids. */
function sharedNicks(messages: readonly Message[]): ReadonlySet<string> {
  const bearer = new Map<string, string>();
  const shared = new Set<string>();
  for (const { fromNick, from } of messages) {
    if ((bearer.get(fromNick) ?? from) !== from) shared.add(fromNick);
    bearer.set(fromNick, from);
  }
  return shared;
}

/** @param group where it stands, where that does not show from elsewhere */
export function messageLine(message: Message, group?: string): string {
  const time = `${timeOf(message.sentAt)}  ${group === undefined ? '' : `${safe(group)}: `}`;
  if (message.notice) return `${time}* ${noticeText(message.notice)}`;
  const who = message.outgoing ? 'you' : safeName(message.fromNick);
  const state = message.outgoing ? `  (${stateText(message)})` : message.late ? '  (late)' : '';
  // Further lines are indented, so that a text cannot pass for somebody else's message.
  const text = message.text.split(/\r?\n/).map(safe).join('\n       ');
  return `${time}${who}: ${text}${state}`;
}

export function proofsText(proofs: readonly Proof[]): string {
  if (proofs.length === 0) return 'Nobody has signed anything about it yet.\n';
  return proofs
    .map(({ says, at, by, identity, statement, signature }) => {
      const what = says === 'held' ? `held until ${stamp(at)}` : `${says} at ${stamp(at)}`;
      const lines = [`identity   ${identity}`, `statement  ${statement}`, `signature  ${signature}`];
      return `${what}, signed by ${by === null ? 'nobody known here' : safe(by)}\n  ${lines.join('\n  ')}\n`;
    })
    .join('');
}

export function stateText({
  state,
  heldBy,
  until,
  reach,
}: Pick<Message, 'state' | 'heldBy' | 'until' | 'reach'>): string {
  if (reach && state !== 'queued') return `${state}, ${reach.deliveredTo} of ${reach.of} have it`;
  return state === 'held' && until !== null ? `held by ${heldBy} until ${stamp(until)}` : state;
}

export function verificationText(verification: Verification): string {
  switch (verification.phase) {
    case 'matched':
      return 'The other side reports a match. Did they tell you so themselves? Then: molva verify WHO --confirm\n';
    case 'verified':
      return 'The codes match: the contact is verified.\n';
    case 'burnt':
      return 'This code is void: wrong three times, or given up. Begin again with "molva verify WHO".\n';
    case 'expired':
      return 'The code was not used in ten minutes and is void. Begin again with "molva verify WHO".\n';
    case 'cancelled':
      return 'This code was given up. Begin again with "molva verify WHO".\n';
    case 'exchanging':
      return 'Waiting for the other side to connect.\n';
    case 'ready':
      return verification.code === null
        ? `Type the code the other side reads to you: molva verify WHO CODE (${verification.triesLeft} tries left).\n`
        : `Read this code to the other person, over the phone or in person:\n\n    ${grouped(verification.code)}\n\n` +
            'They type it in within ten minutes.\n';
  }
}

export function grouped(code: string): string {
  return code.match(/.{1,4}/g)?.join('-') ?? code;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

const two = (number: number) => String(number).padStart(2, '0');

function dayOf(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

export function timeOf(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function stamp(ms: number): string {
  return `${dayOf(ms)} ${timeOf(ms)}`;
}
