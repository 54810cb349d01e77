import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, type TestContext } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { createFakeCore, type FakeCore } from './fake-core.ts';
import { FakeProfile } from './fake-profile.ts';

export const WIDE = { width: 1100, height: 720 };
export const NARROW = { width: 420, height: 720 };

export const CHROMIUM = process.env.MOLVA_CHROMIUM ?? '/usr/bin/chromium';
const UI = resolve(import.meta.dirname, '../../ui');

/** Why the page cannot be tested here; on CI a missing browser fails instead. */
export const NO_BROWSER =
  existsSync(CHROMIUM) || process.env.CI === 'true' ? false : `no browser at ${CHROMIUM}; set MOLVA_CHROMIUM`;

/** Runs in the page before its own scripts. */
export const REPORT_VIOLATIONS = `addEventListener('securitypolicyviolation', event => {
  reportViolation([event.violatedDirective, event.blockedURI, event.sample].join(' '));
});`;

export interface Opened {
  readonly core: FakeCore;
  readonly page: Page;
  /** Violations of the page's policy and uncaught faults; a test asserts that there are none. */
  readonly faults: string[];
}

export type Open = (
  t: TestContext | undefined,
  prepare?: (profile: FakeProfile) => void,
  options?: BrowserContextOptions,
) => Promise<Opened>;

/** Builds the page once for a test file and starts one browser; gives back how to open a window on a fresh core. */
export function usePage(): Open {
  let browser: Browser;
  let directory: string;
  before(async () => {
    ({ browser, directory } = await startPage());
  });
  after(async () => {
    await browser?.close();
    await rm(directory, { recursive: true, force: true });
  });
  return (t, prepare, options) => openPage(browser, directory, t, prepare, options);
}

export async function startPage(): Promise<{ browser: Browser; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'molva-ui-'));
  const outDir = join(directory, 'dist');
  await build({ root: UI, configFile: join(UI, 'vite.config.ts'), logLevel: 'error', build: { outDir } });
  // The sandbox of Chromium needs user namespaces, which containers and root do not have; the page is our own.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  return { browser, directory };
}

export async function openPage(
  browser: Browser,
  directory: string,
  t: TestContext | undefined,
  prepare: (profile: FakeProfile) => void = () => {},
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const profile = new FakeProfile();
  prepare(profile);
  const core = await createFakeCore(join(directory, 'dist'), profile);
  const context = await browser.newContext({ viewport: WIDE, locale: 'en-GB', ...options });
  t?.after(async () => {
    await context.close();
    await core.crash();
  });
  const page = await context.newPage();
  const faults: string[] = [];
  await page.exposeBinding('reportViolation', (_, what: string) => void faults.push(what));
  await page.addInitScript({ content: REPORT_VIOLATIONS });
  page.on('pageerror', error => faults.push(error.message));
  await page.goto(core.link());
  return { core, page, faults };
}

/** Waits, a frame at a time, until `condition` holds. */
export async function until(
  page: Page,
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${timeoutMs} ms: ${condition}`);
    await page.evaluate(() => new Promise(resolve => setTimeout(resolve, 16)));
  }
}

/** How full the held button is, 0 to 1, as text. */
export async function heldOf(page: Page): Promise<string> {
  const style = (await page.locator('molva-hold-button').getAttribute('style')) ?? '';
  return /--held: ?([\d.]+)/.exec(style)?.[1] ?? '0';
}
