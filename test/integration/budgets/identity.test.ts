import { writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describeWith } from '../../components/describe-with';
import { keySet, TokenIssuer } from '../../support/token-issuer';
import { connectionManager, holds, PickerBehindEnvoy, scratchFolder } from './behind-envoy';

const policy = (folder: string, identity: string, key: string): string => `apiVersion: cdk8s-ai-gateway.dev/v1alpha1
kind: PickerPolicy
pools: [{ name: echo, endpoints: { file: { path: ${folder}/echo.yaml } } }]
models: [{ name: llama, targets: [{ pool: echo }] }]
identity: ${identity}
limits: [{ name: wide, unit: tokens, amount: 1000000, windowSeconds: 3600, key: ${key} }]
`;

/** The Envoy of a gateway that verifies tokens itself, and tells the picker in metadata rather than in headers. */
function verifyingEnvoy(issuer: TokenIssuer): (bootstrap: object) => void {
  return (bootstrap) => {
    const filters = connectionManager(bootstrap).http_filters;
    const provider = {
      issuer: issuer.url,
      audiences: ['llm'],
      local_jwks: { inline_string: keySet(issuer) },
      payload_in_metadata: 'token',
    };
    const config = {
      providers: { client: provider },
      rules: [{ match: { prefix: '/' }, requires: { provider_name: 'client' } }],
    };
    const type = 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication';
    const extProc = filters.find(({ name }) => name.includes('ext_proc'))!;
    const options = extProc.typed_config['metadata_options'] as Record<string, unknown>;
    options['forwarding_namespaces'] = { untyped: ['envoy.filters.http.jwt_authn'] };
    filters.splice(filters.indexOf(extProc), 0, {
      name: 'envoy.filters.http.jwt_authn',
      typed_config: { '@type': type, ...config },
    });
  };
}

describeWith(['envoy'], 'tokens of clients behind real Envoy', ({ envoy }) => {
  const issuer = new TokenIssuer('https://issuer.example');
  const claims = { iss: issuer.url, aud: 'llm', exp: Math.floor(Date.now() / 1e3) + 3_600 };
  const as = (sub: string, more: object = {}): Record<string, string> => ({
    authorization: `Bearer ${issuer.sign({ ...claims, sub, org: { name: `org-of-${sub}` }, plan: 'gold', ...more })}`,
  });
  const forged = { 'x-aig-client-id': 'victim', 'x-aig-tenant': 'victim' };
  let echo: Server;
  let seen: IncomingHttpHeaders = {};

  beforeAll(async () => {
    echo = createServer((incoming, answer) => {
      seen = incoming.headers;
      incoming.resume().on('end', () => {
        answer.setHeader('content-type', 'application/json');
        const usage = { prompt_tokens: 10, completion_tokens: 10 };
        answer.end(JSON.stringify({ object: 'chat.completion', model: 'llama', choices: [], usage }));
      });
    });
    await new Promise<void>((done) => echo.listen(0, '127.0.0.1', done));
  });

  afterAll(() => echo?.close());

  async function start(identity: string, key: string, change?: (bootstrap: object) => void) {
    const { folder, remove } = scratchFolder();
    const { port } = echo.address() as AddressInfo;
    writeFileSync(
      path.join(folder, 'echo.yaml'),
      JSON.stringify({ endpoints: [{ name: 'e', address: '127.0.0.1', port: String(port) }] }),
    );
    writeFileSync(path.join(folder, 'jwks.json'), keySet(issuer));
    writeFileSync(path.join(folder, 'policy.yaml'), policy(folder, identity.replace('FOLDER', folder), key));
    const world = await PickerBehindEnvoy.start(envoy, folder, { echo: port }, change);
    const counted = async (): Promise<unknown[]> => (await world.limits())[0]!.highest.map((entry) => entry['key']).sort();
    const stop = async (): Promise<void> => {
      await world.stop();
      remove();
    };
    return { world, folder, counted, stop };
  }

  test('the picker verifies a token, counts by its claim, and lets nobody forge a client', async () => {
    const identity = `{ source: jwt, issuer: '${issuer.url}', audiences: [llm], jwksFile: FOLDER/jwks.json, tenantClaim: org.name }`;
    const { world, folder, counted, stop } = await start(identity, '{ source: claim, name: plan }');
    expect((await world.chat({ ...as('alice'), ...forged })).status).toBe(200);
    expect([seen['authorization'], seen['x-aig-client-id'], seen['x-aig-tenant']]).toEqual([undefined, undefined, undefined]);
    await holds(async () => expect(await counted()).toEqual(['gold']));
    expect(await world.metric('aig_picker_tokens_total', 'client="alice"')).toBe(20);
    const refused = await world.chat({ ...as('alice', { aud: 'web' }), ...forged });
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"']);
    expect((await world.chat(forged)).status).toBe(401);
    const next = new TokenIssuer(issuer.url, 'RS256');
    writeFileSync(path.join(folder, 'jwks.json'), keySet(next));
    await holds(async () => expect((await world.chat(as('alice'))).status).toBe(401));
    expect((await world.chat({ authorization: `Bearer ${next.sign({ ...claims, sub: 'alice' })}` })).status).toBe(200);
    await stop();
  }, 60_000);

  test('the picker believes what the proxy’s own filter found out, in metadata that no client can write', async () => {
    const identity =
      '{ source: metadata, namespace: envoy.filters.http.jwt_authn, clientKey: token.sub, tenantKey: token.org.name }';
    const { world, counted, stop } = await start(identity, '{ source: tenant }', verifyingEnvoy(issuer));
    for (const name of ['alice', 'bob']) expect((await world.chat({ ...as(name), ...forged })).status).toBe(200);
    await holds(async () => expect(await counted()).toEqual(['org-of-alice', 'org-of-bob']));
    expect(await world.metric('aig_picker_tokens_total', 'client="bob"')).toBe(20);
    expect((await world.chat(forged)).status).toBe(401);
    expect((await world.chat(as('', {}))).status).toBe(401);
    await stop();
  }, 60_000);

  test('without the filter nobody is known, whatever a client sends', async () => {
    const identity = '{ source: metadata, namespace: envoy.filters.http.jwt_authn, clientKey: token.sub }';
    const { world, stop } = await start(identity, '{ source: client }');
    expect((await world.chat({ ...as('alice'), ...forged })).status).toBe(401);
    await stop();
  }, 60_000);
});
