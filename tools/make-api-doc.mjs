// Writes docs/protocol/api.md from core/commands/schema.ts; with --check it only compares.
// Run it with the product's own Node: node_modules/.bin/node tools/make-api-doc.mjs
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LIMITS } from '../core/base/limits.ts';
import { ERROR_MAP } from '../core/commands/error-map.ts';
import * as schema from '../core/commands/schema.ts';

const { EVENTS, METHODS } = schema;
const DOCUMENT = new URL('../docs/protocol/api.md', import.meta.url);

/** Named shapes, so that a method says `message` and the fields stand in one place. */
const SHAPES = new Map([
  [schema.profile, 'profile'],
  [schema.contact, 'contact'],
  [schema.contactRequest, 'contactRequest'],
  [schema.conversation, 'conversation'],
  [schema.message, 'message'],
  [schema.notice, 'notice'],
  [schema.reach, 'reach'],
  [schema.group, 'group'],
  [schema.groupDetails, 'groupDetails'],
  [schema.groupMember, 'groupMember'],
  [schema.proof, 'proof'],
  [schema.verification, 'verification'],
  [schema.custody, 'custody'],
  [schema.settings, 'settings'],
  [schema.status, 'status'],
]);

export function apiDocument() {
  return [
    head(),
    '## Methods\n',
    ...Object.entries(METHODS).map(method),
    '## Events\n',
    'Sent to every WebSocket client as `{"jsonrpc":"2.0","method":"event","params":{"event":NAME,...}}`.\n',
    ...Object.entries(EVENTS).map(([name, fields]) => `### \`${name}\`\n\n${fieldTable(fields)}\n`),
    '## Shapes\n',
    ...[...SHAPES].map(([shape, name]) => `### ${name}\n\n${fieldTable(shape)}\n`),
    errors(),
  ].join('\n');
}

function head() {
  return `# Local API, version 1

Generated from \`core/commands/schema.ts\` by \`tools/make-api-doc.mjs\`; do not edit.

The core listens on a free port of 127.0.0.1. \`core.json\` in the data directory (mode 0600, removed when the core
stops) holds \`{"url","pid","token"}\`.

| address | what |
|---|---|
| \`GET /\` and the page's files | the page; nothing else can be read |
| \`POST /session\` \`{"code":C}\` | exchanges a window's one-use code (${LIMITS.windowCodeMs / 60_000} minutes, at most ${LIMITS.windowCodes} open) for \`{"token":T}\` |
| \`POST /rpc\` | one JSON-RPC 2.0 request, \`Authorization: Bearer TOKEN\`, \`Content-Type: application/json\` |
| \`POST /bundle/export\` \`{"for":[WHO,...]}\` | a bundle file (\`bundle.md\`) for these contacts, for all when none is named, as \`application/octet-stream\`; the header \`Molva-Envelopes\` says how many waited; with the token as \`/rpc\` |
| \`POST /bundle/import\` | takes a bundle file as its body, of any length up to ${LIMITS.bundleBytes / 2 ** 20} MiB, and answers \`{"read","taken","seenBefore","kept","notOurs","refused","file"}\`; \`file\` is complete, closed (for others), cut or damaged; \`bundle-progress\` tells how far each of the two is, under the name given in the header \`Molva-Transfer\` (1 to 32 letters, digits, \`-\` and \`_\`) |
| \`GET /ws\` | WebSocket with the protocols \`molva.v1\` and \`token.TOKEN\`; requests and answers as text frames, and events |

The token is 256 bits in base64url and new at each start. The page is opened as \`http://127.0.0.1:PORT/#code=C\`: the
part after \`#\` is never sent in a request. A chosen theme stands behind it as \`&theme=T\`. Settings that are no secret
(\`settings.set\`) lie in \`settings.json\` of the data directory (mode 0600).

## Rules

- \`Host\` must be exactly \`127.0.0.1:PORT\`; \`Origin\`, where there is one, exactly \`http://127.0.0.1:PORT\` (\`null\` is
  foreign); \`Sec-Fetch-Site\`, where there is one, \`same-origin\` or \`none\`. Otherwise 403.
- No CORS headers, no cookies, nothing is kept in a cache. Only POST changes anything; other methods get 405.
- One request a body or frame, at most ${LIMITS.rpcBodyBytes / 1024} KiB (413, or close 1009); batches and notifications are refused.
  Parameters go by name; unknown ones are refused.
- A missing or wrong token gets 401; after ${LIMITS.wrongTokens} wrong ones 429 with a \`Retry-After\` that doubles from
  ${LIMITS.wrongTokenWaitFirstMs / 1000} to ${LIMITS.wrongTokenWaitLastMs / 1000} s. The right token is answered all the same.
- Headers must arrive within ${LIMITS.rpcHeadersMs / 1000} s and the whole request within ${LIMITS.rpcRequestMs / 1000} s. At most ${LIMITS.rpcConnections} connections and
  ${LIMITS.rpcClients} WebSocket clients; ${LIMITS.rpcPending} calls of one client may wait; one that leaves ${LIMITS.rpcBacklogBytes / 2 ** 20} MiB unread is dropped.
- On Linux \`/session\` answers only the user the core runs as.
- Calls on one WebSocket begin in the order they were sent; answers come when they are ready.
`;
}

