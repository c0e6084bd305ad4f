import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEndpointsFile } from '../../src/picker/discovery/endpoints-file';
import { HeaderBlock } from '../../src/picker/ext-proc/header-block';
import { ProcessingRequest } from '../../src/picker/ext-proc/processing-request';
import { subsetHint } from '../../src/picker/ext-proc/subset-hint';
import { WireError } from '../../src/picker/ext-proc/wire-reader';
import { ConnectionError } from '../../src/picker/http2/error-codes';
import { CLIENT_PREFACE } from '../../src/picker/http2/frame-types';
import { HpackDecoder } from '../../src/picker/http2/hpack/decoder';
import { ENGINE_METRICS } from '../../src/picker/metrics-scraper/engine-metrics';
import { EnginePageReader } from '../../src/picker/metrics-scraper/engine-page-reader';
import { BodyBuffers, HttpResponseReader } from '../../src/picker/metrics-scraper/http-response-reader';
import { AnswerScanner } from '../../src/picker/openai/answer-scanner';
import { BodyScan, scanBody } from '../../src/picker/openai/body-scanner';
import { UsageStripper } from '../../src/picker/openai/usage-stripper';
import { decodeFrame, encodeGreeting, encodeHello, ID_BYTES, MAC_BYTES, NONCE_BYTES } from '../../src/picker/peers/wire-format';
import { parseEndpointPickerConfig } from '../../src/picker-config/endpoint-picker-config-parser';
import { parsePickerPolicy } from '../../src/picker-config/picker-policy-parser';
import { formatProblem, type Problem } from '../../src/shared/problem';
import { jsonObject } from '../support/json-object';
import { ECHO, echo, Peer } from '../unit/picker/http2/peer';

/** A parser, inputs to begin with, and what must hold whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** Of the inputs that the quickest parsers get. */
  readonly share: number;
  /** Throws when something does not hold. @param cut a place in `bytes` where a reader may be given them in two pieces */
  run(bytes: Buffer, cut: number): void;
}

const CORPUS = join(__dirname, '../property/corpus');
const MASK = { hidden: 'meta-llama/Llama "8B"', shown: 'llama' };
const MAX_PAGE_BYTES = 2_000;

function stored(kind: string): Buffer[] {
  const folder = join(CORPUS, kind);
  return readdirSync(folder).map((name) => readFileSync(join(folder, name)));
}

function texts(...list: readonly string[]): Buffer[] {
  return list.map((text) => Buffer.from(text));
}

function only(error: unknown, type: new (...args: never[]) => Error): void {
  if (!(error instanceof type)) throw error;
}

/** A picker's connection and what a client may do to it. */
const frames: FuzzTarget = {
  name: 'HTTP/2 connection',
  share: 0.2,
  seeds: stored('http2'),
  run: (bytes, cut) => {
    const log: string[] = [];
    const method = { path: ECHO, maxMessageBytes: 1 << 20, open: echo(log).open };
    const peer = new Peer({ methods: [method], settings: null });
    peer.connection.receive(CLIENT_PREFACE);
    peer.connection.receive(bytes.subarray(0, cut));
    peer.connection.receive(bytes.subarray(cut));
    for (const error of peer.errors) assert.ok(error instanceof ConnectionError);
    peer.connection.closed();
    assert.deepEqual([peer.counters.streamsOpen, peer.budget.heldBytes], [0, 0]);
  },
};

const headerBlocks: FuzzTarget = {
  name: 'HPACK',
  share: 1,
  seeds: [
    // RFC 7541, appendix C.4.1, C.6.1 and C.2.3
    '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
    '100870617373776f726406736563726574',
    '3fe11f828684be58086e6f2d6361636865',
  ].map((hex) => Buffer.from(hex, 'hex')),
  run: (bytes, cut) => {
    const decoder = new HpackDecoder();
    for (const [start, end] of [
      [0, cut],
      [cut, bytes.length],
    ] as const) {
      try {
        decoder.decode(bytes, start, end, { field: () => undefined });
      } catch (error) {
        only(error, ConnectionError);
      }
      assert.ok(decoder.table.bytes <= 4_096);
    }
  },
};

