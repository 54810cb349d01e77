import type { RowReader } from './port.ts';
import type { Sealer } from './sealing.ts';
import { TABLES, type TableName } from './tables.ts';

/** Sealed under a conversation's key, or not at all: these show damage when they are read. */
const LEFT_OUT: ReadonlySet<TableName> = new Set(['messages', 'blocks', 'seen']);
const NAMES = new Map(Object.entries(TABLES).map(([name, head]) => [head as number, name as TableName]));
const ROWS_A_STEP = 2000;

/**
 * Opens every row, so that one whose key was damaged, which would merely not be found, is found out.
 * @param pause called between steps, so that other work goes on
 * @param except rows in the clear
 * @throws StorageError database-damaged
 */
export async function verifyRows(
  from: RowReader,
  sealer: Sealer,
  except: readonly Buffer[],
  pause: () => Promise<void>,
): Promise<void> {
  let start: Buffer | undefined = Buffer.of(0);
  while (start) {
    start = sealer.batch(() => verifyStep(from, sealer, except, start as Buffer));
    await pause();
  }
}

/** @returns where the next step begins, or undefined at the end */
function verifyStep(from: RowReader, sealer: Sealer, except: readonly Buffer[], start: Buffer): Buffer | undefined {
  let looked = 0;
  for (const { key, value } of from.range(start, Buffer.of(0xff))) {
    const table = NAMES.get(key[0] as number);
    if (table && LEFT_OUT.has(table)) return Buffer.of((key[0] as number) + 1);
    if (!except.some(clear => clear.equals(key))) sealer.open(table ?? 'meta', key, value);
    looked += 1;
    if (looked >= ROWS_A_STEP) return Buffer.concat([key, Buffer.of(0)]);
  }
  return undefined;
}
