import fc from 'fast-check';
import { formatEndpointPickerConfig } from '../../src/picker-config/endpoint-picker-config';
import { parseEndpointPickerConfig } from '../../src/picker-config/endpoint-picker-config-parser';
import { parseFlags } from '../../src/picker-config/flag-parser';
import { PICKER_FLAGS } from '../../src/picker-config/flags';
import { formatPickerPolicy } from '../../src/picker-config/picker-policy-format';
import { parsePickerPolicy } from '../../src/picker-config/picker-policy-parser';
import { formatProblem } from '../../src/shared/problem';

const WORDS = [
  'apiVersion: llm-d.ai/v1alpha1\n',
  'apiVersion: cdk8s-ai-gateway.dev/v1alpha1\n',
  'kind: EndpointPickerConfig\n',
  'kind: PickerPolicy\n',
  ...'plugins schedulingProfiles dataLayer flowControl pools models limits identity store name type key source pluginRef'.split(
    ' ',
  ),
  ...[
    ': ',
    '\n',
    '\n  ',
    '\n- ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '&a ',
    '*a',
    '"',
    "'",
    '|',
    '? ',
    '!!',
    '<<',
    '~',
    '1',
    '-1',
    '.inf',
    '0x1F',
    '...',
    '---\n',
  ],
];
const yamlLike = fc
  .array(fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 4 })), { maxLength: 40 })
  .map((parts) => parts.join(''));
const text = fc.oneof(
  yamlLike,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString()),
  fc.json(),
);

// a JSON document of about the right shape reaches far more of the readers than noise does
const KEYS = [
  'name',
  'type',
  'parameters',
  'plugins',
  'pluginRef',
  'weight',
  'endpoints',
  'file',
  'path',
  'dns',
  'ports',
  'targets',
  'pool',
  'aliases',
  'adapters',
  'redis',
  'source',
  'key',
  'bands',
  'values',
  'header',
  '__proto__',
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.constantFrom('a', 'header', 'jwt', 'tokens', '1s'), fc.integer(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...KEYS), tie('tree'), { maxKeys: 6 }),
  ),
}));
const SECTIONS = [
  'plugins',
  'schedulingProfiles',
  'dataLayer',
  'flowControl',
  'pools',
  'models',
  'classes',
  'identity',
  'limits',
  'store',
  'priorities',
];
const shaped = fc
  .tuple(fc.constantFrom('EndpointPickerConfig', 'PickerPolicy'), fc.dictionary(fc.constantFrom(...SECTIONS), tree))
  .map(([kind, sections]) => {
    const apiVersion = kind === 'PickerPolicy' ? 'cdk8s-ai-gateway.dev/v1alpha1' : 'llm-d.ai/v1alpha1';
    return JSON.stringify({ apiVersion, kind, ...sections });
  });

test('any text is a configuration or has problems with a place, and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(text, shaped), (input) => {
      const config = parseEndpointPickerConfig(input, 'f');
      const policy = parsePickerPolicy(input, 'f');
      expect(config.config === undefined).toBe(config.problems.length > 0);
      expect(policy.policy === undefined).toBe(policy.problems.length > 0);
      for (const problem of [...config.problems, ...policy.problems]) {
        expect(formatProblem(problem)).toMatch(/^AIG5\d\d [\s\S]* \[f:\d+:\d+\]$/);
      }
    }),
    { numRuns: 400 },
  );
});

test('what is read can be written and read again', () => {
  fc.assert(
    fc.property(shaped, (input) => {
      const { config } = parseEndpointPickerConfig(input, 'f');
      if (config !== undefined) expect(parseEndpointPickerConfig(formatEndpointPickerConfig(config), 'f').config).toEqual(config);
      const { policy } = parsePickerPolicy(input, 'f');
      if (policy !== undefined) expect(parsePickerPolicy(formatPickerPolicy(policy), 'f').policy).toEqual(policy);
    }),
    { numRuns: 400 },
  );
});

test('any command line is read or has problems, and never throws', () => {
  const word = fc.oneof(
    fc.constantFrom(...PICKER_FLAGS.map(({ name }) => `--${name}`), '-', '--', '='),
    fc.string({ maxLength: 6 }),
    fc
      .tuple(fc.constantFrom(...PICKER_FLAGS.map(({ name }) => name)), fc.string({ maxLength: 6 }))
      .map(([name, value]) => `--${name}=${value}`),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
      for (const problem of parseFlags(argv).problems) expect(formatProblem(problem)).toMatch(/^AIG52\d /);
    }),
    { numRuns: 400 },
  );
});
