// Loaded into a real core before its own code: a wall that no TCP connection of it passes. The file named by MOLVA_WALL
// holds the ports beyond the wall, and may change at any time: connections there end, and no new ones are made.
import { readFileSync, watchFile } from 'node:fs';
import { Socket } from 'node:net';

const POLL_MS = 20;
const file = process.env.MOLVA_WALL;
const connect = Socket.prototype.connect;
/** Outgoing connections, by their port. The other side's are its own wall's business. */
const open = new Map();

Socket.prototype.connect = function connectUnlessWalled(...args) {
  // node:net itself calls with its arguments in one array.
  const [options] = Array.isArray(args[0]) ? args[0] : args;
  const port = Number(options?.port);
  if (!port) return connect.apply(this, args);
  if (walled().includes(port)) return end(this);
  open.set(this, port);
  this.once('close', () => open.delete(this));
  return connect.apply(this, args);
};

if (file) {
  watchFile(file, { interval: POLL_MS, persistent: false }, () => {
    const ports = walled();
    for (const [socket, port] of open) if (ports.includes(port)) end(socket);
  });
}

function walled() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return [];
  }
}

function end(socket) {
  return socket.destroy(Object.assign(new Error('a wall stands between'), { code: 'EHOSTUNREACH' }));
}
