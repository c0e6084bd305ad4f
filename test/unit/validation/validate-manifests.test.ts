import { formatFinding, readManifests, type ValidationOptions, validateManifests } from '../../../src/validation';
import { nearest } from '../../../src/validation/nearest';

const check = (text: string, options?: ValidationOptions) => validateManifests(readManifests(text, 'x.yaml').documents, options);

const route = (spec: string, metadata = '{name: a}') =>
  `apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: ${metadata}\nspec: ${spec}\n`;
const service = (spec: string) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: ${spec.replace('{', '{clusterIP: None, ')}\n`;
const pool = (spec: string) =>
  `apiVersion: inference.networking.k8s.io/v1\nkind: InferencePool\nmetadata: {name: a}\nspec: ${spec}\n`;
const deployment = (container: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [${container}]}}}\n`;

describe('validation finds', () => {
  it.each<[string, string, string[]]>([
    [
      'a field that nobody knows, with the one that was meant',
      route('{parentRef: []}'),
      [
        "AIG010 spec.parentRef is not a field of HTTPRoute in gateway.networking.k8s.io/v1 (kubernetes-sigs/gateway-api v1.6.3) (allowed: hostnames, parentRefs, rules): did you mean 'parentRefs'?",
      ],
    ],
    [
      'a value of the wrong type',
      route('{hostnames: [1]}'),
      ['AIG011 spec.hostnames[0] is a number (got 1; allowed: string): give a string'],
    ],
    [
      'a field that is missing',
      route('{parentRefs: [{}]}'),
      ['AIG012 spec.parentRefs[0].name is missing: add name to spec.parentRefs[0]'],
    ],
    [
      'a value that is not allowed',
      route('{rules: [{matches: [{method: Post}]}]}'),
      [
        `AIG013 spec.rules[0].matches[0].method is not one of the allowed values (got 'Post'; allowed: "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"): did you mean 'POST'?`,
      ],
    ],
    [
      'text of the wrong form',
      route('{rules: [{timeouts: {request: 1 hour}}]}'),
      [
        "AIG014 spec.rules[0].timeouts.request has the wrong form (got '1 hour'; allowed: text that matches ^([0-9]{1,5}(h|m|s|ms)){1,4}$): change it to match",
      ],
    ],
    [
      'a number out of range',
      pool('{selector: {matchLabels: {a: b}}, targetPorts: [{number: 0}], endpointPickerRef: {name: e, port: {number: 70000}}}'),
      [
        'AIG015 spec.targetPorts[0].number is too small (got 0; allowed: at least 1): raise it',
        'AIG015 spec.endpointPickerRef.port.number is too large (got 70000; allowed: at most 65535): lower it',
      ],
    ],
    [
      'a number beyond its type',
      service('{ports: [{port: 2147483648}]}'),
      ['AIG015 spec.ports[0].port is too large (got 2147483648; allowed: at most 2147483647): lower it'],
    ],
    [
      'too many entries',
      pool(
        `{selector: {matchLabels: {a: b}}, endpointPickerRef: {name: e, port: {number: 1}}, targetPorts: [${Array.from({ length: 9 }, (_, i) => `{number: ${i + 1}}`).join(', ')}]}`,
      ),
      ['AIG015 spec.targetPorts has too many entries (got 9; allowed: at most 8 entries): remove or split'],
    ],
    [
      'two ports of a Service that are the same with the default protocol',
      service('{ports: [{name: a, port: 80}, {name: b, port: 80, protocol: TCP}]}'),
      ['AIG042 spec.ports[1] is TCP/80 for the second time: remove one, or take another port'],
    ],
    [
      'an entry of a list that repeats a key, with a default',
      route('{rules: [{matches: [{headers: [{name: a, value: b}, {name: a, value: c}]}]}]}'),
      [
        `AIG016 spec.rules[0].matches[0].headers[1] has the same name as spec.rules[0].matches[0].headers[0] (got {"name":"a"}): remove one of them, or make them differ`,
      ],
    ],
    [
      'forms that exclude each other',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a}\nspec: {gatewayClassName: a, listeners: [{name: a, port: 80, protocol: HTTP}], addresses: [{type: IPAddress, value: x}]}\n',
      [expect.stringMatching(/^AIG017 spec\.addresses\[0\]/) as unknown as string],
    ],
    [
      'a rule of the definition that is broken',
      route('{rules: [{timeouts: {request: 1s, backendRequest: 2s}}]}'),
      [
        expect.stringMatching(
          /^AIG030 spec\.rules\[0\]\.timeouts breaks a rule of its kind about request and backendRequest \(allowed: !\(has\(self\.request\)/,
        ) as unknown as string,
      ],
    ],
    [
      'a name that the kind does not allow',
      service('{ports: [{port: 80}]}').replace('name: a}\nspec', 'name: 1a}\nspec'),
      [expect.stringMatching(/^AIG020 metadata\.name is not a name of this kind \(got '1a'/) as unknown as string],
    ],
    ['no name', route('{}', '{}'), [expect.stringMatching(/^AIG020 metadata\.name is missing/) as unknown as string]],
    [
      'no metadata',
      'apiVersion: v1\nkind: ConfigMap\n',
      [expect.stringMatching(/^AIG020 metadata\.name is missing/) as unknown as string],
    ],
    [
      'a bad label',
      route('{}', '{name: a, labels: {"a b": c, d: "e f"}}'),
      [
        expect.stringMatching(/^AIG021 metadata\.labels\[a b\] is not a label key/) as unknown as string,
        expect.stringMatching(/^AIG021 metadata\.labels\.d is not a label value/) as unknown as string,
      ],
    ],
    [
      'a label that is no text',
      route('{}', '{name: a, labels: {a: true}}'),
      ['AIG011 metadata.labels.a is a boolean (got true; allowed: string): give a string'],
    ],
    [
      'an unknown field of metadata',
      route('{}', '{name: a, lables: {}}'),
      [expect.stringMatching(/^AIG010 metadata\.lables is not a field.*did you mean 'labels'\?$/) as unknown as string],
    ],
    [
      'a bad annotation key',
      route('{}', '{name: a, annotations: {"a b": c}}'),
      [expect.stringMatching(/^AIG022/) as unknown as string],
    ],
    [
      'annotations that are too large',
      route('{}', `{name: a, annotations: {a: ${'x'.repeat(270_000)}}}`),
      [expect.stringMatching(/^AIG022 metadata\.annotations are too large together \(got '270001 bytes'/) as unknown as string],
    ],
    [
      'a namespace on a kind that has none',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n',
      [expect.stringMatching(/^AIG023 metadata\.namespace is set on a kind/) as unknown as string],
    ],
    [
      'a bad namespace and finalizer',
      route('{}', '{name: a, namespace: A, finalizers: ["a b"]}'),
      [
        expect.stringMatching(/^AIG023 metadata\.namespace/) as unknown as string,
        expect.stringMatching(/^AIG023 metadata\.finalizers\[0\]/) as unknown as string,
      ],
    ],
    [
      'a version that is not served',
      'apiVersion: gateway.networking.k8s.io/v7\nkind: BackendTLSPolicy\n',
      [
        "AIG004 BackendTLSPolicy does not exist in gateway.networking.k8s.io/v7 (got 'gateway.networking.k8s.io/v7'; allowed: v1): take one of these versions",
      ],
    ],
    [
      'a kind in the wrong case',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: HttpRoute\n',
      ["AIG004 gateway.networking.k8s.io/v1 has no kind HttpRoute (got 'HttpRoute'): did you mean 'HTTPRoute'?"],
    ],
    [
      'what is no object',
      '- a\n',
      ['AIG002 the document is not a Kubernetes object (got ["a"]): write one object with apiVersion and kind per document'],
    ],
    ['what has no kind', 'apiVersion: v1\nmetadata: {name: a}\n', ['AIG002 kind is missing: give the object a kind']],
    [
      'a quantity that is none',
      deployment('{name: a, image: b, resources: {limits: {memory: 1GB}}}'),
      [
        expect.stringMatching(
          /^AIG017 spec\.template\.spec\.containers\[0\]\.resources\.limits\.memory has none of the allowed forms/,
        ) as unknown as string,
      ],
    ],
    [
      'nothing in what may be text or a number',
      deployment(
        '{name: a, image: b, ports: [{containerPort: 80}], livenessProbe: {httpGet: {port: http}}, resources: {limits: {nvidia.com/gpu: 4, cpu: 0.5}}}',
      ),
      [],
    ],
    [
      'nothing in a null where a field is meant to be left out',
      deployment('{name: a, image: b, command: null}').replace('labels: {a: b}}', 'labels: {a: b}, creationTimestamp: null}'),
      [],
    ],
    [
      'everything at once',
      route('{hostnames: [A_], rules: [{timeouts: {request: 5}, x: 1}], parentRefs: [{}]}', '{name: A}'),
      [
        expect.stringMatching(/^AIG020/) as unknown as string,
        expect.stringMatching(/^AIG014/) as unknown as string,
        expect.stringMatching(/^AIG011/) as unknown as string,
        expect.stringMatching(/^AIG010/) as unknown as string,
        expect.stringMatching(/^AIG012/) as unknown as string,
      ],
    ],
  ])('%s', (_, text, expected) => {
    const told = check(text).map(({ where: _where, ...finding }) =>
      formatFinding(finding).replace(/^error [^:]*: (?=AIG)|^error (?=AIG)/, ''),
    );
    expect(told).toEqual(expected);
  });

  it.each([
    ['a prefix of an annotation in capitals', route('{}', '{name: a, annotations: {Example.com/a: b}}')],
    ['a generated name that ends with a dash', route('{}', '{generateName: a-}')],
    ['a status, which the server drops', `${route('{}')}status: {parents: 7}\n`],
  ])('nothing in %s', (_, text) => {
    expect(check(text)).toEqual([]);
  });

  it('a repeated environment variable as a warning: an API server accepts it', () => {
    expect(check(deployment('{name: a, image: b, env: [{name: A, value: b}, {name: A, value: c}]}'))).toMatchObject([
      { code: 'AIG016', severity: 'warning', field: 'spec.template.spec.containers[0].env[1]' },
    ]);
  });
});

describe('a finding', () => {
  it('has the object, the field, the file and the place', () => {
    expect(check(route('\n  parentRefs:\n    - nam: gw\n', '{name: a, namespace: b}'))[0]).toEqual({
      severity: 'error',
      code: 'AIG010',
      what: expect.any(String),
      allowed: 'group, kind, name, namespace, port, sectionName',
      fix: "did you mean 'name'?",
      where: 'x.yaml:6:7',
      file: 'x.yaml',
      line: 6,
      column: 7,
      field: 'spec.parentRefs[0].nam',
      object: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', namespace: 'b', name: 'a' },
    });
  });

  it('has the construct path, which is where, from the annotation', () => {
    const [finding] = check(route('{x: 1}', '{name: a, annotations: {cdk8s-ai-gateway.dev/path: llm/route}}'));
    expect(finding).toMatchObject({ constructPath: 'llm/route', where: 'llm/route', line: 4 });
    expect(formatFinding(finding!)).toMatch(/^error HTTPRoute a: AIG010 .* \[llm\/route\]$/);
  });

  it('of an object without a file says which object', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'b' },
      spec: { clusterIP: 'None', x: 1 },
    };
    expect(validateManifests([{ value: object }])).toMatchObject([{ where: 'Service b/a' }]);
  });

  it('comes in the order of files and lines', () => {
    const text = `${route('{b: 1, x: 1}')}---\n${service('{z: 1}')}`;
    expect(check(text).map(({ line, field }) => [line, field])).toEqual([
      [4, 'spec.b'],
      [4, 'spec.x'],
      [9, 'spec.z'],
    ]);
  });

  it('of an item of a List stands at the item', () => {
    const text = 'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  x: 1\n';
    expect(check(text)).toMatchObject([{ field: 'x', line: 7, object: { kind: 'ConfigMap', name: 'a' } }]);
  });
});

