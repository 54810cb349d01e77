/** Results as tables a person reads; a goal that was not reached says so. @param parts by measurement: at, rows */
export function toMarkdown({ runtime, machine, failed, parts }) {
  const all = Object.values(parts).flatMap(({ rows }) => rows);
  const listed = all.filter(row => row.listed ?? row.table === undefined);
  const times = Object.entries(parts).map(([name, { at }]) => `${name} ${at}`);
  const lines = [
    '# Measurements',
    '',
    `Node ${runtime}, ${machine}. Made by \`npm run bench\`. Peer and floor values are of the same run.`,
    `Measured: ${times.join(', ')}.`,
    '',
    '| what | value | peer or floor | ratio | goal | |',
    '|---|---:|---|---:|---:|---|',
    ...listed.map(toLine),
    '',
    ...listed.filter(row => row.note).map(row => `- **${row.name}**: ${row.note}.`),
    ...[...new Set(all.flatMap(({ table }) => table?.title ?? []))].flatMap(title => toTable(all, title)),
  ];
  for (const name of failed) lines.push(`- **${name}**: could not be measured in this run.`);
  return `${lines.join('\n')}\n`;
}

function toLine(row) {
  const peer = row.peerValue === null ? '' : `${row.peer}: ${number(row.peerValue)}`;
  const ratio = row.ratio === null ? '' : `${number(row.ratio)}x`;
  const goal = row.goalOf === 'ratio' ? `${row.goal}x` : number(row.goal);
  const reached = isReached(row) ? 'reached' : 'not reached';
  return `| ${row.name} | ${number(row.value)} ${row.unit} | ${peer} | ${ratio} | ${goal} | ${reached} |`;
}

/** One table of many rows: what is measured downwards, at what size to the right, how many times better than each peer. */
function toTable(all, title) {
  const rows = all.filter(({ table }) => table?.title === title);
  const columns = [...new Set(rows.map(({ table }) => table.column))];
  const peers = [...new Set(rows.flatMap(({ peer }) => peer || []))];
  const against = peers.length === 0 ? '' : `; in brackets how many times better than ${peers.join(', and than ')}`;
  const toCell = (line, column) => {
    const here = rows.filter(({ table }) => table.line === line && table.column === column);
    if (here.length === 0) return '';
    const value = number(here[0].value);
    if (here[0].ratio === null) return isReached(here[0]) ? value : `**${value}**`;
    return `${value} (${here.map(marked).join(', ')})`;
  };
  return [
    '',
    `**${title}.** Times in ms${against}. Bold: worse than that peer, or than its goal.`,
    '',
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---:|').join('')}`,
    ...[...new Set(rows.map(({ table }) => table.line))].map(
      line => `| ${line} | ${columns.map(column => toCell(line, column)).join(' | ')} |`,
    ),
  ];
}

function marked(row) {
  const ratio = `${number(row.ratio)}x`;
  return isReached(row) ? ratio : `**${ratio}**`;
}

function isReached({ goal, goalOf, better, value, ratio }) {
  if (goalOf === 'ratio') return ratio !== null && ratio >= goal;
  return better === 'more' ? value >= goal : value <= goal;
}

function number(value) {
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
