import { checkPlugins } from '../../../src/picker-config/check-plugins';
import { EMPTY_ENDPOINT_PICKER_CONFIG, formatEndpointPickerConfig } from '../../../src/picker-config/endpoint-picker-config';
import { parseEndpointPickerConfig } from '../../../src/picker-config/endpoint-picker-config-parser';
import { PLUGIN_CATALOGUE } from '../../../src/picker-config/plugin-catalogue';
import { formatProblem } from '../../../src/shared/problem';

const HEAD = 'apiVersion: llm-d.ai/v1alpha1\nkind: EndpointPickerConfig\n';

const FULL = `${HEAD}featureGates:
  - flowControl
  - haPopulateNonLeaderDatastore=false
plugins:
  - name: files
    type: file-discovery
    parameters:
      path: /tmp/endpoints.yaml
      watchFile: true
  - type: queue-scorer
  - type: metrics-data-source
  - type: core-metrics-extractor
  - type: utilization-detector
  - type: openai-parser
  - type: round-robin-fairness-policy
schedulingProfiles:
  - name: default
    plugins:
      - pluginRef: queue-scorer
        weight: 2.5
dataLayer:
  injectDefaults: false
  sources:
    - pluginRef: metrics-data-source
      extractors:
        - pluginRef: core-metrics-extractor
  discovery:
    pluginRef: files
flowControl:
  maxBytes: 1Gi
  maxRequests: 5k
  defaultRequestTTL: 1m30s
  noEndpointRequestTTL: 10m
  priorityBands:
    - priority: 100
      maxRequests: 50
      fairnessPolicyRef: round-robin-fairness-policy
  saturationDetector:
    pluginRef: utilization-detector
requestHandler:
  parsers:
    - pluginRef: openai-parser
`;

function faults(text: string): string[] {
  return parseEndpointPickerConfig(text, 'epp.yaml').problems.map(formatProblem);
}

test('a whole configuration is read and written back as it stands', () => {
  const { config, problems, warnings } = parseEndpointPickerConfig(FULL, 'epp.yaml');
  expect(problems).toEqual([]);
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    featureGates: { flowControl: true, haPopulateNonLeaderDatastore: false },
    dataLayer: { injectDefaults: false, discovery: 'files', sources: [{ extractors: ['core-metrics-extractor'] }] },
    flowControl: { maxBytes: 2 ** 30, maxRequests: 5000, defaultRequestTtlMs: 90_000, noEndpointRequestTtlMs: 600_000 },
    parsers: ['openai-parser'],
  });
  expect(config!.plugins[0]).toEqual({
    name: 'files',
    type: 'file-discovery',
    parameters: { path: '/tmp/endpoints.yaml', watchFile: true },
  });
  expect(config!.flowControl.priorityBands[0]).toMatchObject({ priority: 100, maxRequests: 50, maxBytes: 1e9 });
  expect(formatEndpointPickerConfig(config!)).toBe(FULL);
});

test('JSON is read as well', () => {
  const { config } = parseEndpointPickerConfig(
    '{"apiVersion":"llm-d.ai/v1alpha1","kind":"EndpointPickerConfig","plugins":[{"type":"queue-scorer"}]}',
    'x',
  );
  expect(config!.plugins).toEqual([{ name: 'queue-scorer', type: 'queue-scorer' }]);
});

test('a configuration that says nothing has the defaults, and is written as two lines', () => {
  expect(parseEndpointPickerConfig(HEAD, 'x').config).toEqual(EMPTY_ENDPOINT_PICKER_CONFIG);
  expect(formatEndpointPickerConfig(EMPTY_ENDPOINT_PICKER_CONFIG)).toBe(HEAD);
});

test('deprecated spellings are accepted with a warning, and the successor goes first', () => {
  const text = `apiVersion: inference.networking.x-k8s.io/v1alpha1
kind: EndpointPickerConfig
plugins: [{name: old, type: utilization-detector}, {name: new, type: utilization-detector}, {name: p, type: openai-parser}]
saturationDetector: {pluginRef: old}
parser: {pluginRef: p}
`;
  const { config, warnings } = parseEndpointPickerConfig(text, 'epp.yaml');
  expect(config).toMatchObject({ flowControl: { saturationDetector: 'old' }, parsers: ['p'] });
  expect(warnings.map((warning) => warning.where)).toEqual(['epp.yaml:1:13', 'epp.yaml:4:21', 'epp.yaml:5:9']);
  const both = parseEndpointPickerConfig(`${text}flowControl: {saturationDetector: {pluginRef: new}}\n`, 'epp.yaml');
  expect(both.config!.flowControl.saturationDetector).toBe('new');
});

