import { Duration, Size } from 'cdk8s';
import { parse } from 'yaml';
import {
  GatewayImplementation,
  RateLimitKey,
  SecretReference,
  SmallValkey,
  type SmallValkeyProps,
  warningsBelow,
} from '../../../src';
import { formatFinding, validateManifests } from '../../../src/validation';
import { expectValid } from '../../conformance/schemas';
import { GatewayProgram, ofKind, only, refusal } from '../../support/gateway-program';

function program(props?: SmallValkeyProps): GatewayProgram & { readonly store: SmallValkey } {
  const made = new GatewayProgram();
  const store = new SmallValkey(made.chart, 'store', props);
  const gateway = made.gateway(GatewayImplementation.kong(), { tokenStore: store.tokenStore });
  gateway.addModel('m', { pool: made.pool('one') });
  gateway.addTokenRateLimit('all', { tokens: 1_000, window: Duration.hours(1), key: RateLimitKey.everything() });
  return Object.assign(made, { store });
}

const PASSWORD = SecretReference.fromSecretName('store-password', 'password');

test('is where the pickers of a gateway count, with its password, and there are two of them', () => {
  const objects = program({ password: PASSWORD }).synth();
  const { store } = parse(ofKind(objects, 'ConfigMap')['gw-proxy-config'].data['policy.yaml']);
  expect(store.redis).toMatchObject({ address: 'store.ai.svc:6379', passwordFile: '/etc/picker-store/password' });
  expect(ofKind(objects, 'Deployment')['gw-proxy'].spec.replicas).toBe(2);
  const [container] = only(objects, 'StatefulSet').spec.template.spec.containers;
  expect(container.args.join(' ')).toContain('--requirepass $(VALKEY_PASSWORD)');
  expect(container.env).toEqual([
    { name: 'VALKEY_PASSWORD', valueFrom: { secretKeyRef: { name: 'store-password', key: 'password' } } },
  ]);
});

test('is nobody’s but the namespace’s, without root, with a root folder that cannot be written', () => {
  const objects = program({ password: PASSWORD }).synth();
  const { spec } = only(objects, 'StatefulSet').spec.template;
  expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 999 });
  expect(spec.containers[0].securityContext).toMatchObject({ readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  expect(ofKind(objects, 'NetworkPolicy')['store'].spec).toMatchObject({
    ingress: [{ from: [{ podSelector: { matchLabels: {} } }], ports: [{ protocol: 'TCP', port: 6379 }] }],
    policyTypes: ['Ingress', 'Egress'],
  });
});

test('keeps what it counted on a volume that outlives the pod, where that is asked for', () => {
  const kept = only(
    program({ password: PASSWORD, storage: Size.gibibytes(1), storageClassName: 'fast' }).synth(),
    'StatefulSet',
  ).spec;
  expect(kept.volumeClaimTemplates[0].spec).toEqual({
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'fast',
    resources: { requests: { storage: '1024Mi' } },
  });
  expect(kept.template.spec.volumes).toBeUndefined();
  const lost = only(program({ password: PASSWORD }).synth(), 'StatefulSet').spec;
  expect([lost.volumeClaimTemplates, lost.template.spec.volumes]).toEqual([
    undefined,
    [{ name: 'data', emptyDir: { sizeLimit: '1Gi' } }],
  ]);
});

test('without a password the user is told', () => {
  const { chart } = program();
  expect(warningsBelow(chart).map(({ message }) => message)).toContainEqual(expect.stringContaining('the store has no password'));
});

test.each([
  ['a volume', { password: PASSWORD, storage: Size.gibibytes(1) }],
  ['nothing', undefined],
])('its objects pass their schemas and every rule, with %s', (_, props) => {
  const objects = program(props).synth();
  expectValid(objects);
  const findings = validateManifests(
    objects.map((value) => ({ value })),
    { rules: 'all' },
  );
  expect(findings.filter(({ severity }) => severity !== 'hint').map(formatFinding)).toEqual([]);
});

test.each([
  ['a volume that is too small', { storage: Size.mebibytes(8) }, /AIG494 .*got '8 MiB'/],
  ['a class without a volume', { storageClassName: 'fast' }, /AIG494 .*got 'fast'/],
  ['a name that is none', { name: 'My Store' }, /AIG436/],
])('%s is refused', (_, props, message) => {
  expect(refusal(() => program(props).synth())).toMatch(message);
});
