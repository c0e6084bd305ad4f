import { formatFinding, readManifests, validateManifests } from '../../src/validation';
import { isJsonObject } from '../../src/validation/schema/schema-node';
import { describeWith } from '../components/describe-with';
import { eventually } from '../components/process';
import { type ApiServer, INSTALLABLE_FOLDERS, startApiServer } from './apiserver';
import type { KubernetesObject, Verdict } from './apiserver-client';
import { subjects } from './corpus';
import { type Mutation, mutationsOf } from './mutations';
import { admissionFindings, isRefused, readVerdicts, verdictOf, writeVerdicts } from './verdicts';

const PARALLEL_REQUESTS = 6;
// `npm run conformance:apiserver` sets it: what the server says becomes what is compared where there is none.
const isRenewal = process.env['UPDATE_VERDICTS'] === '1';

async function verdictsOf(server: ApiServer, documents: readonly Mutation[]): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const work = documents.entries();
  const worker = async () => {
    for (const [index, { object }] of work) verdicts[index] = await server.dryRunCreate(object as unknown as KubernetesObject);
  };
  await Promise.all(Array.from({ length: PARALLEL_REQUESTS }, worker));
  return verdicts;
}

describeWith(['etcd', 'kube-apiserver'], 'validation and a real API server', (programs) => {
  let server: ApiServer;
  const renewed: { [name: string]: { hash: string; verdicts: string } } = {};

  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.installCrds(INSTALLABLE_FOLDERS);
  }, 120_000);

  afterAll(async () => {
    await server?.stop();
    if (isRenewal) writeVerdicts('kube-apiserver', subjects(), renewed);
  });

  it.each(subjects().map((subject) => [subject.name, subject] as const))(
    'agree on %s and its broken forms',
    async (name, { documents, isBuiltIn, hash }) => {
      const answers = await verdictsOf(server, documents);
      expect(answers[0]).toMatchObject({ isAccepted: true, message: '' });
      const differences: string[] = [];
      const verdicts = documents.map((document, index) => {
        const answer = answers[index]!;
        const findings = admissionFindings(document);
        const verdict = verdictOf(answer, findings, isBuiltIn);
        if (verdict === undefined) {
          const said = findings.map(formatFinding).join('; ').slice(0, 500) || 'valid';
          differences.push(`${document.name}: the server says ${answer.status} ${answer.message.slice(0, 300)}; we say ${said}`);
        }
        return verdict ?? '?';
      });
      expect(differences).toEqual([]);
      renewed[name] = { hash, verdicts: verdicts.join('') };
      if (!isRenewal) expect({ [name]: renewed[name] }).toEqual({ [name]: readVerdicts('kube-apiserver')[name] });
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
    const documents = [{ name: 'as written', object }, ...mutationsOf(object)];
    const answers = await verdictsOf(server, documents);
    const differences = documents.filter(({ object: value }, index) => {
      const findings = validateManifests([{ value }], { rules: 'admission', gatewayApiChannel: 'experimental' });
      return isRefused(findings) === answers[index]!.isAccepted;
    });
    expect(differences.map(({ name }) => name)).toEqual([]);
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
