import { compareBytes, hex } from '../base/bytes.ts';
import { CoreError } from '../base/errors.ts';
import type { ContactId, EnvelopeId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { BundleReader, BundleWriter } from '../crypto/bundle.ts';
import { identityPublicOf } from '../crypto/card.ts';
import { currentTags, deriveMailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import { drain, type EnvelopeSource } from '../mailbox/drain.ts';
import { bundledBytes, fitsBundle, slotsFor } from '../wire/bundle.ts';
import { decodeCard } from '../wire/card.ts';
import { decodeEnvelope, envelopeIdOf } from '../wire/envelope.ts';
import type { Context } from './context.ts';
import type { CustodyService } from './custodian.ts';
import type { Intake } from './intake.ts';
import type { Recipients } from './recipients.ts';

export interface BundleOptions {
  readonly intake: Intake;
  readonly custody: CustodyService;
  readonly recipients: Recipients;
  /** Keeps what is for people unknown here too, in the strangers' part. */
  readonly helper: boolean;
}

/** What became of the envelopes of a bundle that was read. */
export interface BundleReport {
  readonly read: number;
  /** For this profile, and new. */
  readonly taken: number;
  /** For this profile or kept for others, and here before. */
  readonly seenBefore: number;
  /** For others, and now held for them. */
  readonly kept: number;
  /** For nobody known here. */
  readonly notOurs: number;
  /** Expired, not opened by any session, or without room. */
  readonly refused: number;
  /** `closed`: for others only. `damaged`, `cut`: everything whole before that place was taken. */
  readonly file: 'complete' | 'closed' | 'cut' | 'damaged';
}

type Outcome = Exclude<keyof BundleReport, 'read' | 'file'>;

/** A bundle about to be written. */
export interface BundleDraft {
  /** What waited when it was begun. */
  readonly envelopes: number;
  readonly pieces: AsyncIterable<Buffer>;
}

/** Envelopes of the outbox looked at together: four megabytes of the largest. */
const PAGE = 64;
/** Progress is told this often. */
const TELL_EVERY = 64;

/** Envelopes carried by a file (docs/protocol/bundle.md): written from outbox and custody, read into intake and custody. */
export class Bundles {
  readonly #context: Context;
  readonly #options: BundleOptions;

  constructor(context: Context, options: BundleOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * A bundle that these contacts can open, with what waits for them: as much as a bundle may hold, the oldest first.
   * @param transfer names it in `bundle-progress`
   */
  async write(contacts: readonly ContactId[], transfer: string): Promise<BundleDraft> {
    const ids = await this.#gather(contacts);
    return { envelopes: ids.length, pieces: this.#pieces(contacts, ids, transfer) };
  }

  /**
   * Reads a bundle, whole or not; every envelope is durable where it belongs when this resolves.
   * @param transfer names it in `bundle-progress`
   * @throws StorageError, TransientError: what was read until then is kept, and reading it again does no harm
   */
  async read(pieces: AsyncIterable<Uint8Array>, transfer: string): Promise<BundleReport> {
    const reader = new BundleReader(this.#context.account.identity);
    const counts = { taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0 };
    let read = 0;
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        bytes += piece.length;
        // To the end also where nothing more is taken: who still sends would not hear the answer.
        if (bytes > LIMITS.bundleBytes) break;
        const envelopes = reader.push(piece);
        for (let start = 0; start < envelopes.length; start += LIMITS.syncWindow) {
          const part = envelopes.slice(start, start + LIMITS.syncWindow);
          for (const outcome of await Promise.all(part.map(envelope => this.#take(envelope)))) counts[outcome] += 1;
          read += part.length;
          this.#tell(transfer, 'import', bytes, read);
        }
      }
    } finally {
      reader.wipe();
    }
    const file = reader.progress === 'reading' ? 'cut' : reader.progress;
    return { read, ...counts, file };
  }

  /**
   * The ids of what waits, in their own order: an envelope's place in the file says neither whose it is nor how old.
   */
  async #gather(contacts: readonly ContactId[]): Promise<readonly EnvelopeId[]> {
    const slots = slotsFor(contacts.length);
    const found = new Map<string, EnvelopeId>();
    let plainBytes = 0;
    const waiting = [...contacts.map(contact => this.#waitingFor(contact)), this.#heldForUnknown()];
    for (const envelopes of waiting) {
      for (const envelope of envelopes) {
        const id = envelopeIdOf(envelope);
        if (found.has(hex(id))) continue;
        plainBytes += bundledBytes(envelope);
        if (found.size === LIMITS.bundleEnvelopes || !fitsBundle(slots, plainBytes)) return inOrder(found);
        found.set(hex(id), id);
      }
      await this.#pause();
    }
    return inOrder(found);
  }

  async *#pieces(contacts: readonly ContactId[], ids: readonly EnvelopeId[], transfer: string): AsyncGenerator<Buffer> {
    const { random, store } = this.#context;
    const cards = contacts.flatMap(contact => store.contacts.get(contact)?.card ?? []);
    const writer = new BundleWriter(
      cards.map(card => identityPublicOf(decodeCard(card))),
      random,
    );
    let written = 0;
    try {
      yield writer.begin();
      for (const id of ids) {
        // What was delivered meanwhile is left out.
        const envelope = store.outbox.get(id)?.envelope ?? store.custody.envelope(id);
        if (!envelope) continue;
        const piece = writer.envelope(envelope);
        if (piece.length > 0) yield piece;
        written += 1;
        if (written % TELL_EVERY === 0) this.#tell(transfer, 'export', writer.bytes, written);
      }
      yield* writer.end();
      this.#tell(transfer, 'export', writer.bytes, written);
    } finally {
      writer.wipe();
    }
  }

  /** First the own envelopes for the contact, then what is held for it. */
  *#waitingFor(contact: ContactId): Generator<Uint8Array> {
    const { clock, store } = this.#context;
    const mailboxKey = store.contacts.get(contact)?.mailboxKey;
    if (!mailboxKey) return;
    const keys = deriveMailboxKeys(mailboxKey);
    const tags = currentTags(keys, clock());
    wipeMailboxKeys(keys);
    yield* drain(tags, this.#outboxOf(contact));
    yield* drain(tags, this.#custody());
  }

  /** What a helper has for people it does not know: one of those who open the bundle may. */
  *#heldForUnknown(): Generator<Uint8Array> {
    for (const tag of this.#options.custody.unknownTags()) yield* drain([tag], this.#custody());
  }

  #outboxOf(contact: ContactId): EnvelopeSource {
    const { outbox } = this.#context.store;
    return {
      page: (_, after) => {
        const records = outbox.listOf(contact, PAGE, after);
        const next = records.length === PAGE ? (records.at(-1)?.seq ?? null) : null;
        return { entries: records.map(({ envelopeId }) => ({ envelopeId, ofPuller: false })), next };
      },
      envelope: id => outbox.get(id)?.envelope ?? null,
    };
  }

  #custody(): EnvelopeSource {
    const { custody } = this.#context.store;
    return {
      page: (tags, after, limit) => {
        const found = custody.byTags(tags, limit, after);
        const next = found.length === limit ? (found.at(-1)?.seq ?? null) : null;
        return { entries: found.map(({ envelopeId }) => ({ envelopeId, ofPuller: false })), next };
      },
      envelope: id => custody.envelope(id) ?? null,
    };
  }

  async #take(bytes: Uint8Array): Promise<Outcome> {
    const { account } = this.#context;
    const { recipients, helper } = this.#options;
    const tag = tagOf(bytes);
    if (!tag) return 'refused';
    const recipient = recipients.of(tag);
    if (recipient === account.id) return this.#open(bytes);
    if (recipient) return this.#keep(bytes, account.id);
    if (!helper) return 'notOurs';
    return this.#keep(bytes, null);
  }

  async #open(bytes: Uint8Array): Promise<Outcome> {
    const id = envelopeIdOf(bytes);
    const before = this.#context.store.seen.has(id);
    const verdict = await this.#options.intake.receive(bytes, id, undefined, 'file');
    if (before) return 'seenBefore';
    return verdict === 'stored' ? 'taken' : 'refused';
  }

  async #keep(bytes: Uint8Array, depositor: ContactId | null): Promise<Outcome> {
    const outcome = await this.#options.custody.deposit(bytes, depositor);
    if (outcome.kind === 'refused') return 'refused';
    return outcome.fresh ? 'kept' : 'seenBefore';
  }

  #tell(transfer: string, direction: 'export' | 'import', bytes: number, envelopes: number): void {
    this.#context.bus.emit({ type: 'bundle-progress', transfer, direction, bytes, envelopes });
  }

  /** Others get their turn between two full outboxes. */
  #pause(): Promise<void> {
    return new Promise(resolve => this.#context.scheduler(0, resolve));
  }
}

function inOrder(found: ReadonlyMap<string, EnvelopeId>): readonly EnvelopeId[] {
  return [...found.values()].sort(compareBytes);
}

/** Undefined for what is no envelope. */
function tagOf(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return decodeEnvelope(bytes).tag;
  } catch (error) {
    if (error instanceof CoreError && error.code === 'bad-bytes') return undefined;
    throw error;
  }
}
