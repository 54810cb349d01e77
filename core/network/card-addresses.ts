import { multiaddr } from '@multiformats/multiaddr';
import { LIMITS } from '../base/limits.ts';
import { parseTcpAddress } from './addresses.ts';

/** Address hints as cards and invites carry them: binary multiaddrs (multiformats/multiaddr), at most `limit`. */
export function addressesToCard(addresses: readonly string[], limit: number = LIMITS.cardAddresses): Uint8Array[] {
  return addresses
    .filter(address => parseTcpAddress(address) !== undefined)
    .slice(0, limit)
    .map(address => multiaddr(address).bytes);
}

/** The hints that can be dialed; the rest, and what is not a multiaddr at all, is passed over. */
export function addressesFromCard(hints: readonly Uint8Array[]): string[] {
  return hints.map(readAddress).filter(address => address !== undefined);
}

function readAddress(hint: Uint8Array): string | undefined {
  try {
    const address = multiaddr(hint).toString();
    return parseTcpAddress(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
