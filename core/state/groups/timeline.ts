import { compareHlc, encodeHlc, type HlcTime, tickHlc } from '../../base/hlc.ts';
import { groupMessageIdOf, type MessageId } from '../../base/ids.ts';
import { LIMITS } from '../../base/limits.ts';
import type { DeliveryState, GroupRecord, StoredMessage } from '../../storage/records.ts';
import type { WriteTx } from '../../storage/store.ts';
import { encodeNotice, type Notice } from '../../wire/notice.ts';
import type { Context } from '../context.ts';
import type { CoreEvent } from '../events.ts';

/** The draft that a timeline is part of. */
interface Draft {
  readonly context: Context;
  readonly record: Pick<GroupRecord, 'id' | 'conversation'>;
  readonly nowMs: number;
  put(change: (tx: WriteTx) => void): void;
  event(event: CoreEvent | (() => CoreEvent)): void;
}

/** What a batch of steps puts into a group's conversation: texts, and what is told of the group itself. */
export class Timeline {
  /** Above that of everything in the conversation. */
  time: HlcTime;
  readonly #draft: Draft;
  readonly #added = new Set<MessageId>();
  readonly #states = new Map<MessageId, DeliveryState['state']>();
  #heads: readonly MessageId[] | undefined;

  constructor(draft: Draft, time: HlcTime) {
    this.#draft = draft;
    this.time = time;
  }

  /** Something that happened here. */
  tell(notice: Notice): void {
    const { context, record, nowMs } = this.#draft;
    const { account } = context;
    const hlc = this.nextTime();
    const content = encodeNotice(notice);
    const id = groupMessageIdOf(record.conversation, account.id, Buffer.concat([content, encodeHlc(hlc)]));
    const fields = { id, sender: account.id, hlc, outgoing: false, parents: [], text: '', content };
    this.add({ ...fields, receivedAtMs: nowMs, late: false }, 'message-received');
  }

  add(message: StoredMessage, type: 'message-received' | 'message-sent'): void {
    const { store } = this.#draft.context;
    const { conversation, id: group } = this.#draft.record;
    let stored = message;
    this.#draft.put(tx => {
      stored = store.messages.put(tx, conversation, message) ?? stored;
    });
    this.#added.add(message.id);
    this.#draft.event(() => ({ type, message: stored, contact: null, group }));
  }

  has(id: MessageId): boolean {
    return this.#added.has(id) || this.#draft.context.store.messages.has(id);
  }

  nextTime(): HlcTime {
    this.time = tickHlc(this.time, this.#draft.nowMs);
    return this.time;
  }

  seeTime(time: HlcTime): void {
    if (compareHlc(time, this.time) > 0) this.time = time;
  }

  /** The latest texts nobody has answered to, which the next one names as its parents. */
  get heads(): readonly MessageId[] {
    this.#heads ??= this.#draft.context.store.messages.heads(this.#draft.record.conversation);
    return this.#heads;
  }

  advanceHeads(id: MessageId, parents: readonly MessageId[]): void {
    this.#heads = [...this.heads.filter(head => !parents.includes(head)), id].slice(-LIMITS.parents);
  }

  stateOf(id: MessageId): DeliveryState['state'] | undefined {
    return this.#states.get(id) ?? this.#draft.context.store.messages.stateOf(id)?.state;
  }

  moveState(id: MessageId, state: 'queued' | 'sent'): void {
    const { nowMs: atMs, context, record } = this.#draft;
    this.#states.set(id, state);
    this.#draft.put(tx => context.store.messages.setState(tx, id, { state, atMs, receipt: null }));
    if (state !== 'queued') {
      this.#draft.event({ type: 'message-state', id, conversation: record.conversation, state, atMs });
    }
  }
}
