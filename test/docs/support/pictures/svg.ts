/** A picture with the look of those in docs/pictures. */
export class Svg {
  private readonly parts: string[] = [];

  public constructor(
    private readonly width: number,
    private readonly height: number,
    private readonly label: string,
  ) {}

  public box(kind: 'box' | 'pod' | 'group' | 'picker' | 'faint', x: number, y: number, width: number, height: number): this {
    this.parts.push(`<rect class="${kind}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}" rx="6"/>`);
    return this;
  }

  public fill(color: string, x: number, y: number, width: number, height: number): this {
    this.parts.push(`<rect fill="${color}" x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"/>`);
    return this;
  }

  public text(text: string, x: number, y: number, kind = ''): this {
    this.parts.push(`<text${kind === '' ? '' : ` class="${kind}"`} x="${n(x)}" y="${n(y)}">${escaped(text)}</text>`);
    return this;
  }

  public line(
    kind: 'flow' | 'ask' | 'axis' | 'limit' | 'curve',
    points: readonly (readonly [number, number])[],
    arrow = false,
  ): this {
    const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${n(x)} ${n(y)}`).join(' ');
    this.parts.push(`<path class="${kind}" d="${path}"${arrow ? ' marker-end="url(#to)"' : ''}/>`);
    return this;
  }

  public dot(color: string, x: number, y: number): this {
    this.parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="4" fill="${color}"/>`);
    return this;
  }

  public toString(): string {
    const { width, height } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(this.label)}">
  <style>
    .card { fill: #ffffff; stroke: #c9d1d9; }
    .box { fill: #eef3fb; stroke: #4a6fa5; stroke-width: 1.5; }
    .pod { fill: #ffffff; stroke: #4a6fa5; stroke-width: 1.5; }
    .group { fill: #f6f8fa; stroke: #8a94a3; stroke-width: 1.2; stroke-dasharray: 4 3; }
    .picker { fill: #fdf1dc; stroke: #b7791f; stroke-width: 1.5; }
    .faint { fill: #f3f4f6; stroke: #c9d1d9; }
    .flow { stroke: #2f4a73; stroke-width: 2; fill: none; }
    .ask { stroke: #b7791f; stroke-width: 1.8; stroke-dasharray: 5 3; fill: none; }
    .axis { stroke: #8a94a3; stroke-width: 1; fill: none; }
    .limit { stroke: #c0392b; stroke-width: 1.5; stroke-dasharray: 6 4; fill: none; }
    .curve { stroke: #2f4a73; stroke-width: 2; fill: none; }
    text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 13px; fill: #1f2937; }
    .title { font-size: 15px; font-weight: 600; }
    .bold { font-weight: 600; }
    .small { font-size: 11px; fill: #4b5563; }
    .end { text-anchor: end; }
  </style>
  <defs>
    <marker id="to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L8 4 L0 8 z" fill="#2f4a73"/></marker>
  </defs>
  <rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>
${this.parts.map((part) => `  ${part}\n`).join('')}</svg>
`;
  }
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