const messages: FuzzTarget = {
  name: 'ext_proc messages',
  share: 1,
  // request headers with a subset hint and a protocol configuration, and a body: written by protobufjs from Envoy's definitions
  seeds: [
    ...stored('protobuf'),
    Buffer.from(
      '12260a240a100a053a7061746812072f76312f782f0a100a07782d6169672d61120531323334351001' +
        '42520a500a16656e766f792e6c622e7375627365745f68696e7412360a340a27782d676174657761792d64657374696e6174696f6e2d656e64706f696e742d73756273657412091a07613a312c623a32' +
        '5202080422070a03616263100101',
      'hex',
    ),
  ],
  run: (bytes) => {
    const request = new ProcessingRequest();
    try {
      request.decode(bytes, 0, bytes.length);
      new HeaderBlock().read(bytes, request.start, request.end);
      subsetHint(bytes, request.metadataStart, request.metadataEnd);
    } catch (error) {
      only(error, WireError);
      return;
    }
    for (const at of [request.start, request.end, request.metadataStart, request.metadataEnd]) assert.ok(at <= bytes.length);
  },
};

const bodies: FuzzTarget = {
  name: 'request bodies',
  share: 1,
  seeds: [
    ...stored('json'),
    ...texts(
      '{"model":"llama","messages":[{"role":"user","content":"Hello \\"you\\" \\u00e9"}],"max_tokens":16,"stream":true}',
      '{"stream_options":{"include_usage":true},"cache_salt":"s","input":["a",{"b":[1e3,-2.5E-2,null]}],"model":"m"}',
    ),
  ],
  run: (bytes) => {
    const scan = new BodyScan();
    scanBody('responses', bytes, scan);
    const value = jsonObject(bytes);
    assert.equal(scan.error?.startsWith('error unmarshaling request bodyMap') ?? false, value === undefined);
    if (value === undefined) return;
    const { model, stream } = value;
    assert.equal(scan.model, typeof model === 'string' && model !== '' ? model : undefined);
    assert.equal(scan.stream, stream === true);
  },
};

interface Pushed {
  readonly changed: boolean;
  readonly output: Buffer;
  readonly outputLength: number;
  push(bytes: Buffer, start: number, end: number, isLast: boolean): void;
}

/** What a client is sent of bytes that come in two pieces. */
function sent(scanner: Pushed, bytes: Buffer, cut: number): string {
  const pieces =
    cut === bytes.length
      ? [[0, cut]]
      : [
          [0, cut],
          [cut, bytes.length],
        ];
  return pieces
    .map(([start, end], index) => {
      scanner.push(bytes, start!, end!, index === pieces.length - 1);
      return scanner.changed ? scanner.output.toString('latin1', 0, scanner.outputLength) : bytes.toString('latin1', start, end);
    })
    .join('');
}

const answerScanner = new AnswerScanner();
const answers: FuzzTarget = {
  name: 'answers',
  share: 0.2,
  seeds: [
    ...stored('sse'),
    ...texts(
      '{"id":"a","model":"meta-llama/Llama \\"8B\\"","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}',
      'data: {"model":"meta-llama/Llama \\"8B\\"","choices":[{"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n',
    ),
  ],
  run: (bytes, cut) => {
    for (const format of ['json', 'events'] as const) {
      for (const mask of [MASK, undefined]) {
        const read = (at: number): unknown => {
          answerScanner.begin(format, mask);
          const text = sent(answerScanner, bytes, at);
          const { inputTokens, outputTokens, cachedTokens } = answerScanner.usage;
          return { text, inputTokens, outputTokens, cachedTokens };
        };
        const whole = read(bytes.length);
        assert.deepEqual(read(cut), whole);
        if (mask === undefined) assert.equal((whole as { text: string }).text, bytes.toString('latin1'));
      }
    }
  },
};

const stripper = new UsageStripper();
const strippedUsage: FuzzTarget = {
  name: 'usage of streams',
  share: 1,
  seeds: [
    ...stored('sse'),
    ...texts(
      'data: {"id":"c","choices":[],"usage":{"prompt_tokens":7}}\n\ndata: [DONE]\n\n',
      'data:{"usage":{},"choices":[ ]}\r\n\r\n',
    ),
  ],
  run: (bytes, cut) => {
    const read = (at: number): string => {
      stripper.begin();
      return sent(stripper, bytes, at);
    };
    const whole = read(bytes.length);
    assert.equal(read(cut), whole);
    assert.ok(whole.length <= bytes.length);
  },
};

