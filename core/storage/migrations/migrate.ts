import { StorageError } from '../../base/errors.ts';
import { afterPrefix, type RowPort, type Tx } from '../port.ts';
import type { Sealer } from '../sealing.ts';
import { Table } from '../table.ts';
import { TABLES } from '../tables.ts';

export interface Migration {
  /** Rises by one from migration to migration, beginning with 1. */
  readonly version: number;
  readonly name: string;
  /** Runs inside the write that also records the new version: all of it happens, or none. */
  run(tx: Tx, sealer: Sealer): void;
}

/** Layout of the sealing itself, in the clear: it says which program can read the rest, and nothing else. */
export const FORMAT = 1;
/** The one row in the clear. */
export const FORMAT_KEY = Buffer.concat([Buffer.of(TABLES.meta), Buffer.from('format')]);

/**
 * Brings the rows to the newest known version, each step after a backup and in one write.
 * @param backup makes a copy of the database before migrating from `version`; not asked for an empty database
 * @throws StorageError newer-format when the rows were written by a newer Molva; database-damaged
 */
export async function migrate(
  port: RowPort,
  sealer: Sealer,
  migrations: readonly Migration[],
  backup: (version: number) => Promise<void>,
): Promise<number> {
  const table = new Table(sealer, 'meta');
  const [formatKey, versionKey] = [FORMAT_KEY, table.key(Buffer.from('version'))];
  const newest = migrations.at(-1)?.version ?? 0;
  let version = readVersion(port, table, formatKey, versionKey);
  if (version > newest) throw newer();
  if (version > 0 && version < newest) await backup(version);
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    await port.write(tx => {
      migration.run(tx, sealer);
      tx.put(formatKey, number(FORMAT));
      table.put(tx, versionKey, number(migration.version));
    });
    version = migration.version;
  }
  return version;
}

function readVersion(port: RowPort, table: Table, formatKey: Buffer, versionKey: Buffer): number {
  const format = port.get(formatKey);
  if (!format) {
    for (const _ of port.keys(Buffer.of(0), afterPrefix(Buffer.of(0xfe)), { limit: 1 })) throw missing();
    return 0;
  }
  if (format.length !== 4) throw missing();
  if (format.readUInt32BE() > FORMAT) throw newer();
  const version = table.get(port, versionKey);
  if (version?.length !== 4) throw missing();
  return version.readUInt32BE();
}

function number(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(value);
  return out;
}

function newer(): StorageError {
  return new StorageError(
    'newer-format',
    'store.migrate',
    'This profile was last used with a newer Molva. Start that version, or a later one; nothing was changed.',
  );
}

function missing(): StorageError {
  return new StorageError(
    'database-damaged',
    'store.migrate',
    'The database has lost its version; nothing was changed.',
  );
}
