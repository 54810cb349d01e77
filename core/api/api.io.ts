import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scheduler } from '../base/clock.ts';
import { LIMITS } from '../base/limits.ts';
import type { BundleStreams } from '../commands/bundles.ts';
import type { ApiEvent, CommandTable } from '../commands/schema.ts';
import { type ApiLog, createDispatch } from './dispatch.ts';
import { handleHttp } from './http.io.ts';
import { readPageFiles } from './page-files.io.ts';
import { createSockets } from './socket.io.ts';
import type { Tokens } from './tokens.ts';

export interface ApiOptions {
  readonly commands: CommandTable;
  readonly bundles: BundleStreams;
  /** Registers a listener of all events; gives back how to leave. */
  readonly subscribe: (listener: (event: ApiEvent) => void) => () => void;
  readonly tokens: Tokens;
  /** Where the built page lies; a missing one is said in the browser. */
  readonly pageDirectory: string;
  readonly scheduler: Scheduler;
  readonly log: ApiLog;
}

export interface Api {
  /** Serves on a free port of 127.0.0.1. `origin` is `http://127.0.0.1:PORT`. */
  listen(): Promise<{ port: number; origin: string }>;
  /** The address a window is opened on; the code in it works once, for ten minutes. */
  issueLink(): string;
  /** Lets answers under way finish (for a second at most), closes everything. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;

/** The local API (docs/protocol/api.md): page, one-shot JSON-RPC, and JSON-RPC with events over WebSocket. */
export function createApi(options: ApiOptions): Api {
  const server = createServer({
    headersTimeout: LIMITS.rpcHeadersMs,
    // A bundle takes as long as it takes; the bodies of all else are timed where they are read.
    requestTimeout: 0,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: LIMITS.rpcHeadersMs,
    maxHeaderSize: 8 * 1024,
    requireHostHeader: true,
  });
  server.maxConnections = LIMITS.rpcConnections;
  let origin: string | undefined;
  let stop: (() => Promise<void>) | undefined;

  async function listen() {
    const port = await bind(server);
    origin = `http://127.0.0.1:${port}`;
    stop = serve(server, origin, options);
    return { port, origin };
  }

  return {
    listen,
    issueLink() {
      if (origin === undefined) throw new Error('the API does not listen yet');
      return `${origin}/#code=${options.tokens.issueCode()}`;
    },
    async close() {
      await stop?.();
    },
  };
}

function bind(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port: 0, exclusive: true }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function serve(server: Server, origin: string, options: ApiOptions): () => Promise<void> {
  const { tokens, log, bundles, scheduler } = options;
  const dispatch = createDispatch(options.commands, log);
  const pages = readPageFiles(options.pageDirectory);
  const sockets = createSockets({ origin, tokens, dispatch, log });
  server.on('request', (request, response) => {
    handleHttp(request, response, { origin, pages, tokens, dispatch, bundles, scheduler }).catch(() => {
      // The other side went away in the middle of its request.
      log('api.request-broken', {});
      response.destroy();
    });
  });
  server.on('upgrade', sockets.upgrade);
  const unsubscribe = options.subscribe(sockets.broadcast);
  return () =>
    new Promise(resolve => {
      unsubscribe();
      sockets.close();
      const cancel = options.scheduler(CLOSE_GRACE_MS, () => {
        sockets.terminate();
        server.closeAllConnections();
      });
      server.close(() => {
        cancel();
        tokens.wipe();
        resolve();
      });
      server.closeIdleConnections();
    });
}
