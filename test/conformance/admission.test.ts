import { readdirSync } from 'node:fs';
import path from 'node:path';
import {
  type Finding,
  formatFinding,
  readManifestFile,
  readManifests,
  type ValidationOptions,
  validateManifests,
} from '../../src/validation';
import { SchemaRegistry } from '../../src/validation/schema/registry';
import { isJsonObject, type JsonObject } from '../../src/validation/schema/schema-node';
import { describeWith } from '../components/describe-with';
import { eventually } from '../components/process';
import { type ApiServer, INSTALLABLE_FOLDERS, startApiServer } from './apiserver';
import type { KubernetesObject, Verdict } from './apiserver-client';
import { type Mutation, mutationsOf, spread } from './mutations';

const FIXTURES = path.join(__dirname, '..', 'fixtures', 'admission');
const MUTATIONS_PER_OBJECT = 200;
const PARALLEL_REQUESTS = 6;

const objects = readdirSync(FIXTURES)
  .sort()
  .flatMap((file) => readManifestFile(path.join(FIXTURES, file)).documents.map(({ value }) => value as JsonObject));
const registry = SchemaRegistry.of();
const isBuiltIn = ({ apiVersion, kind }: JsonObject): boolean => {
  const lookup = registry.lookUp(String(apiVersion), String(kind));
  return 'found' in lookup && lookup.found.isBuiltIn;
};
const named = (list: readonly JsonObject[]): [string, JsonObject][] =>
  list.map((object) => [`${String(object['apiVersion'])} ${String(object['kind'])}`, object]);

interface Comparison {
  readonly mutation: Mutation;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  readonly isRefusedByUs: boolean;
}

/** What the server and we say of an object and of many broken forms of it. */
async function compare(server: ApiServer, object: JsonObject, options: ValidationOptions = {}): Promise<Comparison[]> {
  const mutations = [{ name: 'as written', object }, ...spread(mutationsOf(object), MUTATIONS_PER_OBJECT)];
  const comparisons: Comparison[] = [];
  const work = mutations.values();
  const worker = async () => {
    for (const mutation of work) {
      const verdict = await server.dryRunCreate(mutation.object as unknown as KubernetesObject);
      const findings = validateManifests([{ value: mutation.object }], { rules: 'admission', ...options });
      comparisons.push({ mutation, verdict, findings, isRefusedByUs: findings.some(({ severity }) => severity === 'error') });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, worker));
  return comparisons;
}

const tell = ({ mutation, verdict, findings }: Comparison): string =>
  `${mutation.name}: the server says ${verdict.status} ${verdict.message.slice(0, 300)}; we say ${findings.map(formatFinding).join('; ').slice(0, 500) || 'valid'}`;

// The server's type check lets a list through where text with a format (cidr, byte) is asked for; such an object is of no use.
const isListForFormattedText = ({ findings }: Comparison): boolean =>
  findings.every(({ code, what, allowed }) => code === 'AIG011' && what.endsWith('is a list') && allowed === 'string');

/**
 * Where we are stricter than the server with built-in kinds, on purpose: it reads these as empty values, which nobody means, though
 * its own OpenAPI asks for them; and it would invent a name for a LimitRange, which kubectl does not apply without one.
 */
const READ_AS_EMPTY = /\.sleep\.seconds is missing$|^spec\.limits is missing$|\.served is missing$/;
const isStricterOnPurpose = (comparison: Comparison): boolean =>
  isListForFormattedText(comparison) ||
  comparison.findings.every(
    ({ code, what, object }) =>
      (code === 'AIG011' && /\[\d+\] is null$/.test(what)) ||
      (code === 'AIG012' && READ_AS_EMPTY.test(what)) ||
      (code === 'AIG020' && object?.kind === 'LimitRange' && what === 'metadata.name is missing'),
  );

