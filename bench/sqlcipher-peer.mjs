import Database from 'better-sqlite3-multiple-ciphers';
import { idBytes as toBytes, messageIdFromBytes as toText } from '../core/base/ids.ts';

/** Statements are never collected; see below. */
const kept = [];

/**
 * The same messages in SQLCipher 4 (AES-256-CBC and HMAC-SHA512 a page), raw key, WAL, every commit synced: a row a
 * message, its id the primary key, and an index for the order in the conversation.
 */
export function openSqlPeer(path) {
  const key = Buffer.alloc(32, 7).toString('hex');
  const database = new Database(path);
  // not `pragma()`: it leaves statements to be collected, and collecting one ends Node 24 (peer 12.11)
  database.exec("PRAGMA cipher='sqlcipher'; PRAGMA legacy=4");
  database.exec(`PRAGMA key="x'${key}'"`);
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec(`CREATE TABLE messages (id BLOB PRIMARY KEY, conversation INTEGER, ms INTEGER, counter INTEGER,
    sender BLOB, outgoing INTEGER, parents BLOB, text TEXT, received INTEGER) WITHOUT ROWID;
    CREATE INDEX by_time ON messages (conversation, ms, counter, id)`);
  const sql = {
    insert: 'INSERT OR IGNORE INTO messages VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)',
    newest: 'SELECT * FROM messages WHERE conversation = 1 ORDER BY ms DESC, counter DESC, id DESC LIMIT ?',
  };
  const [insert, newest] = [database.prepare(sql.insert), database.prepare(sql.newest)];
  kept.push(database, insert, newest);
  return {
    insert(messages) {
      database.exec('BEGIN IMMEDIATE');
      for (const m of messages) {
        const parents = Buffer.concat(m.parents.map(toBytes));
        const rest = [toBytes(m.sender), m.outgoing ? 1 : 0, parents, m.text, m.receivedAtMs];
        insert.run(toBytes(m.id), m.hlc.ms, m.hlc.counter, ...rest);
      }
      database.exec('COMMIT');
    },
    newest(limit) {
      return newest.all(limit).map(toMessage).reverse();
    },
    close() {
      database.close();
    },
  };
}

function toMessage(r) {
  const parents = [];
  for (let at = 0; at < r.parents.length; at += 16) parents.push(toText(r.parents.subarray(at, at + 16)));
  return {
    id: toText(r.id),
    sender: toText(r.sender),
    hlc: { ms: r.ms, counter: r.counter },
    outgoing: r.outgoing === 1,
    parents,
    text: r.text,
    receivedAtMs: r.received,
  };
}
