import { ApiObject, Duration, JsonPatch } from 'cdk8s';
import {
  ApiGeneration,
  ClientIdentity,
  EndpointPicker,
  GatewayListener,
  ListenerCertificate,
  ModelApi,
  RateLimitKey,
} from '../../../../src';
import { GatewayProgram, IMPLEMENTATIONS } from '../../../support/gateway-program';

/** Everything that a gateway can emit, over all implementations and options. */
function everything(): GatewayProgram[] {
  const programs = IMPLEMENTATIONS.flatMap(([name, make]) =>
    [1, 2].map((pools) => {
      const program = new GatewayProgram();
      const gateway = program.gateway(make(), {
        gatewayNamespace: 'gateways',
        createGatewayClass: name !== 'generic',
        listeners: [
          GatewayListener.http(),
          GatewayListener.https({
            hostname: 'a.example.com',
            certificate: ListenerCertificate.certManager({ issuer: 'letsencrypt' }),
          }),
          GatewayListener.https({
            name: 'other',
            port: 8443,
            certificate: ListenerCertificate.secret({ name: 'cert' }, { namespace: 'certificates' }),
          }),
        ],
        redirectHttpToHttps: true,
        ...(name === 'kong' ? { cors: { allowOrigins: ['*'] } } : {}),
        identity: ClientIdentity.apiKeys({ name: 'keys' }),
      });
      for (let number = 1; number <= pools; number++) {
        gateway.addModel(`m${number}`, {
          pool: program.pool(`p${number}`, { generation: pools === 1 ? ApiGeneration.V1ALPHA2 : ApiGeneration.V1 }),
        });
      }
      gateway.addRoute('ui', { pathPrefix: '/', serviceName: 'ui', servicePort: 80, serviceNamespace: 'web' });
      gateway.addTokenRateLimit('l', { tokens: 1, window: Duration.minutes(1), key: RateLimitKey.client() });
      gateway.resolve();
      return program;
    }),
  );
  const llmd = new GatewayProgram();
  const gateway = llmd.gateway(IMPLEMENTATIONS[1]![1](), { picker: EndpointPicker.llmd(), modelApi: ModelApi.LLM_D });
  gateway.addModel('m', { pool: llmd.pool('one'), aliases: ['n'] });
  gateway.resolve();
  return [...programs, llmd];
}

describe('the escape hatch', () => {
  const kinds = new Map<string, { readonly program: GatewayProgram; readonly object: ApiObject }>();
  for (const program of everything()) {
    for (const construct of program.app.node.findAll()) {
      if (ApiObject.isApiObject(construct))
        kinds.set(`${construct.apiVersion} ${construct.kind}`, { program, object: construct });
    }
  }

  test('the programs of this test emit every kind', () => {
    expect([...kinds.keys()].sort()).toMatchSnapshot();
  });

  test.each([...kinds.keys()])('a field that no schema knows survives on %s', (kind) => {
    const { program, object } = kinds.get(kind)!;
    object.addJsonPatch(JsonPatch.add('/futureField', { kept: true }), JsonPatch.add('/metadata/annotations/added', 'yes'));
    const written = program
      .synth()
      .find(
        (manifest) =>
          `${manifest.apiVersion} ${manifest.kind}` === kind &&
          manifest.metadata.name === object.name &&
          'futureField' in manifest,
      );
    expect(written).toMatchObject({ futureField: { kept: true }, metadata: { annotations: { added: 'yes' } } });
  });

  test.each([...kinds.keys()])('%s says which construct made it and that this library did', (kind) => {
    const { object } = kinds.get(kind)!;
    const { metadata } = object.toJson();
    expect(metadata.annotations['cdk8s-ai-gateway.dev/path']).toBe(object.node.scope!.node.path);
    expect(metadata.labels['app.kubernetes.io/managed-by']).toBe('cdk8s-ai-gateway');
  });
});
