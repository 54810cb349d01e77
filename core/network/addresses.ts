import { multiaddr } from '@multiformats/multiaddr';
import { LIMITS } from '../base/limits.ts';

/** A TCP multiaddr in parts; `host` is a numeric address, never a name (a name would ask the DNS). */
export interface TcpAddress {
  readonly family: 4 | 6;
  readonly host: string;
  readonly port: number;
}

export type AddressScope = 'public' | 'private' | 'loopback';

/** @returns undefined for anything but `/ip4|ip6/<numeric>/tcp/<port>` with an optional trailing `/p2p/...` */
export function parseTcpAddress(text: string): TcpAddress | undefined {
  if (text.length > LIMITS.addressBytes) return undefined;
  try {
    const [host, tcp, peer, ...rest] = multiaddr(text).getComponents();
    if (host?.value === undefined || tcp?.value === undefined || tcp.name !== 'tcp' || rest.length > 0)
      return undefined;
    if (host.name !== 'ip4' && host.name !== 'ip6') return undefined;
    if (peer && peer.name !== 'p2p') return undefined;
    return { family: host.name === 'ip4' ? 4 : 6, host: host.value, port: Number(tcp.value) };
  } catch {
    return undefined;
  }
}

export function formatTcpAddress(address: TcpAddress): string {
  return `/ip${address.family}/${address.host}/tcp/${address.port}`;
}

/** How far an address reaches (RFC 6890 registries, the parts that occur on interfaces). */
export function scopeOf(address: TcpAddress): AddressScope {
  const { family, host } = address;
  if (family === 4) {
    const [a = 0, b = 0] = host.split('.').map(Number);
    if (a === 127) return 'loopback';
    const shared = a === 100 && b >= 64 && b < 128;
    const local = a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254);
    return shared || local || a === 0 || a >= 224 ? 'private' : 'public';
  }
  if (host === '::1') return 'loopback';
  return /^[23][0-9a-f]{3}:/i.test(host) ? 'public' : 'private';
}

export function isWildcard(address: TcpAddress): boolean {
  return address.host === (address.family === 4 ? '0.0.0.0' : '::');
}

const TOLD: readonly AddressScope[] = ['public', 'private', 'loopback'];
const TRIED: readonly AddressScope[] = ['private', 'public', 'loopback'];

/** For telling others: what the most people can use comes first. */
export function inTellingOrder(addresses: readonly TcpAddress[]): string[] {
  return ordered(addresses, TOLD);
}

/** For dialing: the local network before the internet; this very machine last. */
export function compareForDial(a: TcpAddress, b: TcpAddress): number {
  return TRIED.indexOf(scopeOf(a)) - TRIED.indexOf(scopeOf(b));
}

function ordered(addresses: readonly TcpAddress[], scopes: readonly AddressScope[]): string[] {
  const sorted = [...addresses].sort((a, b) => scopes.indexOf(scopeOf(a)) - scopes.indexOf(scopeOf(b)));
  return [...new Set(sorted.map(formatTcpAddress))];
}
