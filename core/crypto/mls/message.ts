import { decodeMlsMessage, encodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import { DecodeError } from '../../base/errors.ts';

/**
 * Reads a message that has exactly one spelling: the decoders of ts-mls take lengths in longer forms than they need, and
 * signatures are over what was read, so that one message could go round under many names.
 * @throws DecodeError
 */
export function readMessage(bytes: Uint8Array, operation: string): MLSMessage {
  const decoded = decodeMlsMessage(bytes, 0);
  if (decoded === undefined || decoded[1] !== bytes.length) throw new DecodeError(operation);
  if (Buffer.compare(encodeMlsMessage(decoded[0]), bytes) !== 0) throw new DecodeError('mls.spelling');
  return decoded[0];
}
