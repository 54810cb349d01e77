/** Tables and the byte their rows' keys begin with. A number is never given a second meaning. */
export const TABLES = {
  meta: 1,
  profile: 2,
  contacts: 3,
  transports: 4,
  requests: 5,
  declined: 6,
  invites: 7,
  prekeys: 8,
  conversations: 9,
  tails: 10,
  messages: 11,
  blocks: 12,
  locations: 13,
  states: 14,
  undelivered: 15,
  sessions: 16,
  contactSessions: 17,
  skipped: 18,
  pending: 19,
  outbox: 20,
  outboxIds: 21,
  seen: 22,
  receipts: 23,
  verifications: 24,
} as const;

export type TableName = keyof typeof TABLES;