const pageReaders = [...ENGINE_METRICS.values()].map((metrics) => new EnginePageReader(metrics));
const pages: FuzzTarget = {
  name: 'metrics pages',
  share: 1,
  seeds: stored('metrics'),
  run: (bytes, cut) => {
    const report = pageReaders[cut % pageReaders.length]!.read(bytes, true);
    const { waiting = 0, running = 0, kvUsageRatio = 0, blockSizeTokens = 1, kvBlocks = 1 } = report;
    assert.ok(waiting >= 0 && running >= 0 && kvUsageRatio >= 0 && kvUsageRatio <= 1);
    assert.ok(!Number.isNaN(blockSizeTokens) && !Number.isNaN(kvBlocks));
  },
};

const responses: FuzzTarget = {
  name: 'HTTP responses',
  share: 1,
  seeds: texts(
    'HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello',
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n1f\r\nthirty-one bytes of a chunk more\r\n0\r\nx: y\r\n\r\n',
  ),
  run: (bytes, cut) => {
    const read = (at: number): unknown => {
      const reader = new HttpResponseReader(new BodyBuffers(), MAX_PAGE_BYTES);
      if (at > 0) reader.push(bytes, 0, at);
      if (at < bytes.length) reader.push(bytes, at, bytes.length);
      reader.end();
      assert.ok(reader.bodyLength <= MAX_PAGE_BYTES);
      assert.equal(reader.isDone, reader.failure === '');
      return reader.isDone ? (reader.body?.toString('latin1', 0, reader.bodyLength) ?? '') : reader.failure;
    };
    assert.equal(read(cut), read(bytes.length));
  },
};

const replicas: FuzzTarget = {
  name: 'frames of replicas',
  share: 1,
  seeds: [
    encodeGreeting(Buffer.alloc(ID_BYTES, 1), Buffer.alloc(NONCE_BYTES, 2)),
    encodeHello(Buffer.alloc(ID_BYTES, 1), Buffer.alloc(MAC_BYTES, 2)),
  ],
  run: (bytes) => {
    const frame = decodeFrame(bytes);
    if (frame !== 'more' && !('fault' in frame)) assert.ok(frame.length <= bytes.length);
  },
};

function checkProblems(problems: readonly Problem[], isRead: boolean): void {
  assert.equal(isRead, problems.length === 0);
  for (const problem of problems) assert.match(formatProblem(problem), /^AIG5\d\d [\s\S]* \[f:\d+:\d+\]$/);
}

const configurations: FuzzTarget = {
  name: 'configuration files',
  share: 0.01,
  seeds: texts(
    'apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\nplugins:\n  - type: queue-scorer\n  - {name: p, type: prefix-cache-scorer, parameters: {blockSizeTokens: 64}}\nschedulingProfiles:\n  - name: default\n    plugins: [{pluginRef: queue-scorer, weight: 2}, {pluginRef: p}]\n',
    'apiVersion: cdk8s-ai-gateway.dev/v1alpha1\nkind: PickerPolicy\npools: [{name: a, endpoints: {file: {path: /x}}}]\nmodels: [{name: m, priority: 1, targets: [{pool: a, weight: 3}]}]\nlimits: [{name: l, unit: tokens, amount: 5k, windowSeconds: 60, key: {source: all}}]\n',
    'endpoints:\n  - {name: a, address: 127.0.0.1, port: "8000", labels: {x: y}}\n  - {name: b, address: "::1", port: 8001}\n',
  ),
  run: (bytes) => {
    const text = bytes.toString();
    const { config, problems } = parseEndpointPickerConfig(text, 'f');
    checkProblems(problems, config !== undefined);
    const policy = parsePickerPolicy(text, 'f');
    checkProblems(policy.problems, policy.policy !== undefined);
    const file = parseEndpointsFile(text, 'f');
    checkProblems(file.problems, file.endpoints !== undefined);
  },
};

export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  frames,
  headerBlocks,
  messages,
  bodies,
  answers,
  strippedUsage,
  pages,
  responses,
  replicas,
  configurations,
];
