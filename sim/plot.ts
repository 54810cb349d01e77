/** Share delivered, by hours online (columns) and copies (rows); the last row is what is possible at all. */
export interface Grid {
  readonly hours: readonly number[];
  readonly rows: readonly Row[];
}

export interface Row {
  readonly name: string;
  /** 0 to 1, one for each of `hours`. */
  readonly shares: readonly number[];
}

export function tableOf(grid: Grid): string {
  const cell = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(9);
  const head = `${'copies \\ hours a day'.padEnd(21)}${grid.hours.map(hours => String(hours).padStart(9)).join('')}`;
  const rows = grid.rows.map(({ name, shares }) => name.padEnd(21) + shares.map(cell).join(''));
  return [head, ...rows].join('\n');
}

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [760, 420, 64, 48, 190, 56];
/** Told apart without colour too: each line has its own dashes and its own mark. */
const LINES = [
  { colour: '#b3541e', dash: '2 4' },
  { colour: '#8a6d00', dash: '6 4' },
  { colour: '#0b6b58', dash: '12 3 2 3' },
  { colour: '#274b9f', dash: '10 4' },
  { colour: '#111', dash: '' },
  { colour: '#999', dash: '1 3' },
];

export function svgOf(grid: Grid, caption: string): string {
  const x = (column: number): number => LEFT + (column * (WIDTH - LEFT - RIGHT)) / (grid.hours.length - 1);
  const y = (share: number): number => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);
  const points = (shares: readonly number[]): string =>
    shares.map((share, column) => `${x(column).toFixed(1)},${y(share).toFixed(1)}`).join(' ');
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    share =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/>` +
      `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
  );
  const hours = grid.hours.map(
    (value, column) => `<text x="${x(column)}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${value}</text>`,
  );
  const series = grid.rows.map((row, at) => ({ ...row, ...(LINES[at % LINES.length] as (typeof LINES)[number]) }));
  const lines = series.map(
    ({ shares, colour, dash }) =>
      `<polyline points="${points(shares)}" fill="none" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>`,
  );
  const legend = series.map(({ name, colour, dash }, row) => {
    const at = TOP + 16 + row * 24;
    const from = WIDTH - RIGHT + 16;
    return (
      `<line x1="${from}" x2="${from + 32}" y1="${at - 4}" y2="${at - 4}" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"/>` +
      `<text x="${from + 40}" y="${at}">${name}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="13" role="img">`,
    `<title>${caption}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="26" font-size="15">${caption}</text>`,
    ...ticks,
    ...hours,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">hours online a day</text>`,
    ...lines,
    ...legend,
    '</svg>',
    '',
  ].join('\n');
}