function method([name, { summary, params, result, errors: codes }]) {
  const fields =
    Object.keys(params.entries).length === 0 ? 'Parameters: none.' : `Parameters:\n\n${fieldTable(params)}`;
  const failures = codes.length === 0 ? '' : `\n\nErrors: ${codes.map(code => `\`${code}\``).join(', ')}.`;
  const answer = isPlainObject(result) ? `Result:\n\n${fieldTable(result)}` : `Result: ${typeOf(result)}.`;
  return `### \`${name}\`\n\n${summary}\n\n${fields}\n\n${answer}${failures}\n`;
}

function isPlainObject(type) {
  return type.type === 'object' && !SHAPES.has(type);
}

function fieldTable(object) {
  const rows = Object.entries(object.entries).map(([name, field]) => {
    return `| \`${name}\` | ${typeOf(field)} | ${notes(field)} |`;
  });
  return `| field | type | |\n|---|---|---|\n${rows.join('\n')}`;
}

/** In words: what a reader of JSON sees. */
function typeOf(type) {
  if (SHAPES.has(type)) return `[${SHAPES.get(type)}](#${SHAPES.get(type).toLowerCase()})`;
  switch (type.type) {
    case 'optional':
      return `${typeOf(type.wrapped)}, optional`;
    case 'nullable':
      return `${typeOf(type.wrapped)} or null`;
    case 'array':
      return `list of ${typeOf(type.item)}`;
    case 'picklist':
      return type.options.map(option => `\`${option}\``).join(', ');
    case 'literal':
      return `\`${JSON.stringify(type.literal)}\``;
    case 'object':
    case 'strict_object':
      return `{ ${Object.entries(type.entries)
        .map(([name, field]) => `\`${name}\`: ${typeOf(field)}`)
        .join('; ')} }`;
    case 'string':
    case 'boolean':
      return type.type;
    case 'number':
      return actions(type).some(action => action.type === 'integer') ? 'integer' : 'number';
    default:
      throw new Error(`the document has no words for a ${type.type}`);
  }
}

/** Descriptions, bounds and defaults. */
function notes(field) {
  const parts = [];
  for (let type = field; type; type = type.wrapped) {
    if (type.type === 'optional' && type.default !== undefined) parts.push(`default ${JSON.stringify(type.default)}`);
    for (const action of actions(type)) parts.push(bound(action));
  }
  return parts
    .filter(part => part !== undefined)
    .join('; ')
    .replaceAll('|', '\\|');
}

function actions(type) {
  return (type.pipe ?? []).slice(1);
}

function bound({ type, description, requirement, message }) {
  switch (type) {
    case 'description':
      return description;
    case 'check':
      return message;
    case 'min_length':
      return requirement === 1 ? 'not empty' : `at least ${requirement} characters`;
    case 'max_length':
      return `at most ${requirement} characters`;
    case 'min_value':
      return `at least ${requirement}`;
    case 'max_value':
      return `at most ${requirement}`;
    default:
      return undefined;
  }
}

function errors() {
  const rows = Object.entries(ERROR_MAP).map(
    ([code, { rpc, http, exit }]) => `| \`${code}\` | ${rpc} | ${http} | ${exit} |`,
  );
  return `## Errors

\`{"error":{"code":N,"message":TEXT,"data":{"code":NAME}}}\`. Beside those named with a method each can give
\`bad-request\`, \`unauthorized\` and \`internal\`. Malformed JSON is -32700, a wrong request -32600, an unknown method
-32601, wrong parameters -32602 (JSON-RPC 2.0 section 5.1). \`unlock-delayed\` adds \`data.allowedAt\` (milliseconds
since 1970). An error never repeats what was sent. The last column is the exit code of the command line.

| code | JSON-RPC | HTTP | exit |
|---|---|---|---|
${rows.join('\n')}
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = apiDocument();
  if (!process.argv.includes('--check')) writeFileSync(DOCUMENT, text);
  else if (readFileSync(DOCUMENT, 'utf8') !== text) {
    process.stderr.write('docs/protocol/api.md is not current: run node_modules/.bin/node tools/make-api-doc.mjs\n');
    process.exitCode = 1;
  }
}