test('instances that llm-d makes by itself may be referred to without being listed', () => {
  const { config } = parseEndpointPickerConfig(`${HEAD}requestHandler: {parsers: [{pluginRef: openai-parser}]}\n`, 'x');
  expect(config!.plugins).toEqual([{ name: 'openai-parser', type: 'openai-parser' }]);
});

test('YAML anchors stand for what they name', () => {
  const text = `${HEAD}plugins:\n- {type: file-discovery, parameters: &p {path: a}}\n- {name: b, type: file-discovery, parameters: *p}\n`;
  expect(parseEndpointPickerConfig(text, 'x').config!.plugins[1]!.parameters).toEqual({ path: 'a' });
});

test.each([
  ['no text', '', 'AIG500 the file is empty', '1:1'],
  ['broken YAML', `${HEAD}plugins: [`, 'AIG500 not valid YAML', '3:11'],
  ['a key twice', `${HEAD}kind: EndpointPickerConfig`, 'AIG500 a key is given twice', '3:1'],
  ['a list', '[1]', "AIG503 the file has a wrong value (got 'a list'", '1:1'],
  ['a key that is a list', `${HEAD}? [a]\n: b`, 'AIG500 a key is not a text', '3:3'],
  ['no apiVersion', 'kind: EndpointPickerConfig', "AIG504 'apiVersion' is missing", '1:1'],
  [
    'a later apiVersion',
    'apiVersion: llm-d.ai/v1\nkind: EndpointPickerConfig',
    "AIG501 this apiVersion is not supported (got 'llm-d.ai/v1'",
    '1:13',
  ],
  ['our policy', 'apiVersion: llm-d.ai/v1alpha1\nkind: PickerPolicy', 'give this file with --policy-file', '2:7'],
  ['an unknown key', `${HEAD}plugin: []`, "AIG502 unknown key 'plugin'", '3:1'],
  ['an unknown key with a near one', `${HEAD}schedulingProfile: []`, "did you mean 'schedulingProfiles'?", '3:1'],
  ['an unknown key below', `${HEAD}plugins: [{typ: a, type: b}]`, "AIG502 unknown key 'plugins[0].typ'", '3:12'],
  ['a plugin without a type', `${HEAD}plugins: [{name: a}]`, "AIG504 'plugins[0].type' is missing", '3:11'],
  ['a plugin twice', `${HEAD}plugins: [{type: a}, {type: a}]`, "AIG505 two plugins have the same name (got 'a')", '3:22'],
  [
    'parameters of a wrong type',
    `${HEAD}plugins: [{type: a, parameters: [1]}]`,
    "'plugins[0].parameters' has a wrong value",
    '3:33',
  ],
  [
    'a profile twice',
    `${HEAD}schedulingProfiles: [{name: a, plugins: []}, {name: a, plugins: []}]`,
    'AIG505 two scheduling profiles',
    '3:46',
  ],
  [
    'a profile without plugins',
    `${HEAD}schedulingProfiles: [{name: a}]`,
    "AIG504 'schedulingProfiles[0].plugins' is missing",
    '3:22',
  ],
  [
    'a reference to nothing',
    `${HEAD}schedulingProfiles: [{name: a, plugins: [{pluginRef: b}]}]`,
    "AIG506 no plugin is named 'b' (allowed: nothing",
    '3:54',
  ],
  [
    'a negative weight',
    `${HEAD}plugins: [{type: a}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: a, weight: -1}]}]`,
    'allowed: at least 0',
    '4:65',
  ],
  [
    'a weight that is a text',
    `${HEAD}plugins: [{type: a}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: a, weight: two}]}]`,
    "got 'two'; allowed: a number",
    '4:65',
  ],
  ['an unknown gate', `${HEAD}featureGates: [flowcontrol]`, "did you mean 'flowControl'?", '3:16'],
  ['a gate set to something', `${HEAD}featureGates: [flowControl=yes]`, "got 'yes'; allowed: true, false", '3:16'],
  ['a switch that is a text', `${HEAD}dataLayer: {injectDefaults: no}`, "got 'no'; allowed: true, false", '3:29'],
  ['a duration without a unit', `${HEAD}flowControl: {defaultRequestTTL: 60}`, 'a duration such as', '3:34'],
  ['a quantity with a wrong suffix', `${HEAD}flowControl: {maxBytes: 1X}`, 'a quantity such as', '3:25'],
  [
    'a band twice',
    `${HEAD}flowControl: {priorityBands: [{priority: 1}, {priority: 1}]}`,
    'AIG505 two bands have the same priority',
    '3:46',
  ],
  ['nesting without end', `${HEAD}plugins: ${'['.repeat(100)}${']'.repeat(100)}`, 'nests deeper than 64 levels', '1:1'],
  ['an anchor that contains itself', `${HEAD}plugins: &a [*a]`, 'nests deeper', '1:1'],
  ['too large', `# ${'x'.repeat(1 << 20)}`, 'AIG500 the file is too large', '1:1'],
])('%s is refused with its place', (_, text, message, at) => {
  const found = faults(text);
  expect(found).toContainEqual(expect.stringContaining(message));
  expect(found.find((fault) => fault.includes(message))).toMatch(new RegExp(`\\[epp\\.yaml:${at}\\]$`));
});

