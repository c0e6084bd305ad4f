import type { Histogram } from './histogram';

/** Names and values in turn. */
export type Labels = readonly string[];

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** Writes the Prometheus text format (exposition format 0.0.4). */
export class Exposition {
  private readonly parts: string[] = [];

  /** Begins a family. */
  public family(name: string, type: MetricType, help: string): void {
    this.parts.push(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
  }

  public sample(name: string, labels: Labels, value: number): void {
    const inner = labelText(labels);
    this.parts.push(inner === '' ? `${name} ${shown(value)}\n` : `${name}{${inner}} ${shown(value)}\n`);
  }

  public histogram(name: string, labels: Labels, histogram: Histogram): void {
    const inner = labelText(labels);
    const before = inner === '' ? '' : `${inner},`;
    let total = 0;
    for (let i = 0; i < histogram.bounds.length; i++) {
      total += histogram.counts[i]!;
      this.parts.push(`${name}_bucket{${before}le="${histogram.bounds[i]}"} ${total}\n`);
    }
    total += histogram.counts[histogram.bounds.length]!;
    const suffix = inner === '' ? '' : `{${inner}}`;
    this.parts.push(`${name}_bucket{${before}le="+Inf"} ${total}\n`);
    this.parts.push(`${name}_sum${suffix} ${shown(histogram.sum)}\n${name}_count${suffix} ${total}\n`);
  }

  /** What was written since the last call. */
  public take(): string {
    const text = this.parts.join('');
    this.parts.length = 0;
    return text;
  }
}

function labelText(labels: Labels): string {
  let text = '';
  for (let i = 0; i < labels.length; i += 2) text += `${i > 0 ? ',' : ''}${labels[i]}="${escaped(labels[i + 1]!)}"`;
  return text;
}

function escaped(value: string): string {
  return /["\\\n]/.test(value) ? value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n') : value;
}

function shown(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
