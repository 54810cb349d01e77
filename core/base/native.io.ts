import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What the addon exports (native/hardening.h). */
interface Addon {
  disableCoreDumps(): boolean;
  lockMemory(): string | null;
}

export interface Hardening {
  readonly coreDumps: 'off' | 'unknown';
  readonly memory: 'locked' | 'unlocked';
  /** What could not be done and what helps, a sentence each. */
  readonly missing: readonly string[];
}

export type Native =
  | {
      readonly loaded: true;
      /** Turns core dumps off and lets key memory be locked, for this process. To be called before keys are read. */
      harden(): Hardening;
    }
  | { readonly loaded: false; readonly reason: string };

/** Below the root of the checkout or of the portable folder, seen from core/base/ and from the bundle in dist/. */
const ROOTS = [join(import.meta.dirname, '..', '..'), join(import.meta.dirname, '..')];
const BUILT = join('build', 'Release', 'molva.node');

/** Loads the addon, the only place that does. Never throws: Molva runs without it. */
export function loadNative(files: readonly string[] = ROOTS.map(root => join(root, BUILT))): Native {
  const file = files.find(candidate => existsSync(candidate));
  if (!file) {
    return {
      loaded: false,
      reason: 'The native addon is not built: install a C++ compiler, make and Python, then run `npm run setup`.',
    };
  }
  try {
    const addon: unknown = createRequire(import.meta.url)(file);
    if (isAddon(addon)) return { loaded: true, harden: () => harden(addon) };
  } catch {
    // Told below: another platform's or another version's file.
  }
  return { loaded: false, reason: 'The native addon does not fit this system: run `npm run setup` to build it again.' };
}

function harden(addon: Addon): Hardening {
  const off = addon.disableCoreDumps();
  const problem = addon.lockMemory();
  const missing: string[] = [];
  if (!off) missing.push('Core dumps could not be turned off: a crash may leave keys on the disk.');
  if (problem === 'limit') {
    missing.push('The system lets this user lock less than 1 MiB of memory: raise "ulimit -l" to keep keys from swap.');
  } else if (problem !== null) {
    missing.push(`Memory could not be locked (${problem}): keys may reach the swap.`);
  }
  return { coreDumps: off ? 'off' : 'unknown', memory: problem === null ? 'locked' : 'unlocked', missing };
}

function isAddon(value: unknown): value is Addon {
  if (typeof value !== 'object' || value === null) return false;
  const { disableCoreDumps, lockMemory } = value as Partial<Addon>;
  return typeof disableCoreDumps === 'function' && typeof lockMemory === 'function';
}
