import { parseDurationNanos } from '../../../../src/validation/schema/duration';
import { compileRe2 } from '../../../../src/validation/schema/re2';
import type { SchemaNode } from '../../../../src/validation/schema/schema-node';

// Texts that mean something to one format, pattern or rule or another.
const TEXTS = [
  ...[
    '',
    'a',
    'b',
    'a.b',
    'example.com',
    '*.example.com',
    '*',
    '/',
    '/a',
    '/a/',
    'a/b',
    'a-b',
    'A',
    'x-a',
    'http',
    'https',
    'a:1',
    'a_b',
  ],
  ...[
    '1',
    '0',
    '10s',
    '1s',
    '2s',
    '0s',
    '100ms',
    '1h',
    '1m',
    '1.5',
    '0.5',
    '100',
    '50%',
    '1Gi',
    '500m',
    '2xx',
    '200',
    '404',
    '503',
  ],
  ...[
    '10.0.0.1',
    '10.0.0.0/8',
    '::1',
    'fe80::/10',
    'http://a',
    'https://a.example.com/x',
    'redis://a:6379',
    '2026-01-01T00:00:00Z',
    'YQ==',
  ],
  ...[
    'TCP',
    'UDP',
    'HTTP',
    'HTTPS',
    'TLS',
    'GET',
    'Exact',
    'Prefix',
    'v1',
    'group/v1',
    '__namespace__',
    'localhost',
    'envoy.filters.http.a',
  ],
  ...[
    'a=b',
    'a,b',
    '$a',
    '#a',
    '~a',
    'a b',
    '/a//b',
    '/a/../b',
    '/%2f',
    '..',
    'metadata.name',
    'spec',
    'a'.repeat(64),
    'a'.repeat(300),
  ],
  ...[
    'a.mmdb',
    'dlp.googleapis.com',
    '10r/s',
    'arn:aws:iam::123456789012:role/a',
    'http://localhost',
    'http://127.0.0.1',
    'http://169.254.1.1',
    'http://[::1]',
  ],
];
const NUMBERS = [
  0, 1, 2, 3, 5, 10, 80, 99, 100, 101, 200, 299, 301, 302, 399, 400, 404, 443, 500, 599, 600, 1000, 8080, 65535, 65536, -1, 0.5,
];

/** Numbers from a seed, always the same (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Makes values of a schema that are likely to matter to a rule: with the fields and the literals that it names. */
export class Sampler {
  private readonly texts: readonly string[];
  private readonly numbers: readonly number[];
  private readonly words: ReadonlySet<string>;

  public constructor(
    rule: string,
    private readonly random: () => number,
  ) {
    const literals = [...rule.matchAll(/'((?:\\.|[^'\\])*)'|"((?:\\.|[^"\\])*)"/g)].map(([, one, two]) => one ?? two ?? '');
    this.texts = literals.flatMap((text) => [text, text, text, `${text}a`, `a${text}`, `a${text}b`]);
    this.numbers = [...rule.matchAll(/\b\d+\b/g)].flatMap(([digits]) => [Number(digits), Number(digits) + 1, Number(digits) - 1]);
    this.words = new Set(
      [...rule.matchAll(/[A-Za-z_]\w*/g)].map(([word]) => word.replace(/^__([a-z]+)__$/, '$1').replaceAll('__dash__', '-')),
    );
  }

  /** Undefined: nothing of the schema's form was found. */
  public sample(node: SchemaNode, depth = 0): unknown {
    if (node.nullable === true && this.random() < 0.1) return null;
    const values = node.enum ?? node.allOf?.find((branch) => branch.enum !== undefined)?.enum;
    if (values !== undefined) return this.pick(values);
    if (node['x-kubernetes-int-or-string'] === true) return this.random() < 0.5 ? this.text(node) : this.number(node);
    switch (node.type) {
      case 'object':
        return this.object(node, depth);
      case 'array':
        return this.list(node, depth);
      case 'string':
        return this.text(node);
      case 'integer':
      case 'number':
        return this.number(node);
      case 'boolean':
        return this.random() < 0.5;
      default:
        return { a: 1 };
    }
  }

  private object(node: SchemaNode, depth: number): unknown {
    const value: Record<string, unknown> = {};
    // Now and then with nothing but what has to be there.
    const isBare = this.random() < 0.05;
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      const isRequired = node.required?.includes(name) === true;
      // A rule may count or list fields without naming them.
      const chance = this.words.has(name) ? 0.55 : depth < 2 ? 0.04 : 0;
      if (!isRequired && (isBare || this.random() >= chance)) continue;
      const entry = this.sample(child, depth + 1);
      if (entry !== undefined) value[name] = entry;
    }
    if (node.properties === undefined) {
      const count = Math.floor(this.random() * 3);
      for (let index = 0; index < count; index++) {
        const entry = typeof node.additionalProperties === 'object' ? this.sample(node.additionalProperties, depth + 1) : 1;
        if (entry !== undefined) value[this.pick([...this.texts, ...TEXTS])] = entry;
      }
    }
    return value;
  }

  private list(node: SchemaNode, depth: number): unknown {
    if (node.items === undefined) return [];
    const least = node.minItems ?? 0;
    const count = this.random() < 0.05 ? Math.min(node.maxItems ?? 20, 130) : least + Math.floor(this.random() * 3);
    const items: unknown[] = [];
    for (let index = 0; index < count; index++) {
      // The same again is what rules about uniqueness are for.
      items.push(index > 0 && this.random() < 0.35 ? structuredClone(items[0]) : this.sample(node.items, depth + 1));
    }
    return items.filter((item) => item !== undefined).slice(0, node.maxItems);
  }

  private text(node: SchemaNode): string | undefined {
    const all = this.random() < 0.5 && this.texts.length > 0 ? this.texts : TEXTS;
    for (let attempt = 0; attempt < 12; attempt++) {
      const text = this.pick(attempt < 6 ? all : [...this.texts, ...TEXTS]);
      if (isText(text, node)) return text;
    }
    return [...this.texts, ...TEXTS].find((text) => isText(text, node));
  }

  private number(node: SchemaNode): number {
    const all = [...this.numbers, ...this.numbers, ...NUMBERS, node.minimum ?? 0, node.maximum ?? 1].filter(
      (number) =>
        number >= (node.minimum ?? -Infinity) &&
        number <= (node.maximum ?? Infinity) &&
        (node.type === 'number' || Number.isInteger(number)),
    );
    return this.pick(all);
  }

  private pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.random() * values.length)]!;
  }
}

function isText(text: string, { minLength = 0, maxLength = Infinity, pattern, format }: SchemaNode): boolean {
  if (text.length < minLength || text.length > maxLength) return false;
  if (format === 'date-time' && !text.startsWith('2026')) return false;
  if (format === 'duration' && parseDurationNanos(text) === undefined) return false;
  if (format === 'byte' && text !== 'YQ==') return false;
  return pattern === undefined || compileRe2(pattern).test(text);
}
