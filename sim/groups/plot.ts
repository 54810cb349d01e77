/** One line a rule: the share of its values at or below each. */
export interface Spread {
  readonly name: string;
  readonly values: readonly number[];
}

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, GAP] = [720, 300, 56, 40, 120, 50];
const LINES = [
  ['#0b6b58', ''],
  ['#b3541e', '2 4'],
  ['#274b9f', '10 4'],
  ['#8a6d00', '6 4'],
] as const;

/** Two diagrams below each other. */
export function svgOfSpreads(
  diagrams: readonly { caption: string; unit: string; spreads: readonly Spread[] }[],
): string {
  const parts = diagrams.map(
    (diagram, row) => `<g transform="translate(0 ${row * (HEIGHT + 10)})">${drawn(diagram)}</g>`,
  );
  const size = `0 0 ${WIDTH} ${diagrams.length * (HEIGHT + 10)}`;
  const title = diagrams.map(({ caption }) => caption).join('; ');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${size}" font-family="sans-serif" font-size="13" role="img">\n` +
    `<title>${title}</title>\n<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`
  );
}

function drawn({ caption, unit, spreads }: { caption: string; unit: string; spreads: readonly Spread[] }): string {
  const most = Math.max(1, ...spreads.flatMap(({ values }) => values));
  const x = (value: number): number => LEFT + (Math.log1p(value) / Math.log1p(most)) * (WIDTH - LEFT - RIGHT);
  const y = (share: number): number => TOP + (1 - share) * (HEIGHT - TOP - GAP);
  const lines = spreads.map(({ name, values }, row) => {
    const sorted = [...values].sort((a, b) => a - b);
    const points = sorted
      .map((value, i) => `${x(value).toFixed(1)},${y((i + 1) / sorted.length).toFixed(1)}`)
      .join(' ');
    const [colour, dash] = LINES[row % LINES.length] as (typeof LINES)[number];
    const stroke = `fill="none" stroke="${colour}" stroke-width="2.5" stroke-dasharray="${dash}"`;
    const at = TOP + 10 + row * 22;
    const key = `<path d="M${WIDTH - RIGHT + 12} ${at}h26" ${stroke}/><text x="${WIDTH - RIGHT + 44}" y="${at + 4}">${name}</text>`;
    return `<polyline points="${points}" ${stroke}/>${key}`;
  });
  const ticks = [0, 0.5, 1].map(
    share => `<text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${share * 100} %</text>`,
  );
  const marks = [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000].filter(value => value <= most);
  const below = marks.map(value => `<text x="${x(value)}" y="${HEIGHT - 28}" text-anchor="middle">${value}</text>`);
  const frame = `<path d="M${LEFT} ${y(1)}V${y(0)}H${WIDTH - RIGHT}" fill="none" stroke="#999"/>`;
  const texts = `<text x="${LEFT}" y="24" font-size="15">${caption}</text><text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${unit}</text>`;
  return [frame, texts, ...ticks, ...below, ...lines].join('\n');
}