test('all faults are found at once', () => {
  expect(
    faults(`${HEAD}plugin: []\nfeatureGates: [x]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: b}]}]\n`),
  ).toHaveLength(3);
});

test('aliases that multiply are refused quickly', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  expect(faults(lines.join('\n'))).toEqual([expect.stringContaining('expands to more than')]);
});

test('a path that is not in the file has the place of its nearest ancestor', () => {
  const { locate } = parseEndpointPickerConfig(FULL, 'f');
  expect(locate('plugins[0].parameters.path')).toBe('f:10:13');
  expect(locate('plugins[0].parameters.nothing[3].there')).toBe('f:10:7');
  expect(locate('plugins[99]')).toBe('f:7:3');
  expect(locate('nothing')).toBe('f:1:1');
});

describe('plugins', () => {
  const support = {
    supported: new Set(['queue-scorer', 'file-discovery', 'utilization-filter', 'circuit-breaker', 'our-scorer']),
    allowExperimental: false,
  };
  const check = (text: string, allowExperimental = false): string[] => {
    const { config, problems, locate } = parseEndpointPickerConfig(HEAD + text, 'f');
    expect(problems).toEqual([]);
    return checkPlugins(config!, { ...support, allowExperimental }, locate).map(formatProblem);
  };

  test.each([
    [
      'a type that nobody knows',
      'plugins: [{type: queue-scorr}]',
      "AIG507 there is no plugin type 'queue-scorr': did you mean 'queue-scorer'?",
      '3:18',
    ],
    [
      'a type of llm-d that is missing here',
      'plugins: [{type: latency-scorer}]',
      "AIG508 llm-d's plugin type 'latency-scorer' is not supported",
      '3:18',
    ],
    ['an Alpha type', 'plugins: [{type: utilization-filter}]', 'start the picker with --allow-experimental-plugins', '3:18'],
    [
      'discovery in a profile',
      'plugins: [{type: file-discovery}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: file-discovery}]}]',
      "AIG509 plugin 'file-discovery' has no effect here",
      '4:54',
    ],
    [
      'what holds for every profile in one',
      'plugins: [{type: circuit-breaker}]\nschedulingProfiles: [{name: a, plugins: [{pluginRef: circuit-breaker}]}]',
      "got 'circuit-breaker, a signal'; allowed: filter, scorer, picker",
      '4:54',
    ],
    [
      'a scorer as discovery',
      'plugins: [{type: queue-scorer}]\ndataLayer: {discovery: {pluginRef: queue-scorer}}',
      "got 'queue-scorer, a scorer'; allowed: discovery",
      '4:36',
    ],
  ])('%s is refused', (_, text, message, at) => {
    expect(check(text)).toEqual([expect.stringContaining(message)]);
    expect(check(text)[0]).toContain(`[f:${at}]`);
  });

  test('an Alpha type loads with leave, and a type of our own always', () => {
    expect(check('plugins: [{type: utilization-filter}, {type: our-scorer}]', true)).toEqual([]);
  });

  test('the catalogue has every type once, and a way out for what may be missing', () => {
    expect(PLUGIN_CATALOGUE.size).toBe(98);
    expect([...PLUGIN_CATALOGUE.values()].filter(({ kinds }) => kinds.length === 0)).toEqual([]);
  });
});
