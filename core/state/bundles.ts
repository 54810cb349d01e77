import { CoreError } from '../base/errors.ts';
import type { ContactId } from '../base/ids.ts';
import { LIMITS } from '../base/limits.ts';
import { currentTags, deriveMailboxKeys, wipeMailboxKeys } from '../crypto/mailbox-seal.ts';
import { drain, type EnvelopeSource } from '../mailbox/drain.ts';
import { BundleReader, BundleWriter } from '../wire/bundle.ts';
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
  /** `damaged`, `cut`: everything whole before that place was taken. */
  readonly file: 'complete' | 'cut' | 'damaged';
}

type Outcome = Exclude<keyof BundleReport, 'read' | 'file'>;

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

  /** The pieces of a bundle with what waits for these contacts; as much as a bundle may hold, the oldest first. */
  async *write(contacts: readonly ContactId[]): AsyncGenerator<Buffer> {
    const writer = new BundleWriter();
    let envelopes = 0;
    yield writer.begin();
    for (const envelope of this.#waitingFor(contacts)) {
      if (!writer.fits(envelope.length)) break;
      yield writer.envelope(envelope);
      envelopes += 1;
      if (envelopes % TELL_EVERY === 0) this.#tell('export', writer.bytes, envelopes);
    }
    yield writer.end();
    this.#tell('export', writer.bytes, envelopes);
  }

  /**
   * Reads a bundle, whole or not; every envelope is durable where it belongs when this resolves.
   * @throws StorageError, TransientError: what was read until then is kept, and reading it again does no harm
   */
  async read(pieces: AsyncIterable<Uint8Array>): Promise<BundleReport> {
    const reader = new BundleReader();
    const counts = { taken: 0, seenBefore: 0, kept: 0, notOurs: 0, refused: 0 };
    let read = 0;
    let bytes = 0;
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > LIMITS.bundleBytes) break;
      const envelopes = reader.push(piece);
      for (let start = 0; start < envelopes.length; start += LIMITS.syncWindow) {
        const part = envelopes.slice(start, start + LIMITS.syncWindow);
        for (const outcome of await Promise.all(part.map(envelope => this.#take(envelope)))) counts[outcome] += 1;
        read += part.length;
        this.#tell('import', bytes, read);
      }
      if (reader.progress === 'damaged') break;
    }
    const file = reader.progress === 'reading' ? 'cut' : reader.progress;
    return { read, ...counts, file };
  }

  /** First the own envelopes for each contact, then what is held for it. */
  *#waitingFor(contacts: readonly ContactId[]): Generator<Uint8Array> {
    const { clock, store } = this.#context;
    for (const contact of contacts) {
      const mailboxKey = store.contacts.get(contact)?.mailboxKey;
      if (!mailboxKey) continue;
      const keys = deriveMailboxKeys(mailboxKey);
      const tags = currentTags(keys, clock());
      wipeMailboxKeys(keys);
      yield* drain(tags, this.#outboxOf(contact));
      yield* drain(tags, this.#custody());
    }
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

  #tell(direction: 'export' | 'import', bytes: number, envelopes: number): void {
    this.#context.bus.emit({ type: 'bundle-progress', direction, bytes, envelopes });
  }
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
