/** Results as a table a person reads; a goal that was not reached says so. */
export function toMarkdown({ at, runtime, machine, failed, rows }) {
  const lines = [
    '# Measurements',
    '',
    `${at}, Node ${runtime}, ${machine}. Made by \`npm run bench\`. Peer and floor values are of the same run.`,
    '',
    '| what | value | peer or floor | ratio | goal | |',
    '|---|---:|---|---:|---:|---|',
    ...rows.map(toLine),
    '',
    ...rows.filter(row => row.note).map(row => `- **${row.name}**: ${row.note}.`),
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

function isReached({ goal, goalOf, better, value, ratio }) {
  if (goalOf === 'ratio') return ratio !== null && ratio >= goal;
  return better === 'more' ? value >= goal : value <= goal;
}

function number(value) {
  if (value >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}
