/** Which programs can show the window, in the order they are tried. Pure: the caller says what exists. */

export type Launcher =
  | { readonly kind: 'neutralino'; readonly path: string }
  | { readonly kind: 'chromium'; readonly path: string }
  /** Hands the address to the system's default browser and ends. */
  | { readonly kind: 'browser'; readonly path: string; readonly before: readonly string[] };

export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder whose `bin/` may hold the window's program. */
  readonly programDirectory: string;
  /** The program with its full path when it can be run; a bare name is looked for on the PATH. */
  readonly find: (program: string) => string | undefined;
  readonly join: (...parts: readonly string[]) => string;
}

const CHROMIUM_NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
  'brave-browser',
];
const CHROMIUM_MAC = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
];
const CHROMIUM_WINDOWS = [
  ['Microsoft', 'Edge', 'Application', 'msedge.exe'],
  ['Google', 'Chrome', 'Application', 'chrome.exe'],
  ['Chromium', 'Application', 'chrome.exe'],
];
const WINDOWS_ROOTS = ['ProgramFiles(x86)', 'ProgramFiles', 'LOCALAPPDATA'];
const NEUTRALINO_SYSTEM: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'mac', win32: 'win' };

export function findLaunchers(machine: Machine): Launcher[] {
  const chosen = machine.env.MOLVA_WINDOW && machine.find(machine.env.MOLVA_WINDOW);
  // Whoever names a program wants that one.
  if (chosen) return [{ kind: /chrom|edge|brave/i.test(baseName(chosen)) ? 'chromium' : 'neutralino', path: chosen }];
  const found: Launcher[] = [];
  // Without a display every other program would only fail.
  if (!hasDisplay(machine)) return found;
  const own = firstOf(machine, ownNames(machine));
  if (own) found.push({ kind: 'neutralino', path: own });
  const chromium = firstOf(machine, chromiumNames(machine));
  if (chromium) found.push({ kind: 'chromium', path: chromium });
  const browser = findBrowser(machine);
  if (browser) found.push(browser);
  return found;
}

function hasDisplay({ platform, env }: Machine): boolean {
  return platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY);
}

function ownNames({ platform, arch, programDirectory, join }: Machine): string[] {
  const end = platform === 'win32' ? '.exe' : '';
  const system = NEUTRALINO_SYSTEM[platform] ?? platform;
  const names = ['molva-window', 'neutralino', `neutralino-${system}_${arch}`, `neutralino-${system}_universal`];
  return names.map(name => join(programDirectory, 'bin', name + end));
}

function chromiumNames({ platform, env, join }: Machine): string[] {
  if (platform === 'darwin') return CHROMIUM_MAC;
  if (platform !== 'win32') return CHROMIUM_NAMES;
  const roots = WINDOWS_ROOTS.flatMap(name => env[name] ?? []);
  return CHROMIUM_WINDOWS.flatMap(parts => roots.map(root => join(root, ...parts)));
}

/** What opens an address in the system's default browser. */
export function findBrowser(machine: Machine): Extract<Launcher, { kind: 'browser' }> | undefined {
  if (!hasDisplay(machine)) return undefined;
  const { platform, env, find, join } = machine;
  if (platform === 'win32') {
    // `start` is a word of the shell; this is what it calls in the end.
    const path = find(join(env.SystemRoot ?? 'C:\\Windows', 'System32', 'rundll32.exe'));
    return path ? { kind: 'browser', path, before: ['url.dll,FileProtocolHandler'] } : undefined;
  }
  const path = find(platform === 'darwin' ? '/usr/bin/open' : 'xdg-open');
  return path ? { kind: 'browser', path, before: [] } : undefined;
}

function firstOf(machine: Machine, programs: readonly string[]): string | undefined {
  for (const program of programs) {
    const path = machine.find(program);
    if (path) return path;
  }
  return undefined;
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
