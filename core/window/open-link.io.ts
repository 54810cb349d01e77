import { execFile } from 'node:child_process';
import { UsageError } from '../base/errors.ts';
import { findBrowser, type Machine } from './launchers.ts';

/**
 * Hands an address to the system's default browser, as one argument and without a shell. Answers when the program runs:
 * some browsers stay in the foreground of it.
 * @param url http or https, as `parseLink` gives it
 * @throws UsageError `refused` there is no such program, or no desktop to show it on
 */
export function openLink(url: string, machine: Machine): Promise<void> {
  const browser = findBrowser(machine);
  if (!browser) return Promise.reject(noBrowser());
  const child = execFile(browser.path, [...browser.before, url], { windowsHide: true, maxBuffer: 4096 }, () => {});
  // The browser outlives the core.
  child.unref();
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', () => reject(noBrowser()));
  });
}

function noBrowser(): UsageError {
  return new UsageError('refused', 'link.open', 'No browser was found here. Copy the address and open it yourself.');
}
