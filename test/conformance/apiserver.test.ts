import { describeWith } from '../components/describe-with';
import { type ApiServer, startApiServer } from './apiserver';

describeWith(['etcd', 'kube-apiserver'], 'an API server for tests', (programs) => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer(programs, { flags: { 'min-request-timeout': '3' } });
  }, 90_000);

  afterAll(() => server?.stop());

  it('accepts what is valid, and stores nothing of a dry run', async () => {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } };
    expect(await server.dryRunCreate(object)).toEqual({ isAccepted: true, status: 201, message: '', warnings: [] });
    expect((await server.send('GET', '/api/v1/namespaces/default/configmaps/a')).status).toBe(404);
  });

  it.each([
    ['an unknown field', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, x: 1 }, 400, /unknown field "x"/],
    [
      'a broken value',
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 0 }] } },
      422,
      /between 1 and 65535/,
    ],
    [
      'a kind that it does not have',
      { apiVersion: 'llm-d.ai/v1alpha2', kind: 'InferenceObjective', metadata: { name: 'a' } },
      404,
      /no kind InferenceObjective/,
    ],
  ])('refuses %s in its own words', async (_, object, status, message) => {
    expect(await server.dryRunCreate(object)).toMatchObject({
      isAccepted: false,
      status,
      message: expect.stringMatching(message),
    });
  });

  it('knows the kinds of definitions once they are installed', async () => {
    await server.installCrds(['llm-d']);
    const object = {
      apiVersion: 'llm-d.ai/v1alpha2',
      kind: 'InferenceObjective',
      metadata: { name: 'a' },
      spec: { poolRef: { name: 'p', group: 'inference.networking.k8s.io' } },
    };
    expect(await server.dryRunCreate(object)).toMatchObject({ isAccepted: true });
  }, 30_000);

  it('gives a token and a certificate that other clients can use', async () => {
    expect(server.certificate.toString()).toMatch(/BEGIN CERTIFICATE/);
    expect(server.token).toMatch(/^[0-9a-f]{32}$/);
    expect(server.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  });
});
