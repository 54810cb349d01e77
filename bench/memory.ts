import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { BenchCore, meet } from './cores.ts';
import type { Row } from './row.ts';

const CONTACTS = 10;
/** The goal names this moment. */
const IDLE_MS = 60_000;
const MIB = 1024;
const SERVER = "require('http').createServer().listen(0, '127.0.0.1', () => console.log('ready'))";

interface Use {
  readonly rssMib: number;
  readonly pssMib: number;
  /** Pages of this process alone. */
  readonly ownMib: number;
}

/** Memory of a headless core with ten contacts, none of them there, a minute after its start. Linux only. */
export async function run(): Promise<Row[]> {
  if (!existsSync('/proc/self/smaps_rollup')) return [];
  const core = await BenchCore.create('Ada');
  try {
    await core.start();
    await core.connect();
    for (let index = 0; index < CONTACTS; index += 1) await meetAnother(core, `Ben ${index}`);
    await core.stop();
    await core.start();
    await delay(IDLE_MS);
    return rows(useOf(core.pid), await bareServer());
  } finally {
    await core.remove();
  }
}

async function meetAnother(core: BenchCore, nick: string): Promise<void> {
  const other = await BenchCore.create(nick);
  try {
    await other.start();
    await other.connect();
    await meet(core, other);
  } finally {
    await other.remove();
  }
}

function rows(use: Use, bare: Use): Row[] {
  const shared = {
    unit: 'MiB',
    peer: 'bare Node process with an HTTP server',
    goal: 70,
    goalOf: 'value',
    better: 'less',
  } as const;
  const files = use.rssMib - use.ownMib;
  const note =
    `${CONTACTS} contacts, unlocked, ${IDLE_MS / 1_000} s after the start; ${use.ownMib.toFixed(0)} MiB are Molva's own ` +
    `(heap, buffers), ${files.toFixed(0)} MiB are pages of the runtime's and libraries' files, which every process of ` +
    'the same runtime shares and the system takes back when it needs them';
  const row = (name: string, value: number, peerValue: number): Row => ({
    name,
    value,
    peerValue,
    ratio: peerValue / value,
    ...shared,
    note,
  });
  return [row('idle core, RSS', use.rssMib, bare.rssMib), row('idle core, PSS', use.pssMib, bare.pssMib)];
}

async function bareServer(): Promise<Use> {
  const server = spawn(process.execPath, ['--eval', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(server.stdout, 'data');
    return useOf(server.pid ?? 0);
  } finally {
    server.kill();
  }
}

/** RSS counts the runtime's shared pages whole; PSS by the share of this process, of which the benchmark is another. */
function useOf(pid: number): Use {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / MIB;
  return { rssMib: field('Rss'), pssMib: field('Pss'), ownMib: field('Private_Dirty') };
}

if (import.meta.main) {
  for (const row of await run()) process.stdout.write(`${JSON.stringify(row)}\n`);
}