describeWith(['etcd', 'kube-apiserver'], 'validation and a real API server', (programs) => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.installCrds(INSTALLABLE_FOLDERS);
  }, 120_000);

  afterAll(() => server?.stop());

  it.each(named(objects.filter((object) => !isBuiltIn(object))))(
    'agree on %s and its broken forms',
    async (_, object) => {
      const comparisons = await compare(server, object);
      expect(comparisons.find(({ mutation }) => mutation.name === 'as written')?.verdict).toMatchObject({
        isAccepted: true,
        message: '',
      });
      const differences = comparisons.filter(
        (comparison) => comparison.verdict.isAccepted === comparison.isRefusedByUs && !isListForFormattedText(comparison),
      );
      expect(differences.map(tell)).toEqual([]);
      expect(comparisons.filter(({ isRefusedByUs }) => isRefusedByUs).length).toBeGreaterThan(comparisons.length / 4);
    },
    120_000,
  );

  // The server has more checks of built-in kinds, written in Go; what its decoder refuses is in the schema.
  it.each(named(objects.filter(isBuiltIn)))(
    'we refuse what the server cannot decode of %s, and nothing that it accepts',
    async (_, object) => {
      const comparisons = await compare(server, object);
      expect(comparisons.find(({ mutation }) => mutation.name === 'as written')?.verdict).toMatchObject({
        isAccepted: true,
        message: '',
      });
      const missed = comparisons.filter(({ verdict, isRefusedByUs }) => verdict.status === 400 && !isRefusedByUs);
      const stricter = comparisons.filter(
        (comparison) => comparison.verdict.isAccepted && comparison.isRefusedByUs && !isStricterOnPurpose(comparison),
      );
      expect([...missed, ...stricter].map(tell)).toEqual([]);
    },
    120_000,
  );

  it('agree on the experimental HTTPRoute and its broken forms', async () => {
    await server.installCrds(['gateway-api-experimental']);
    const object = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: 'a', namespace: 'default' },
      spec: {
        parentRefs: [{ name: 'ai', port: 80 }],
        rules: [
          {
            name: 'chat',
            backendRefs: [{ name: 'svc', port: 80 }],
            retry: { codes: [503], attempts: 2, backoff: '100ms' },
            sessionPersistence: {
              sessionName: 's',
              type: 'Cookie',
              absoluteTimeout: '1h',
              cookieConfig: { lifetimeType: 'Permanent' },
            },
          },
        ],
      },
    };
    await eventually(
      'the experimental fields are known',
      async () => (await server.dryRunCreate(object)).isAccepted,
      20_000,
      100,
    );
    const comparisons = await compare(server, object, { gatewayApiChannel: 'experimental' });
    expect(comparisons.filter(({ verdict, isRefusedByUs }) => verdict.isAccepted === isRefusedByUs).map(tell)).toEqual([]);
  }, 120_000);

  it.each([
    ['booleans', '{a: yes, b: off, c: "yes", d: n, e: True, f: y}'],
    ['numbers', '{a: 0644, b: 0x1F, c: 1_000, d: 1.5, e: "1", f: 1e3, g: -7, h: 0b101, i: .5}'],
    ['what only looks like a number', '{a: 1:30, b: 1.2.3, c: 12e, d: 0o17, e: 09, f: -0o7, g: 0o8}'],
    ['dates', '{a: 2026-01-02, b: 2026-01-02T03:04:05Z}'],
    ['nothing', '{a: null, b: ~, c: }'],
    ['merges and aliases', '{a: &x {k: 1}, b: {<<: *x, l: 2}, c: *x}'],
    ['text', "\n  a: \"x\\ty\"\n  b: 'it''s'\n  c: >-\n    folded\n    text\n  d: |\n    kept\n    # lines\n"],
    ['keys', '{1: a, true: b, "c d": e}'],
  ])('read %s in YAML alike', async (_, config) => {
    const text = `apiVersion: configuration.konghq.com/v1\nkind: KongPlugin\nmetadata: {name: p, namespace: default}\nplugin: x\nconfig: ${config}\n`;
    // The server reads a YAML body with the code of kubectl, and answers with the object that it understood.
    const url = '/apis/configuration.konghq.com/v1/namespaces/default/kongplugins?dryRun=All&fieldValidation=Strict';
    const { status, body } = await server.send('POST', url, text, 'application/yaml');
    const theirs: unknown = JSON.parse(body);
    const { documents, findings } = readManifests(text);
    const ours = documents[0]?.value;
    expect(findings).toEqual([]);
    expect({ status, config: isJsonObject(theirs) && theirs['config'] }).toEqual({
      status: 201,
      config: isJsonObject(ours) && ours['config'],
    });
  });
});
