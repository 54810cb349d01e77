interface Message {
  readonly topic: string;
  readonly data?: Uint8Array;
}

interface MessageName {
  readonly msgId: Uint8Array;
  readonly msgIdStr: string;
}

interface Held<M> {
  readonly id: Uint8Array;
  readonly msg: M;
  readonly beat: number;
  readonly asked: Map<string, number>;
}

interface WindowOptions {
  readonly maxBytes: number;
  /** Heartbeats a message is kept, and told of to neighbours outside the mesh. */
  readonly keepBeats: number;
  readonly tellBeats: number;
}

/** What a message costs beside its data: its topic, its id, its place here. */
const MESSAGE_BYTES = 256;

/**
 * The last messages, for neighbours that missed them. It takes the place of gossipsub's own cache, which counts
 * heartbeats alone: whoever asks for all of it is answered in one piece, however large, so its bytes are bounded here.
 */
export class GossipWindow<M extends Message> {
  /** In order of arrival; gossipsub looks here whether it has a message. */
  readonly msgs = new Map<string, Held<M>>();
  readonly #options: WindowOptions;
  #bytes = 0;
  #beat = 0;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put({ msgId, msgIdStr }: MessageName, msg: M): boolean {
    if (this.msgs.has(msgIdStr)) return false;
    this.msgs.set(msgIdStr, { id: msgId, msg, beat: this.#beat, asked: new Map() });
    this.#bytes += costOf(msg);
    this.#dropWhile(() => this.#bytes > this.#options.maxBytes);
    return true;
  }

  /** How often a peer asked for a message is counted, so that gossipsub can stop answering it. */
  getWithIWantCount(msgIdStr: string, peer: string): { msg: M; count: number } | null {
    const held = this.msgs.get(msgIdStr);
    if (!held) return null;
    const count = (held.asked.get(peer) ?? 0) + 1;
    held.asked.set(peer, count);
    return { msg: held.msg, count };
  }

  getGossipIDs(topics: ReadonlySet<string>): Map<string, Uint8Array[]> {
    const ids = new Map<string, Uint8Array[]>();
    for (const { id, msg, beat } of this.msgs.values()) {
      if (this.#beat - beat >= this.#options.tellBeats || !topics.has(msg.topic)) continue;
      const known = ids.get(msg.topic);
      if (known) known.push(id);
      else ids.set(msg.topic, [id]);
    }
    return ids;
  }

  /** A heartbeat has passed. */
  shift(): void {
    this.#beat += 1;
    this.#dropWhile(held => this.#beat - held.beat >= this.#options.keepBeats);
  }

  /** Only judged messages come here, so nobody needs to be remembered for one. */
  observeDuplicate(): void {}

  #dropWhile(old: (held: Held<M>) => boolean): void {
    for (const [id, held] of this.msgs) {
      if (!old(held)) return;
      this.msgs.delete(id);
      this.#bytes -= costOf(held.msg);
    }
  }
}

function costOf(message: Message): number {
  return (message.data?.length ?? 0) + MESSAGE_BYTES;
}
