#!/usr/bin/env node
// A stand-in for the window's program: takes the flags and the file of the real one, loads the address, exchanges
// the code, and then ends as STAND_IN says. Each run adds a line to STAND_IN_LOG.
import { appendFileSync, readFileSync, statSync } from 'node:fs';

const flag = name => process.argv.find(word => word.startsWith(`--${name}=`))?.slice(name.length + 3);
const configPath = flag('path') + flag('config-file');
const config = JSON.parse(readFileSync(configPath, 'utf8'));
const url = new URL(config.url);
const page = await fetch(url.origin);
const code = new URLSearchParams(url.hash.slice(1)).get('code');
const session = await fetch(`${url.origin}/session`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', Origin: url.origin },
  body: JSON.stringify({ code }),
});
const run = {
  pid: process.pid,
  page: page.status,
  title: /<title>(.*?)<\/title>/.exec(await page.text())?.[1],
  session: session.status,
  code,
  mode: statSync(configPath).mode & 0o777,
  renderer: process.env.WEBKIT_DISABLE_DMABUF_RENDERER,
  arguments: process.argv.slice(2),
};
const endings = {
  close: () => process.exit(0),
  crash: () => process.kill(process.pid, 'SIGSEGV'),
  fail: () => process.exit(3),
  stay: () => setInterval(() => {}, 1_000),
};
appendFileSync(process.env.STAND_IN_LOG, `${JSON.stringify(run)}\n`);
endings[process.env.STAND_IN]();
