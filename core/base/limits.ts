import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from './clock.ts';

/** Every bound in Molva, with its reason. Nothing that a peer or a program can fill grows past a line here. */
export const LIMITS = {
  /** Sealed part of an envelope: the largest padding bucket. */
  sealedBytes: 64 * 1024,
  /** Whole envelope: sealed part, 16-byte tag, CBOR heads. */
  envelopeBytes: 64 * 1024 + 64,
  /** An envelope lives as long as mailboxes keep it. */
  envelopeLifetimeMs: 7 * DAY_MS,
  /** A sender's clock may differ by this much; more is treated as wrong. */
  clockSkewMs: 24 * HOUR_MS,
  /** UTF-8 bytes of a text message: several pages, and fits one envelope. */
  textBytes: 32 * 1024,
  /** UTF-8 bytes of a nick. */
  nickBytes: 64,
  /** Causal parents named by a message. */
  parents: 8,
  /** Message ids in one receipt: one 16 KiB envelope holds them. */
  receiptIds: 256,
  /** Application bytes inside handshake message 1 or 2: a full text and its fields. */
  handshakePayloadBytes: 40 * 1024,
  /** A handshake frame: payload, card, KEM ciphertext, keys and tags; still within the largest envelope. */
  handshakeFrameBytes: 52 * 1024,
  /** Skipped message keys kept a session (Double Ratchet MAX_SKIP). */
  skippedKeys: 1000,
  /** Sessions kept a contact for late envelopes, the live one included. */
  sessionsPerContact: 4,
  /** Signed prekeys named in a card: the current and the one before. */
  cardPrekeys: 2,
  cardBytes: 8 * 1024,
  /** Address hints in a card, and in an invite (which must fit a QR code). */
  cardAddresses: 8,
  inviteAddresses: 4,
  addressBytes: 128,
  inviteBytes: 512,
  inviteLifetimeMs: 7 * DAY_MS,
  /** Invites open at once. */
  invites: 32,
  /** Requests waiting for an answer; more are refused before they are stored. */
  requests: 64,
  /** New requests taken at once, and after that one each pause, by one invite; what comes faster is asked to come again. */
  requestsAtOnce: 16,
  requestPauseMs: MINUTE_MS,
  /** A request can surely be accepted for so long: prekeys are kept this much longer than they are offered. */
  requestKeepMs: 14 * DAY_MS,
  /** Envelopes in a row of which a stranger is told that they are not wanted, before it is disconnected. */
  strangerRefusals: 16,
  strangerPauseMs: 1_000,
  /** Searches through all contacts for the one an envelope belongs to: so many at once, then one each pause. */
  searchesAtOnce: 64,
  searchPauseMs: 1_000,
  contacts: 2048,
  /** A prekey is offered for a week and answered for three, so that a mailbox's week is covered. */
  prekeyOfferMs: 7 * DAY_MS,
  prekeyKeepMs: 21 * DAY_MS,
  oneTimeCodeMs: 10 * MINUTE_MS,
  oneTimeCodeTries: 3,
  /** Messages waiting to be delivered to one contact. */
  outboxPerContact: 10_000,
  /** Envelopes pushed to a peer and not yet acknowledged. */
  pushWindow: 256,
  /** Listeners of the event bus: API clients and the core's own services. */
  busListeners: 64,
  /** Steps waiting in one actor; past it callers are told to wait. */
  actorInbox: 4096,
  /** Rows that one sweep lets go: a transaction that others do not wait for. */
  sweepBatch: 4096,
  /** Steps an actor takes in one transaction. */
  actorBatch: 256,
  /** Retry of a peer that cannot be reached: doubling from the first to the last. */
  retryFirstMs: 1_000,
  retryLastMs: 5 * MINUTE_MS,
  /** Peers lost within this of each other, as pings find a dead line, may come back together; remembered are as many as connections. */
  lostTogetherMs: MINUTE_MS,
  lostPeers: 256,
  /** One frame on a libp2p stream: an envelope and its head. */
  frameBytes: 72 * 1024,
  /** Asking for a card by an invite, from the open stream to the answer. */
  rendezvousMs: 10_000,
  /** Unread texts remembered below the last one read: what came late. */
  lateUnread: 256,
  /** Two initiations made within this of each other have crossed; a later one was made without knowing of the first. */
  crossingMs: HOUR_MS,
  /** Messages marked read in one turn. */
  readAtOnce: 2048,
  /** Peers connected at once. */
  connections: 256,
  /** Topics of gossip joined at once: two for each of 128 groups around midnight; a peer's are remembered up to as many. */
  gossipTopics: 256,
  /** A web address that is opened: more than any browser's address bar needs. */
  linkCharacters: 2048,
  rpcBodyBytes: 256 * 1024,
  rpcClients: 32,
  /** Bytes queued to a slow API client before it is dropped. */
  rpcBacklogBytes: 8 * 1024 * 1024,
  /** Connections to the local API at once, pages and one-shot calls included. */
  rpcConnections: 128,
  /** Calls of one API client that wait for their answers. */
  rpcPending: 1024,
  /** A local program sends its headers and its body at once, or it is not worth a connection. */
  rpcHeadersMs: 5_000,
  rpcRequestMs: 10_000,
  /** Wrong tokens in a row before the answer is to wait; the wait doubles up to the last. */
  wrongTokens: 10,
  wrongTokenWaitFirstMs: 1_000,
  wrongTokenWaitLastMs: 5 * MINUTE_MS,
  /** One-use codes for a window: those not yet used, and how long they hold. */
  windowCodes: 8,
  windowCodeMs: 10 * MINUTE_MS,
  /** The log is set aside at start past half of this; one run writes at most so many lines. */
  logBytes: 2 * 1024 * 1024,
  logLines: 10_000,
  /** A core that is told to stop has so long, then its process is ended with whatever holds it. */
  stopMs: 5_000,
  /** Times the window is started again after a crash, within one hour. */
  windowRestarts: 3,
  /** Parents named and not yet seen, kept a conversation: past it a message may be named a head once too often. */
  awaitedParents: 64,
  /** Texts of one conversation with one and the same time: nobody says two at once, but for copies of a profile put back. */
  equalTimes: 64,
  /** Single message rows gathered in a conversation before they are merged into a block. */
  singles: 32,
  /** The most one merge takes. */
  mergeSingles: 256,
  /** Plain bytes of a message block: with nonce, tag and page head it fills four 4 KiB pages and not one byte more. */
  blockBytes: 16 * 1024 - 96,
  /** Each of the two files of the store's journal; a commit longer than that goes into the database at once. */
  journalBytes: 1024 * 1024,
  /** A wrong passphrase delays the next try: doubling from the first to the last. */
  unlockDelayFirstMs: 1_000,
  unlockDelayLastMs: 15 * MINUTE_MS,
  /** Bounds on what a vault file may ask of Argon2id, checked before it is asked. */
  argonMemoryKib: 1024 * 1024,
  argonPasses: 16,
  argonLanes: 16,
  passphraseBytes: 4096,
  /** A system keychain that does not answer by then is not there. */
  keychainMs: 3_000,
  /** A database up to this size is read through at every start (a quarter of a second); a larger one shows damage when read. */
  verifyBytes: 32 * 1024 * 1024,
  /** Envelopes held for one recipient: some days of busy talk; past it the oldest goes. */
  mailboxPerRecipient: 1_000,
  /** Bytes held for others in all, and of one depositor: a quarter, so that no contact alone can fill it. */
  mailboxBytes: 64 * 1024 * 1024,
  mailboxDepositorBytes: 16 * 1024 * 1024,
  /** All depositors who are not contacts together: 0.1 %, one envelope of the largest kind or some hundred small ones. */
  mailboxStrangerBytes: 67_108,
  /** Copies wanted at once of an envelope whose recipient is away (k). */
  custodians: 3,
  /** Further copies wanted with each such time without the recipient's answer: with ten minutes, who is met only once is missed. */
  custodiansMore: 1,
  custodiansMoreMs: MINUTE_MS,
  /** A recipient that is connected has this long to store an envelope before others are asked to hold it. */
  placeAfterMs: 10_000,
  /** A custodian that has not answered a deposit by then, though connected, is taken to have refused. */
  depositAnswerMs: 60_000,
  /** One that let that time go by is asked nothing for so long, on later connections too. */
  custodianSilentMs: HOUR_MS,
  /** Pairs of custodian and recipient remembered to have been refused, or taken: ten who are away, and two hundred contacts. */
  refusals: 2_048,
  /** A custodian not seen for so long is replaced, and no longer counted; one that refused may be asked again. */
  custodianUnseenMs: DAY_MS,
  /** Custodians remembered for one envelope: everyone most people meet in its week, and some that refused. */
  holdings: 32,
  /** Deposits under way to one custodian: two megabytes of the largest. */
  depositWindow: 32,
  /** Envelope ids in one question or notice about custody. */
  custodyIds: 256,
  /** Envelopes of the outbox whose placement is kept in mind: two full outboxes; the rest are taken up as these end. */
  placements: 20_000,
  /** A hello, from the open stream to the answer. */
  helloMs: 10_000,
  /** Hellos of one connection that are answered: the first, some changes of mind, then one each pause. */
  hellosAtOnce: 8,
  helloPauseMs: 10_000,
  /** Of one contact, runs of its profile that are remembered and told to it: its last days, or those of two copies of it. */
  stampsKept: 4,
  /** Own runs remembered; a contact that has not been met for as many starts proves nothing. */
  formerRuns: 256,
  /** Texts a contact that was put back is given again: the newest. */
  givenAgain: 256,
  /** A text that waits and has no envelope, refused by a clock that was wrong say, is sealed again this often. */
  mendMs: 5 * MINUTE_MS,
  /** Messages asked for in one question: what comes between two sweeps of a busy talk. */
  missingIds: 32,
  /** A message named and not here is asked for after a minute; an answer that does not come is waited for so long, then twice as long. */
  missingAskMs: 10 * MINUTE_MS,
  /** The same of an author who is away and gets the question from a custodian. */
  missingAskAwayMs: DAY_MS,
  /** Questions for one and the same message in one run of the program: then nobody seems to have it. */
  missingAsks: 8,
  /** Texts sealed again for one question: those named, and as many before them as one transaction takes. */
  missingAnswer: 256,
  /** Texts sealed again for one contact's questions within an hour: a thousand lost in a row come in one; whoever asks for ever gets no more. */
  missingAnswers: 2_048,
  /** Bytes of such texts that may wait for one contact, by what this run has sealed: ten thousand usual ones. */
  missingAnswerBytes: 4 * 1024 * 1024,
  /** Envelopes that wait for a contact beyond one for each own text; past it receipts are gathered before they are sealed. */
  controlsWaiting: 1_024,
  /** So many, and "delivered" is not said at all until some are taken: days of gathering. The author says its text again. */
  controlsAtMost: 2_048,
  /** Envelopes that no session opened, remembered until there is a new one: all that nine full mailboxes may hold. */
  searchesFailed: 9_000,
  /** Hours of a contact's presence that are remembered. */
  uptimeHours: 168,
  /** A gap in time (sleep, switched off, clock set) up to this is believed to have passed: a lifetime and the skew. */
  believedGapMs: 8 * DAY_MS,
  /** Tags one pull may ask for: those of a mailbox that are in use. */
  syncTags: 9,
  /** Ids on one page of a pull: one recipient's whole mailbox; 32 KB, within a frame. */
  syncPage: 1_000,
  /** Envelopes sent in a pull and not yet settled: two megabytes of the largest. */
  syncWindow: 32,
  /** What comes in a pull is gathered for so long, or for a window, so that one receipt answers it: people do not notice. */
  syncGatherMs: 250,
  /** A program that hands over a bundle and says nothing for so long has gone. */
  bundleIdleMs: 30_000,
  /** Pulls of people who are no contacts that a helper serves: so many under way, each for so long, */
  strangerPulls: 8,
  strangerPullMs: MINUTE_MS,
  /** so many begun at once, then one each pause, */
  strangerPullsAtOnce: 64,
  strangerPullPauseMs: 1_000,
  /** and together as many envelopes as one full mailbox, then one each pause: 64 KB a second of the largest. */
  strangerEnvelopesAtOnce: 1_000,
  strangerEnvelopePauseMs: 1_000,
  /** A bundle file: what a custodian may hold, four times over; more is refused before it is written. */
  bundleBytes: 256 * 1024 * 1024,
  /** Envelopes in a bundle that is written: their ids are sorted in memory. */
  bundleEnvelopes: 65_536,
  /** Message keys kept a sender and epoch for messages that come out of order, and how far ahead one may be. */
  mlsSkippedKeys: 1_000,
  /** Leaves of a group's tree; more than a group may have members, so that removed ones can be blank. */
  mlsLeaves: 4_096,
  /** A hybrid group's first commit after all were added fits an envelope up to here (decision 0012). */
  mlsHybridMembers: 40,
  /** A key package holds as long: a month away from home, and the week of the mailboxes. */
  mlsKeyPackageMs: 35 * DAY_MS,
  /** Proposals that wait in one epoch; who floods a group with them gains nothing more. */
  mlsProposals: 256,
  /** What a group says of itself in every epoch: its name, its admins. */
  mlsGroupDataBytes: 32 * 1024,
  groupMembers: 256,
  /** UTF-8 bytes of a group's name. */
  groupNameBytes: 128,
  /** A published key package, the post-quantum one included. */
  keyPackageBytes: 4 * 1024,
  /** Of each sort that a contact gives at once: one of every suite there is. */
  keyPackageSuites: 2,
  /** Epochs and what is sealed in them are kept as long as mailboxes keep envelopes. */
  groupHorizonMs: 7 * DAY_MS,
  /** From an ask to its commit: time for other asks to join it; then each rank waits one slot longer for the one before. */
  groupCommitWaitMs: SECOND_MS,
  groupCommitSlotMs: 3 * SECOND_MS,
  /** A member that says nothing says within this time on which epoch it stands; after it changed branches, sooner. */
  groupStandMs: 30 * MINUTE_MS,
  groupMovedStandMs: 20 * SECOND_MS,
  /** Members who answer somebody that stands elsewhere do so one in this time, until it has moved. */
  groupAnswerSlotMs: 10 * SECOND_MS,
  /** Each member renews its keys this often, and within a day of every removal: spread, so that commits do not race. */
  groupUpdateMs: 7 * DAY_MS,
  groupUpdateAfterRemovalMs: DAY_MS,
  /** Asks of one author that wait for a commit; a flood hinders nobody but its author. */
  groupAsksPerAuthor: 16,
  /** Asks in one commit, so that it fits an envelope. */
  groupAsksPerCommit: 8,
  /** Numbers of asks are times in milliseconds, and lower than this; who is added begins no higher than at half, and has room to go on. */
  groupAskNumber: 2 ** 48,
  /** An ask said alone is kept from a clock so far ahead: a day, and what clocks differ by anyway. */
  groupAskAheadMs: 2 * DAY_MS,
  /** Numbers of epochs where knowledge begins are lower than this: a commit each second for a century. */
  groupEpochNumber: 2 ** 32,
  /** A way on that is not known leads no further ahead: a commit each second for twelve days. */
  groupEpochJump: 2 ** 20,
  /** Epochs that a member was let in at and weighs against each other: on so many branches nobody is added in good faith. */
  groupRoots: 8,
  /** Commits of one member on one epoch that are followed at once: in good faith it makes one, and another when it was lost; a flood costs no more states. */
  groupCommitsOnEpoch: 64,
  /** Of those put off, how many are looked at again for a post that may be of theirs. */
  groupPutOffTried: 4,
  /** Commits one below the other, all of one member and put off, that are looked through for somebody who followed. */
  groupCommitsAhead: 64,
  /** What was said before a removal was heard of may take so long to come; later its author has no say and calls nobody. */
  groupRemovedGraceMs: HOUR_MS,
  /** Epochs that are kept, within the horizon: a change every three minutes of the week; past it the horizon comes nearer. */
  groupEpochs: 4_096,
  /** What one member did that is remembered, within the horizon: a text a minute for most of a week; past it the oldest half goes. */
  groupActs: 8_192,
  /** Gaps in what one member said that are remembered and told of; whoever leaves more open is known for it by then. */
  groupHoles: 64,
  /** Posts of epochs not known yet: as many as a member keeps of a group for others, so that a backlog may come in any order. */
  groupWaiting: 4_096,
  /** And their bytes, which stay in memory: so many texts of a kilobyte. */
  groupWaitingBytes: 4 * 1024 * 1024,
  /** Posts of a later epoch that stay unreadable for so long, all else known: the way there is lost. */
  groupLostMs: 10 * MINUTE_MS,
  /** So many are asked for the way back at a time: that one lies among them is found. Whoever has not answered by then is not waited for. */
  groupInfoAsks: 3,
  groupAnswersMs: MINUTE_MS,
  /** A contact is asked for it so often at most while that leads nowhere: whoever forges a post of no epoch makes nobody talk; */
  groupInfoAskMs: 6 * HOUR_MS,
  /** and given it so often at most: it is as long as the group's tree. */
  groupInfoGiveMs: MINUTE_MS,
  /** Welcomes handed on for one who is being added, from each sender: that one forges some keeps nobody out. */
  groupForwards: 8,
  /** Groups one is in: each keeps a state in memory and a timer. */
  groups: 256,
  /** Of them, those into which one contact has let this profile, and that ended within the horizon: their keys are still kept. */
  groupsByOne: 16,
  /** Deleted groups whose return is refused: who has deleted so many others since has long heard the last of the first. */
  groupsDeleted: 1_024,
  /** Outer secrets kept of one group: nine tags each are listened to. Past it the oldest goes, though its epoch be known. */
  groupOuterSecrets: 16,
  /** Parts of one parcel, each half a text: a welcome into a full group with the cards of those it names. */
  groupParcelParts: 32,
  groupPartBytes: 24 * 1024,
  /** Parts from one contact, or under a group's newest outer secret, that wait for others or for their group: two of the longest parcels. */
  groupInbox: 64,
  /** Parts under all older secrets of a group, which those who were removed know too: one of the longest parcels. */
  groupOldInbox: 32,
  /** Members' cards given along with a welcome; the others say theirs within a week. */
  groupWelcomeCards: 32,
  /** Whoever is new says its card, and everyone whose card has changed; at most this often in one group. */
  groupCardMs: HOUR_MS,
  /** In groups up to here members say once a minute what they have, if it is something new: at most so many posts a minute. */
  groupHaveMembers: 32,
  /** A contact is given new key packages this often, and answers to old ones for as long as they hold. */
  keyPackageRefreshMs: 7 * DAY_MS,
  keyPackageKeepMs: 28 * DAY_MS,
  /** Envelopes of one group kept for its other members: a week of a busy one; past it whoever has put most in makes room. */
  groupMailbox: 4_096,
  /** Bytes of them: a quarter of all that is held, so that no group alone can fill it. */
  groupMailboxBytes: 16 * 1024 * 1024,
  /** So much of every group is kept even when all else is full: what one says oneself is not lost for want of room. */
  groupMailboxLeastBytes: 256 * 1024,
  /** Members who are no contacts that are kept connected: gossip and pulls reach everybody through so many each. */
  groupLinks: 8,
  /** Of those, dialed at once; one that cannot be reached is tried again later each time, from the first wait to the last. */
  groupDials: 4,
  groupDialFirstMs: 10 * SECOND_MS,
  groupDialLastMs: HOUR_MS,
  /** Secrets of one group whose topics are joined, the newest: the head's, and that of a branch which others may be on. */
  groupTopicSecrets: 2,
  /** Before and after midnight the topics of both days are joined, for clocks that differ. */
  groupTopicOverlapMs: HOUR_MS,
  /** A member that stays connected is asked this often for what gossip did not bring, */
  groupPullEveryMs: 10 * MINUTE_MS,
  /** and so long after it said that there is something: what comes together is fetched together. */
  groupPullPauseMs: SECOND_MS,
  /** Backlogs of one member hold up a group's judgement for so long in an hour at most. */
  groupCatchUpMs: 2 * MINUTE_MS,
  /** Envelopes that the group refused, remembered so that they are not fetched again with every pull. */
  groupRefused: 4_096,
  /** Asks in a row for tags of no group here: as many as a member may have secrets that are unknown here. */
  groupVainAsks: 16,
  /** Memory that may have become garbage before it is collected: a third of what a flood may cost. */
  garbageBytes: 16 * 1024 * 1024,
  /** After such a collection there is none for so many times as long as it took: one part in a hundred of the time at most. */
  collectionRest: 100,
} as const;
