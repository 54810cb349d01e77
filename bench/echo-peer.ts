import { hex } from '../core/base/bytes.ts';
import { Secret } from '../core/base/secret.ts';
import { systemRandom } from '../core/base/world.io.ts';
import { createSwarm } from '../core/network/swarm.io.ts';
import { FLOOR_PROTOCOL } from './messaging-floors.ts';

/** The other end of the bare stream: takes frames, and answers those whose first byte is 1. */
const swarm = createSwarm({
  transportSeed: Secret.take(systemRandom(32)),
  listen: ['/ip4/127.0.0.1/tcp/0'],
  lastPorts: [],
});
await swarm.start();
await swarm.serve(FLOOR_PROTOCOL, async channel => {
  for await (const frame of channel.frames) if (frame[0] === 1) await channel.send(frame);
});
process.send?.({ key: hex(swarm.transportKey), addresses: swarm.addresses() });
process.on('disconnect', () => process.exit(0));
