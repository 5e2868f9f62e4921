// Draws a terminal as an SVG: a still picture, or lines that come one after the other and begin again. Light or dark as the
// reader's system is; a reader who wants no motion sees the last screen. Pure.

export interface TerminalLine {
  readonly text: string;
  /** How the first word, or with `isWhole` the whole line, is painted. */
  readonly tone?: 'good' | 'careful' | 'bad' | 'quiet' | 'command' | undefined;
  readonly isWhole?: boolean;
}

export interface TerminalOptions {
  readonly title: string;
  readonly lines: readonly TerminalLine[];
  /** How many rows are visible at once. Default: all. */
  readonly rows?: number;
  /** Milliseconds for which each new line is the newest. Undefined: nothing moves. */
  readonly msPerLine?: number;
}

const WIDTH = 860;
const LINE = 20;
const TOP = 52;
const LEFT = 20;
/** For how many lines' time the last screen stays. */
const REST_LINES = 6;

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const STYLE = `
  .window{fill:#fff;stroke:#d0d7de}.bar{fill:#f6f8fa}.title{fill:#57606a}text{fill:#1f2328}
  .good{fill:#116329}.careful{fill:#7d4e00}.bad{fill:#a40e26}.quiet{fill:#57606a}.command{fill:#0550ae;font-weight:bold}
  @media (prefers-color-scheme:dark){.window{fill:#0d1117;stroke:#30363d}.bar{fill:#161b22}.title{fill:#8b949e}text{fill:#e6edf3}
  .good{fill:#3fb950}.careful{fill:#d29922}.bad{fill:#ff7b72}.quiet{fill:#8b949e}.command{fill:#79c0ff}}
  text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}
  .title{font:13px system-ui,sans-serif}`;

function toText({ text, tone, isWhole }: TerminalLine, y: number, moving: string | undefined): string {
  const [first = ''] = text.split(' ', 1);
  const isLeading = tone !== undefined && !isWhole;
  const head = isLeading ? `<tspan class="${tone}">${escapeXml(first)}</tspan>` : '';
  const body = escapeXml(isLeading ? text.slice(first.length) : text);
  const classes = [moving, isLeading ? undefined : tone].filter(Boolean).join(' ');
  const shown = classes ? ` class="${classes}"` : '';
  return `<text x="${LEFT}" y="${y}"${shown} xml:space="preserve">${head}${body}</text>`;
}

const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(2)}%`;

/** Each line appears at its moment and stays; the whole scrolls up once the rows are full. */
function motion(count: number, rows: number, msPerLine: number): string {
  const steps = count + REST_LINES;
  const total = (steps * msPerLine) / 1000;
  const appear = Array.from(
    { length: count },
    (_, i) =>
      `@keyframes l${i}{0%,${percent(i, steps)}{opacity:0}${percent(i + 0.15, steps)},100%{opacity:1}}.l${i}{animation:l${i} ${total}s infinite}`,
  ).join('');
  const scroll = Array.from({ length: Math.max(0, count - rows) }, (_, k) => {
    const at = rows + k;
    return `${percent(at, steps)}{transform:translateY(${-k * LINE}px)}${percent(at + 0.15, steps)}{transform:translateY(${-(k + 1) * LINE}px)}`;
  }).join('');
  const last = -Math.max(0, count - rows) * LINE;
  const end = `100%{transform:translateY(${last}px)}`;
  return `
  ${appear}
  @keyframes scroll{0%{transform:translateY(0)}${scroll}${end}}.scroll{animation:scroll ${total}s infinite}
  @media (prefers-reduced-motion:reduce){.scroll,.scroll text{animation:none;opacity:1}.scroll{transform:translateY(${last}px)}}`;
}

export function toTerminalSvg({ title, lines, rows = lines.length, msPerLine }: TerminalOptions): string {
  const height = TOP + rows * LINE + 14;
  const moves = msPerLine !== undefined;
  const style = STYLE + (moves ? motion(lines.length, rows, msPerLine) : '');
  const texts = lines.map((line, i) => toText(line, TOP + 8 + i * LINE, moves ? `l${i}` : undefined));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(title)}">
<style>${style}
</style>
<clipPath id="screen"><rect x="0" y="${TOP - 12}" width="${WIDTH}" height="${rows * LINE + 12}"/></clipPath>
<rect class="window" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<path class="bar" d="M1 9a8 8 0 0 1 8-8h${WIDTH - 18}a8 8 0 0 1 8 8v24H1z"/>
<circle cx="18" cy="17" r="5" fill="#ff5f57"/><circle cx="36" cy="17" r="5" fill="#febc2e"/><circle cx="54" cy="17" r="5" fill="#28c840"/>
<text class="title" x="${WIDTH / 2}" y="22" text-anchor="middle">${escapeXml(title)}</text>
<g clip-path="url(#screen)"><g class="scroll">
${texts.join('\n')}
</g></g>
</svg>
`;
}
