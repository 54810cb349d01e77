import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDispatch } from '../../core/api/dispatch.ts';
import { handleHttp } from '../../core/api/http.io.ts';
import { readPageFiles } from '../../core/api/page-files.io.ts';
import { createSockets } from '../../core/api/socket.io.ts';
import { createTokens } from '../../core/api/tokens.ts';
import { systemClock, systemRandom, systemScheduler } from '../../core/base/world.io.ts';
import type { BundleStreams } from '../../core/commands/bundles.ts';
import type { ApiEvent, CommandTable } from '../../core/commands/schema.ts';
import { fakeCommands } from './fake-commands.ts';
import { FakeProfile } from './fake-profile.ts';

/**
 * A core without keys, disk or network, for tests of the page: the real HTTP, WebSocket, guard, policy and schema
 * checks of `core/api` over commands that keep everything in memory.
 */
export interface FakeCore {
  readonly profile: FakeProfile;
  /** Parameters of every call so far, in order. */
  readonly calls: readonly { method: string; params: unknown }[];
  /** A link with a one-use code, as the window is given. */
  link(): string;
  emit(event: ApiEvent): void;
  /** Dies: every connection breaks and the port is free, while what it knows stays. */
  crash(): Promise<void>;
  /** Serves again on the same port, with the same token. */
  revive(): Promise<void>;
}

export async function createFakeCore(pageDirectory: string, profile = new FakeProfile()): Promise<FakeCore> {
  const tokens = createTokens({ clock: systemClock, random: systemRandom });
  const pages = readPageFiles(pageDirectory);
  const calls: { method: string; params: unknown }[] = [];
  let running = await serve(0);

  function emit(event: ApiEvent): void {
    running.sockets.broadcast(event);
  }

  async function serve(wanted: number) {
    const commands = recorded(
      fakeCommands(profile, event => emit(event)),
      calls,
    );
    const dispatch = createDispatch(commands, (event, facts) => {
      throw new Error(`${event} ${JSON.stringify(facts)}`);
    });
    const bundles = fakeBundles(profile, event => emit(event));
    const server = createServer();
    const port = await bind(server, wanted);
    const origin = `http://127.0.0.1:${port}`;
    const sockets = createSockets({ origin, tokens, dispatch, log: () => {} });
    server.on('request', (request, response) => {
      handleHttp(request, response, { origin, pages, tokens, dispatch, bundles, scheduler: systemScheduler }).catch(
        () => response.destroy(),
      );
    });
    server.on('upgrade', sockets.upgrade);
    return { server, sockets, origin, port };
  }

  return {
    profile,
    calls,
    emit,
    link: () => `${running.origin}/#code=${tokens.issueCode()}`,
    crash: () =>
      new Promise(resolve => {
        running.server.close(() => resolve());
        running.sockets.terminate();
        running.server.closeAllConnections();
      }),
    async revive() {
      running = await serve(running.port);
    },
  };
}

/** Bundles of any bytes; progress is told as the core tells it. */
function fakeBundles({ bundles }: FakeProfile, emit: (event: ApiEvent) => void): BundleStreams {
  const tell = (transfer: string, direction: 'export' | 'import', bytes: number, envelopes: number) => {
    // Another client's bundle is under way at the same time.
    emit({ event: 'bundle-progress', transfer: 'another', direction, bytes: 1, envelopes: 777 });
    emit({ event: 'bundle-progress', transfer, direction, bytes, envelopes });
    emit({ event: 'bundle-progress', transfer: 'another', direction, bytes: 2, envelopes: 777 });
  };
  async function* pieces(transfer: string) {
    let bytes = 0;
    for await (const piece of bundles.pieces) {
      bytes += piece.length;
      yield Buffer.from(piece);
      tell(transfer, 'export', bytes, 1);
    }
    tell(transfer, 'export', bytes, bundles.envelopes);
  }
  return {
    async write(who, transfer) {
      if (bundles.failure) throw bundles.failure;
      bundles.for = who;
      return { envelopes: bundles.envelopes, pieces: pieces(transfer) };
    },
    async read(parts, transfer) {
      if (bundles.failure) throw bundles.failure;
      bundles.imported = 0;
      for await (const part of parts) {
        bundles.imported += part.length;
        tell(transfer, 'import', bundles.imported, bundles.report.read);
        await bundles.gate;
      }
      return bundles.report;
    },
  };
}

function recorded(commands: CommandTable, calls: { method: string; params: unknown }[]): CommandTable {
  return new Proxy(commands, {
    get(table, name) {
      const command = table[name as keyof CommandTable] as (params: unknown) => Promise<unknown>;
      return (params: unknown) => {
        calls.push({ method: String(name), params });
        return command(params);
      };
    },
  });
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port }, () => resolve((server.address() as AddressInfo).port));
  });
}
