/**
 * The core state of a Double Ratchet as one flat run of bytes: copying it is a snapshot, clearing it is a wipe,
 * and storing it needs no encoding. Offsets are in docs/protocol/session.md §6.
 */
export const RATCHET_STATE_VERSION = 1;
const KEY_BYTES = 32;
const KEYS_START = 20;
const KEY_COUNT = 11;
export const RATCHET_STATE_BYTES = KEYS_START + KEY_COUNT * KEY_BYTES;

/** Set once a sending chain, or a receiving chain, exists. */
const SENDING = 1;
const RECEIVING = 2;

export class RatchetState {
  readonly bytes: Buffer = Buffer.alloc(RATCHET_STATE_BYTES);
  readonly associatedData: Buffer = this.#key(0);
  readonly rootKey: Buffer = this.#key(1);
  readonly ownSecret: Buffer = this.#key(2);
  readonly ownPublic: Buffer = this.#key(3);
  readonly peerPublic: Buffer = this.#key(4);
  readonly sendChain: Buffer = this.#key(5);
  readonly receiveChain: Buffer = this.#key(6);
  readonly sendHeaderKey: Buffer = this.#key(7);
  readonly receiveHeaderKey: Buffer = this.#key(8);
  readonly nextSendHeaderKey: Buffer = this.#key(9);
  readonly nextReceiveHeaderKey: Buffer = this.#key(10);

  get canSend(): boolean {
    return ((this.bytes[1] as number) & SENDING) !== 0;
  }

  get canReceive(): boolean {
    return ((this.bytes[1] as number) & RECEIVING) !== 0;
  }

  markSending(): void {
    this.bytes[1] = (this.bytes[1] as number) | SENDING;
  }

  markReceiving(): void {
    this.bytes[1] = (this.bytes[1] as number) | RECEIVING;
  }

  /** Messages sent in the present sending chain. */
  get sendCount(): number {
    return this.bytes.readUInt32BE(4);
  }

  set sendCount(count: number) {
    this.bytes.writeUInt32BE(count, 4);
  }

  /** Messages received, or skipped over, in the present receiving chain. */
  get receiveCount(): number {
    return this.bytes.readUInt32BE(8);
  }

  set receiveCount(count: number) {
    this.bytes.writeUInt32BE(count, 8);
  }

  /** Messages sent in the sending chain before. */
  get previousCount(): number {
    return this.bytes.readUInt32BE(12);
  }

  set previousCount(count: number) {
    this.bytes.writeUInt32BE(count, 12);
  }

  /** Entries in the skipped-keys row, so that an empty one need not be read. */
  get skippedCount(): number {
    return this.bytes.readUInt32BE(16);
  }

  set skippedCount(count: number) {
    this.bytes.writeUInt32BE(count, 16);
  }

  #key(index: number): Buffer {
    const start = KEYS_START + index * KEY_BYTES;
    return this.bytes.subarray(start, start + KEY_BYTES);
  }
}
