import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeWith } from '../components/describe-with';
import { eventually } from '../components/process';
import { headerMap } from '../fixtures/ext-proc/messages';
import { type PairMember, PickerPair } from './picker-pair';

const PAGE = join(__dirname, '../../docs/picker/metrics.md');

interface Family {
  readonly type: string;
  /** Names of labels, sorted; undefined without a sample. */
  labels: string | undefined;
  /** Upper bounds of a histogram. */
  readonly bounds: number[];
}

describeWith(['epp'], 'metrics of the picker and of the reference after the same requests', ({ epp }) => {
  const pair = new PickerPair();
  let ours: Map<string, Family>;
  let theirs: Map<string, Family>;

  beforeAll(async () => {
    await pair.start(epp, 2, ['--enable-grpc-stream-metrics']);
    for (const member of [pair.ours, pair.theirs]) await drive(member);
    // the reference brings its pool gauges up to date every 5 s
    await eventually('pool gauges', async () => /llm_d_epp_average_queue_size\{[^}]*\} 1\.5/.test(await pair.theirs.metrics()));
    ours = families(await pair.ours.metrics());
    theirs = families(await pair.theirs.metrics());
  }, 60_000);

  afterAll(() => pair.stop());

  const own = (page: Map<string, Family>) => [...page.keys()].filter((name) => name.startsWith('llm_d_epp_'));

  test('have all of its names', () => {
    expect(own(theirs).filter((name) => !ours.has(name))).toEqual([]);
  });

  test('have types, labels and buckets in common', () => {
    for (const name of own(ours)) {
      const reference = theirs.get(name);
      if (reference === undefined) continue;
      expect([name, ours.get(name)!.type]).toEqual([name, reference.type]);
      if (reference.labels !== undefined && ours.get(name)!.labels !== undefined) {
        expect([name, ours.get(name)!.labels]).toEqual([name, reference.labels]);
      }
      expect([name, ours.get(name)!.bounds]).toEqual([name, reference.bounds]);
    }
  });

  test('of names that the reference does not have have a prefix of their own', () => {
    const strangers = [...ours.keys()].filter((name) => !theirs.has(name) && !/^(aig_picker|process|nodejs)_/.test(name));
    expect(strangers.filter((name) => name.startsWith('llm_d_epp_') && !isOptional(name))).toEqual([]);
  });

  test('are all in the table of docs/picker/metrics.md, with their labels', () => {
    const rows = new Map(
      [...readFileSync(PAGE, 'utf8').matchAll(/^\| `([a-z0-9_]+)` \| (counter|gauge|histogram) \| ([^|]*) \|/gm)].map(
        ([, name, type, labels]) => [name!, { type, labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort() }],
      ),
    );
    for (const [name, { type, labels }] of ours) {
      expect([name, rows.get(name)?.type]).toEqual([name, type]);
      if (labels !== undefined) expect([name, rows.get(name)!.labels.join(',')]).toEqual([name, labels]);
    }
  });
});

/** Families of the reference that it shows only with features that this pair does not use. */
function isOptional(name: string): boolean {
  return /^llm_d_epp_(flow_control|inflight|model_rewrite|encoder_cache)_/.test(name);
}

/** A streamed answer, a whole one, a failure of the engine and a malformed body. */
async function drive({ client }: PairMember): Promise<void> {
  const usage = '"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":4}}';
  const event = 'data: {"choices":[{"delta":{"content":"x"}}]}\n\n';
  const answers: [status: string, type: string, pieces: string[]][] = [
    ['200', 'text/event-stream', [event, event, `data: {"choices":[],${usage}}\n\ndata: [DONE]\n\n`]],
    ['200', 'application/json', [`{${usage}}`]],
    ['503', 'application/json', ['{}']],
  ];
  for (const [status, type, pieces] of answers) {
    const stream = client.open();
    const isStream = type === 'text/event-stream';
    stream.post(
      '/v1/chat/completions',
      JSON.stringify({ model: 'llama', messages: [{ role: 'user', content: 'x' }], stream: isStream }),
    );
    await stream.next();
    await stream.next();
    stream.send({ responseHeaders: { headers: headerMap({ ':status': status, 'content-type': type }) } });
    await stream.next();
    for (const [index, piece] of pieces.entries()) {
      stream.send({ responseBody: { body: Buffer.from(piece), endOfStream: index === pieces.length - 1 } });
      await stream.next();
    }
    stream.end();
    await stream.ended;
  }
  const bad = client.open();
  bad.post('/v1/chat/completions', '{');
  await bad.next();
  bad.end();
  await bad.ended;
}

function families(page: string): Map<string, Family> {
  const found = new Map<string, Family>();
  for (const line of page.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)/.exec(line);
    if (type !== null) found.set(type[1]!, { type: type[2]!, labels: undefined, bounds: [] });
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+/.exec(line);
    if (sample === null) continue;
    const family = found.get(sample[1]!) ?? found.get(sample[1]!.replace(/_(bucket|sum|count)$/, ''));
    if (family === undefined) continue;
    const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(
      ([, name, value]) => [name!, value!] as const,
    );
    family.labels = labels
      .map(([name]) => name)
      .filter((name) => name !== 'le')
      .sort()
      .join(',');
    const bound = labels.find(([name]) => name === 'le')?.[1];
    if (bound !== undefined && bound !== '+Inf' && !family.bounds.includes(Number(bound))) family.bounds.push(Number(bound));
  }
  return found;
}
