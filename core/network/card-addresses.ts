import { multiaddr } from '@multiformats/multiaddr';
import { LIMITS } from '../base/limits.ts';
import { formatTcpAddress, parseTcpAddress } from './addresses.ts';

/** Address hints as cards and invites carry them: binary multiaddrs (multiformats/multiaddr), at most `limit`. */
export function addressesToCard(addresses: readonly string[], limit: number = LIMITS.cardAddresses): Uint8Array[] {
  return addresses
    .flatMap(text => parseTcpAddress(text) ?? [])
    .slice(0, limit)
    .map(address => multiaddr(formatTcpAddress(address)).bytes);
}

/** The hints that can be dialed; the rest, and what is not a multiaddr at all, is passed over. */
export function addressesFromCard(hints: readonly Uint8Array[]): string[] {
  return hints.map(readAddress).filter(address => address !== undefined);
}

function readAddress(hint: Uint8Array): string | undefined {
  try {
    const address = parseTcpAddress(multiaddr(hint).toString());
    return address && formatTcpAddress(address);
  } catch {
    return undefined;
  }
}