describe('a kind without a schema', () => {
  const text = 'apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\n';

  it.each<[ValidationOptions['unknownKinds'], unknown]>([
    [undefined, [{ code: 'AIG003', severity: 'warning' }]],
    ['warning', [{ code: 'AIG003', severity: 'warning' }]],
    ['error', [{ code: 'AIG003', severity: 'error' }]],
    ['ignore', []],
  ])('with unknownKinds %s', (unknownKinds, expected) => {
    expect(check(text, unknownKinds === undefined ? {} : { unknownKinds })).toMatchObject(expected as object);
  });
});

describe('options', () => {
  it('choose the channel of Gateway API', () => {
    const text = route('{rules: [{retry: {attempts: 1}}]}');
    expect(check(text).map(({ code }) => code)).toEqual(['AIG129']);
    expect(check(text, { gatewayApiChannel: 'experimental' })).toEqual([]);
  });

  it('choose the Kubernetes version', () => {
    expect(check(service('{ports: [{port: 80}]}'), { kubernetesVersion: '1.34' })).toEqual([]);
  });
});

describe('the nearest name', () => {
  it.each([
    ['hostname', ['hostnames', 'rules'], 'hostnames'],
    ['POST', ['post', 'put'], 'post'],
    ['abc', ['xyz'], undefined],
    ['x'.repeat(100), ['x'], undefined],
    ['a', [], undefined],
  ])('to %s among %j is %s', (given, candidates, expected) => {
    expect(nearest(given, candidates)).toBe(expected);
  });
});
