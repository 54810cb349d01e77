import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/**
 * Whether another user of this machine holds the other end of a loopback connection. A one-use code passes through
 * a command line, which other users can read on Linux; this keeps them from being first to use it.
 * False where the system does not tell.
 */
export function belongsToOther(socket: Socket, ownUser = process.getuid?.()): boolean {
  if (process.platform !== 'linux' || ownUser === undefined) return false;
  const { remotePort, localPort } = socket;
  if (remotePort === undefined || localPort === undefined) return false;
  for (const table of TABLES) {
    const owner = ownerIn(readTable(table), remotePort, localPort);
    if (owner !== undefined) return owner !== ownUser;
  }
  return false;
}

/** The user of the row whose local and remote ports are these (proc(5), columns 2, 3 and 8). */
export function ownerIn(table: string, localPort: number, remotePort: number): number | undefined {
  const local = portText(localPort);
  const remote = portText(remotePort);
  for (const line of table.split('\n')) {
    const columns = line.trim().split(/\s+/);
    if (columns[1]?.endsWith(local) && columns[2]?.endsWith(remote)) return Number(columns[7]);
  }
  return undefined;
}

function portText(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
