import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type Api, createApi } from '../../core/api/api.io.ts';
import { createTokens } from '../../core/api/tokens.ts';
import { UsageError } from '../../core/base/errors.ts';
import { systemClock, systemRandom, systemScheduler } from '../../core/base/world.io.ts';
import type { ApiEvent, CommandTable } from '../../core/commands/schema.ts';

export const OWN_ID = 'a'.repeat(26);

/** A served API over commands that tests replace one by one; the ones not replaced refuse. */
export interface Served {
  readonly api: Api;
  readonly port: number;
  readonly origin: string;
  readonly token: string;
  readonly log: { event: string; facts: object }[];
  readonly emit: (event: ApiEvent) => void;
  readonly listeners: () => number;
}

export async function serveApi(t: TestContext, commands: Partial<CommandTable> = {}): Promise<Served> {
  const tokens = createTokens({ clock: systemClock, random: systemRandom });
  const listeners = new Set<(event: ApiEvent) => void>();
  const log: Served['log'] = [];
  const api = createApi({
    bundles: {
      write: async () => {
        throw new UsageError('refused', 'test', 'Not in this test.');
      },
      read: async () => {
        throw new UsageError('refused', 'test', 'Not in this test.');
      },
    },
    commands: completed(commands),
    subscribe: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tokens,
    pageDirectory: makePage(t),
    scheduler: systemScheduler,
    log: (event, facts) => log.push({ event, facts }),
  });
  const { port, origin } = await api.listen();
  t.after(() => api.close());
  const emit = (event: ApiEvent) => {
    for (const listener of listeners) listener(event);
  };
  return { api, port, origin, token: tokens.reveal(), log, emit, listeners: () => listeners.size };
}

function completed(commands: Partial<CommandTable>): CommandTable {
  const refuse = async () => {
    throw new UsageError('refused', 'test', 'Not in this test.');
  };
  return new Proxy(commands, {
    get: (table, name) => table[name as keyof CommandTable] ?? refuse,
  }) as CommandTable;
}

function makePage(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'molva-page-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const page = join(directory, 'page');
  mkdirSync(join(page, 'assets'), { recursive: true });
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Molva</title>');
  writeFileSync(join(page, 'assets', 'app.js'), 'export {};');
  writeFileSync(join(page, '.secret.json'), 'hidden');
  writeFileSync(join(page, 'notes.bin'), 'unknown type');
  writeFileSync(join(directory, 'outside.txt'), 'outside');
  symlinkSync(join(directory, 'outside.txt'), join(page, 'link.txt'));
  return page;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request with full control of its headers; connections are not reused. */
export function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false }, response => {
      const chunks: Buffer[] = [];
      response.on('data', chunk => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

export function rpcBody(method: string, params: unknown = {}, id: string | number = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params });
}

export function rpc(served: Served, body: string | Buffer, headers: Record<string, string> = {}): Promise<Answer> {
  const standard = { Authorization: `Bearer ${served.token}`, 'Content-Type': 'application/json' };
  return ask(served.port, 'POST', '/rpc', { ...standard, ...headers }, body);
}

/** Sends bytes as they are and gives back all that comes until the other side closes. */
export function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', chunk => {
      text += chunk;
    });
    // A server that hangs up on unread bytes resets the connection after its answer.
    socket.on('error', error => (text === '' ? reject(error) : resolve(text)));
    socket.on('close', () => resolve(text));
  });
}
