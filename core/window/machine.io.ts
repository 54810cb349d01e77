import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Machine } from './launchers.ts';

/** The machine this process runs on. */
export function thisMachine(programDirectory: string, env: NodeJS.ProcessEnv = process.env): Machine {
  return {
    platform: process.platform,
    arch: process.arch,
    env,
    programDirectory,
    find: program => findProgram(program, env),
    join,
  };
}

export function findProgram(program: string, env: NodeJS.ProcessEnv): string | undefined {
  if (isAbsolute(program)) return isProgram(program) ? program : undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter(isAbsolute);
  return folders.map(folder => join(folder, program)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
