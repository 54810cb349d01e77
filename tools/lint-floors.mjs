// Holds what no type checker sees: imports point down, pure files stay pure, the page takes only types, files stay
// short. Prints one line a finding and fails when there is any.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { ROOT } from './runtime.mjs';
import { filesBelow } from './stamps.mjs';

const LINES_MAX = 400;

/** Folders of core/ by floor, lowest first; a folder imports itself and what lies below. */
const FLOORS = [
  ['base'],
  ['wire'],
  ['crypto', 'storage'],
  ['groups', 'mailbox', 'network', 'offline'],
  ['state'],
  ['commands'],
  ['api', 'cli', 'window'],
];
const MAIN_FLOOR = FLOORS.length;

/** Modules that touch the world. */
const WORLDLY = new RegExp(
  '^(node:(fs|fs/promises|net|http|http2|https|tls|dgram|dns|os|child_process|cluster|worker_threads|timers.*|' +
    'readline.*|repl|process|perf_hooks|v8|vm|module|inspector.*)' +
    '|ws|lmdb|pino|env-paths|libp2p|@napi-rs/keyring|@libp2p/(tcp|noise|yamux|identify|ping|gossipsub))$',
);

/** Clock, timers, randomness, output: in .io.ts files only. */
const IMPURE = [
  [/\bDate\.now\b|\bnew Date\(\s*\)|\bperformance\.now\b/, 'reads the clock'],
  [/\b(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(|\bAbortSignal\.timeout\b/, 'starts a timer'],
  [/\bMath\.random\b|\brandom(Bytes|UUID|Int|FillSync|Fill)\s*\(|\bgetRandomValues\b/, 'draws randomness'],
  [
    /\bsodium\.(randombytes\w*|crypto_\w+_keygen|crypto_(sign|box|kx)_keypair)\b|\bgenerateKey(Pair)?(Sync)?\s*\(/,
    'draws randomness',
  ],
  [/\bconsole\.|\bprocess\.(?!platform\b)\w/, 'touches the process'],
  [/\bfetch\s*\(/, 'uses the network'],
];

/** @returns findings, each `path:line what` */
export function lintTree(root) {
  const core = filesBelow(join(root, 'core')).filter(isCode);
  const ui = filesBelow(join(root, 'ui')).filter(isCode);
  const others = ['test', 'tools', 'bench', 'sim'].flatMap(folder => filesBelow(join(root, folder)).filter(isCode));
  return [
    ...core.flatMap(file => lintCore(root, file)),
    ...ui.flatMap(file => lintUi(root, file)),
    ...[...core, ...ui, ...others].flatMap(file => lintLength(root, file)),
  ];
}

function lintCore(root, file) {
  const text = readFileSync(file, 'utf8');
  const found = [];
  const report = (index, what) => found.push(finding(root, file, text, index, what));
  const pure = !file.endsWith('.io.ts');
  const own = placeOf(root, file);
  for (const { index, target, typeOnly } of importsOf(text)) {
    if (!target.startsWith('.')) {
      if (pure && !typeOnly && WORLDLY.test(target)) report(index, `a pure file imports ${target}`);
      if (/^(libp2p|@libp2p\/)/.test(target) && own.folder !== 'network') report(index, 'libp2p belongs to network/');
      continue;
    }
    const path = join(dirname(file), target);
    if (pure && target.endsWith('.io.ts')) report(index, `a pure file imports ${target}`);
    const other = placeOf(root, path);
    if (!existsSync(path)) report(index, `imports what is not there: ${target}`);
    else if (other.floor === undefined) report(index, `imports from outside core: ${target}`);
    else if (other.folder !== own.folder && other.floor >= own.floor)
      report(index, `imports upward or sideways: ${target}`);
  }
  if (own.floor === undefined) report(0, 'stands on no floor');
  if (pure) {
    const code = withoutTextAndComments(text);
    for (const [pattern, what] of IMPURE) {
      const match = pattern.exec(code);
      if (match) report(match.index, `a pure file ${what}`);
    }
  }
  return found;
}

function lintUi(root, file) {
  const text = readFileSync(file, 'utf8');
  return importsOf(text)
    .filter(({ target }) => target.startsWith('.'))
    .flatMap(({ index, target, typeOnly }) => {
      const path = relative(root, join(dirname(file), target))
        .split(sep)
        .join('/');
      if (path.startsWith('ui/')) return [];
      if (path !== 'core/commands/schema.ts') return [finding(root, file, text, index, `the page imports ${path}`)];
      return typeOnly ? [] : [finding(root, file, text, index, 'the page takes only types from core')];
    });
}

function lintLength(root, file) {
  const lines = readFileSync(file, 'utf8').split('\n').length - 1;
  return lines > LINES_MAX ? [`${nameOf(root, file)}:1 has ${lines} lines, at most ${LINES_MAX}`] : [];
}

/** Imports, re-exports and dynamic imports with a fixed target. */
function importsOf(text) {
  const found = [];
  const code = withoutComments(text);
  const statement = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?['"]([^'"]+)['"]/gm;
  for (const match of code.matchAll(statement)) {
    found.push({ index: match.index + match[0].search(/\S/), typeOnly: match[1] !== undefined, target: match[2] });
  }
  for (const match of code.matchAll(/\bimport\s*\(\s*['"]([^'"]+)['"]/g)) {
    found.push({ index: match.index, typeOnly: false, target: match[1] });
  }
  return found;
}

/** The folder of core/ a file lies in, and its floor; files directly in core/ stand above all. */
function placeOf(root, file) {
  const [top, folder, ...rest] = relative(root, file).split(sep);
  if (top !== 'core' || folder === undefined) return {};
  if (rest.length === 0) return { folder: '', floor: MAIN_FLOOR };
  const floor = FLOORS.findIndex(folders => folders.includes(folder));
  return { folder, floor: floor < 0 ? undefined : floor };
}

/** The same length and lines, so that positions stay true. */
function withoutComments(text) {
  return text.replace(
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (match, quoted) => quoted ?? blank(match),
  );
}

function withoutTextAndComments(text) {
  return withoutComments(text).replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, blank);
}

function blank(text) {
  return text.replace(/[^\n]/g, ' ');
}

function finding(root, file, text, index, what) {
  return `${nameOf(root, file)}:${text.slice(0, index).split('\n').length} ${what}`;
}

function nameOf(root, file) {
  return relative(root, file).split(sep).join('/');
}

function isCode(file) {
  return /\.(ts|mjs)$/.test(file);
}

if (process.argv[1] === import.meta.filename || process.argv[1] === new URL(import.meta.url).pathname) {
  const found = lintTree(ROOT);
  for (const line of found) process.stdout.write(`${line}\n`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
