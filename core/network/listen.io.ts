import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { UsageError } from '../base/errors.ts';
import { formatTcpAddress, isWildcard, parseTcpAddress, type TcpAddress } from './addresses.ts';

const EVERYWHERE: readonly TcpAddress[] = [
  { family: 4, host: '0.0.0.0', port: 0 },
  { family: 6, host: '::', port: 0 },
];

/**
 * Decides where to listen. Addresses with port 0 share one port: the first of `lastPorts` that is free on all of
 * them, else a new one, so that a restart keeps the address others know. IPv6 that the machine lacks is left out.
 * @throws UsageError an address is malformed, is not this machine's, or its port is taken
 */
export async function planListen(listen: readonly string[], lastPorts: readonly number[]): Promise<TcpAddress[]> {
  const wanted = listen.length === 0 ? EVERYWHERE : listen.map(parseListen);
  const usable: TcpAddress[] = [];
  for (const address of wanted) if (await checkUsable(address, listen.length > 0)) usable.push(address);
  const floating = usable.filter(address => address.port === 0);
  if (floating.length === 0) return usable;
  const port = await commonPort(floating, lastPorts);
  return usable.map(address => (address.port === 0 ? { ...address, port } : address));
}

/** The addresses of this machine behind the listening ones. */
export function expandWildcards(listening: readonly TcpAddress[]): TcpAddress[] {
  return listening.flatMap(address => {
    if (!isWildcard(address)) return [address];
    const own = Object.values(networkInterfaces()).flatMap(found => found ?? []);
    return own
      .filter(found => found.family === `IPv${address.family}` && !isLinkLocal(found.address))
      .map(found => ({ ...address, host: found.address }));
  });
}

/** Link-local addresses need a zone, which means nothing on another machine. */
function isLinkLocal(host: string): boolean {
  return host.startsWith('169.254.') || /^fe[89ab]/i.test(host);
}

function parseListen(text: string): TcpAddress {
  const address = parseTcpAddress(text);
  if (!address) throw new UsageError('bad-request', 'network.listen', `Not a TCP multiaddr to listen on: ${text}`);
  return address;
}

async function checkUsable(address: TcpAddress, explicit: boolean): Promise<boolean> {
  const problem = await tryPort(address, address.port);
  if (problem === undefined) return true;
  if (!explicit && address.family === 6) return false;
  const reason = problem === 'EADDRINUSE' ? 'the port is in use' : `the system says ${problem}`;
  throw new UsageError('refused', 'network.listen', `Cannot listen on ${formatTcpAddress(address)}: ${reason}.`);
}

async function commonPort(addresses: readonly TcpAddress[], lastPorts: readonly number[]): Promise<number> {
  for (const port of lastPorts) if (await isFree(addresses, port)) return port;
  for (let attempt = 0; attempt < 16; attempt++) {
    const port = await anyPort(addresses[0] as TcpAddress);
    if (await isFree(addresses, port)) return port;
  }
  throw new UsageError('refused', 'network.listen', 'No free port was found to listen on.');
}

async function isFree(addresses: readonly TcpAddress[], port: number): Promise<boolean> {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return false;
  for (const address of addresses) if ((await tryPort(address, port)) !== undefined) return false;
  return true;
}

function anyPort(address: TcpAddress): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: address.host, port: 0, ipv6Only: address.family === 6 }, () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}

/** @returns undefined when the port can be bound, else the system's error code */
function tryPort(address: TcpAddress, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EINVAL'));
    server.listen({ host: address.host, port, ipv6Only: address.family === 6 }, () => {
      server.close(() => resolve(undefined));
    });
  });
}
