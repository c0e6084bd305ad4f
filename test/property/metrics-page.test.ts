import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ENGINE_METRICS } from '../../src/picker/metrics-scraper/engine-metrics';
import { EnginePageReader } from '../../src/picker/metrics-scraper/engine-page-reader';
import { fuzzRuns } from './corpus';

const NAMES = ['vllm:num_requests_waiting', 'vllm:num_requests_running', 'vllm:kv_cache_usage_perc'];
const OTHERS = ['vllm:num_requests_waiting_by_reason', 'vllm:num_requests', 'process_cpu_seconds_total', 'x'];

/** The plainest parser of the format that one can write: whole lines by a regular expression, first group of a name only. */
function plainly(page: string, name: string): number[] {
  const values: number[] = [];
  let inside = false;
  for (const line of page.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?[ \t]+(\S+)/.exec(line.replace(/\r$/, ''));
    const isSeries = line.startsWith(`${name}{`) || line.startsWith(`${name} `) || line.startsWith(`${name}\t`);
    if (inside && !isSeries) break;
    if (!isSeries) continue;
    inside = true;
    const value = match === null || !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(match[3]!) ? Number.NaN : Number(match[3]);
    if (Number.isFinite(value)) values.push(value);
  }
  return values;
}

function expectPlainReading(reader: EnginePageReader, page: string): void {
  const report = reader.read(Buffer.from(page), true);
  const [waiting, running, kv] = NAMES.map((name) => plainly(page, name));
  const sum = (values: number[]) =>
    values.length === 0 ? undefined : values.reduce((total, value) => total + Math.max(0, value), 0);
  expect(report.waiting).toBe(sum(waiting!));
  expect(report.running).toBe(sum(running!));
  expect(report.kvUsageRatio).toBe(kv!.length === 0 ? undefined : Math.min(1, Math.max(0, ...kv!)));
}

const labelValue = fc.string({ unit: fc.constantFrom('a', 'é', '}', '{', ',', '=', ' ', '\\\\', '\\"', '\\n'), maxLength: 8 });
const labels = fc.oneof(
  fc.constant(''),
  fc
    .array(fc.tuple(fc.constantFrom('engine', 'model_name', 'le'), labelValue), { maxLength: 3 })
    .map((pairs) => `{${pairs.map(([k, v]) => `${k}="${v}"`).join(',')}}`),
);
const value = fc.oneof(
  fc.nat({ max: 1e6 }).map(String),
  fc.double({ noNaN: true }).map(String),
  fc.double({ min: 0, max: 1, noNaN: true }).map(String),
  fc.constantFrom('NaN', '+Inf', '-Inf', '1.795466359e+09', '0.0', '.5', '5.', 'oops', '0x10', ''),
);
const series = (name: string) =>
  fc.tuple(labels, value, fc.constantFrom('', ' 1700000000', ' ', '\r')).map(([l, v, tail]) => `${name}${l} ${v}${tail}\n`);
const group = (name: string) =>
  fc
    .tuple(fc.boolean(), fc.array(series(name), { minLength: 1, maxLength: 4 }))
    .map(([help, lines]) => `${help ? `# TYPE ${name} gauge\n` : ''}${lines.join('')}`);
/** A conforming page: every family once, its lines together, in any order. */
const page = fc
  .shuffledSubarray([...NAMES, ...OTHERS])
  .chain((names) => fc.tuple(...names.map(group), fc.constantFrom('', '\n', '# EOF')))
  .map((parts) => parts.join(''));

const folder = join(__dirname, 'corpus', 'metrics');
const corpus = readdirSync(folder).sort();

describe('metrics pages', () => {
  test('are read as the plainest parser reads them, whatever pages came before', () => {
    fc.assert(
      fc.property(fc.array(page, { minLength: 1, maxLength: 4 }), (pages) => {
        const reader = new EnginePageReader(ENGINE_METRICS.get('vllm')!);
        for (const text of pages) expectPlainReading(reader, text);
      }),
      { numRuns: fuzzRuns(400) },
    );
  });

  test.each(corpus)('corpus page %s is read as the plainest parser reads it', (name) => {
    expectPlainReading(new EnginePageReader(ENGINE_METRICS.get('vllm')!), readFileSync(join(folder, name), 'utf8'));
  });

  test('mutated pages never throw and never give values that columns must not hold', () => {
    const pages = corpus.map((name) => readFileSync(join(folder, name)));
    const engine = fc.constantFrom(...ENGINE_METRICS.keys());
    const mutation = fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.constantFrom('set', 'cut', 'double'));
    fc.assert(
      fc.property(
        engine,
        fc.array(fc.tuple(fc.constantFrom(...pages), fc.array(mutation, { maxLength: 8 })), { minLength: 1, maxLength: 3 }),
        (name, inputs) => {
          const reader = new EnginePageReader(ENGINE_METRICS.get(name)!);
          for (const [seed, mutations] of inputs) {
            let bytes = Buffer.from(seed);
            for (const [place, byte, kind] of mutations) {
              const at = bytes.length === 0 ? 0 : place % bytes.length;
              if (kind === 'set' && bytes.length > 0) bytes[at] = byte;
              if (kind === 'cut') bytes = bytes.subarray(0, at);
              if (kind === 'double') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.floor(at / 2))]);
            }
            const {
              waiting = 0,
              running = 0,
              kvUsageRatio = 0,
              blockSizeTokens = 1,
              kvBlocks = 1,
              adapters,
            } = reader.read(bytes, true);
            for (const number of [waiting, running]) expect(number).toBeGreaterThanOrEqual(0);
            expect(kvUsageRatio).toBeGreaterThanOrEqual(0);
            expect(kvUsageRatio).toBeLessThanOrEqual(1);
            for (const number of [waiting, running, blockSizeTokens, kvBlocks]) expect(Number.isNaN(number)).toBe(false);
            if (adapters !== undefined) expect(adapters.max).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: fuzzRuns(400) },
    );
  });
});
