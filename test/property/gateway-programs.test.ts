import { type App, Chart, Duration, Testing } from 'cdk8s';
import * as fc from 'fast-check';
import {
  Accelerator,
  AiGateway,
  ApiGeneration,
  ClientIdentity,
  Criticality,
  GatewayImplementation,
  InferencePool,
  ModelSource,
  PickerDelivery,
  RateLimitKey,
  TokenStore,
  VllmBackend,
} from '../../src';
import { expectValid } from '../conformance/schemas';
import type { Synthesized } from '../support/examples';

/** A program that a user could have written and that must synthesize. */
interface Program {
  readonly implementation: 'envoyGateway' | 'istio' | 'kong' | 'generic';
  readonly pools: readonly {
    readonly backends: number;
    readonly replicas: number;
    readonly labels: boolean;
    readonly otherNamespace: boolean;
  }[];
  readonly models: readonly {
    readonly name: string;
    readonly pools: readonly number[];
    readonly weights: boolean;
    readonly priority: number;
    readonly aliases: number;
  }[];
  readonly generation: 'V1' | 'V1ALPHA2' | 'V1ALPHA1';
  readonly limit: boolean;
  readonly classes: boolean;
  readonly gatewayNamespace: boolean;
}

const PROGRAMS: fc.Arbitrary<Program> = fc
  .array(
    fc.record({
      backends: fc.integer({ min: 1, max: 3 }),
      replicas: fc.integer({ min: 1, max: 4 }),
      labels: fc.boolean(),
      otherNamespace: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .chain((pools) =>
    fc.record({
      implementation: fc.constantFrom('envoyGateway' as const, 'istio' as const, 'kong' as const, 'generic' as const),
      pools: fc.constant(pools),
      models: fc.uniqueArray(
        fc.record({
          name: fc.stringMatching(/^[a-z][a-z0-9./_-]{0,40}$/),
          pools: fc.uniqueArray(fc.nat(pools.length - 1), { minLength: 1, maxLength: 3 }),
          weights: fc.boolean(),
          priority: fc.integer({ min: -1000, max: 1000 }),
          aliases: fc.integer({ min: 0, max: 2 }),
        }),
        { minLength: 1, maxLength: 6, selector: ({ name }) => name.replace(/[^a-z0-9]+/g, '-') },
      ),
      generation: fc.constantFrom('V1' as const, 'V1ALPHA2' as const, 'V1ALPHA1' as const),
      limit: fc.boolean(),
      classes: fc.boolean(),
      gatewayNamespace: fc.boolean(),
    }),
  );

function synth(program: Program): Synthesized[] {
  const app: App = Testing.app();
  const chart = new Chart(app, 'llm', { namespace: 'ai' });
  const other = new Chart(app, 'serving', { namespace: 'serving' });
  // the old kinds have one pool for a model
  const single = program.generation !== 'V1';
  const pools = program.pools.map((pool, number) => {
    // and must name a picker of their own namespace
    const scope = pool.otherNamespace && !single ? other : chart;
    const backends = Array.from(
      { length: pool.backends },
      (_, index) =>
        new VllmBackend(scope, `engine-${number}-${index}`, {
          model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
          accelerator: Accelerator.nvidia('L40S', { count: 1 }),
          maxModelLengthTokens: 8_192,
          replicas: pool.replicas,
        }),
    );
    return new InferencePool(scope, `pool-${number}`, {
      backends,
      generation: ApiGeneration[program.generation],
      ...(pool.labels ? { selector: { model: `model-${number}` } } : {}),
    });
  });
  const implementation =
    program.implementation === 'generic'
      ? GatewayImplementation.generic({ gatewayClassName: 'x' })
      : GatewayImplementation[program.implementation]();
  const gateway = new AiGateway(chart, 'gateway', {
    implementation,
    picker: { delivery: PickerDelivery.image('registry.example.com/picker:1.0.0') },
    identity: ClientIdentity.apiKeys({ name: 'keys' }),
    tokenStore: TokenStore.redis({ host: 'redis' }),
    ...(program.gatewayNamespace ? { gatewayNamespace: 'gateways' } : {}),
    ...(program.classes ? { headerClasses: { small: program.models[0]!.name } } : {}),
  });
  for (const model of program.models) {
    const targets = (single ? model.pools.slice(0, 1) : model.pools).map((index, position) => ({
      pool: pools[index]!,
      ...(model.weights ? { weight: position + 1 } : {}),
    }));
    gateway.addModel(model.name, {
      targets,
      criticality: Criticality.priority(model.priority),
      aliases: Array.from({ length: model.aliases }, (_, index) => `${model.name}--alias-${index}`),
    });
  }
  if (single) for (const [index, pool] of pools.entries()) gateway.addModel(`own--of--${index}`, { pool });
  if (program.limit) gateway.addTokenRateLimit('limit', { tokens: 10, window: Duration.minutes(1), key: RateLimitKey.client() });
  return [...Testing.synth(chart), ...Testing.synth(other)];
}

describe('random valid programs', () => {
  const runs = { numRuns: Number(process.env['FUZZ_RUNS'] ?? 60) };

  test('always synthesize, the same every time, with unique names', () => {
    fc.assert(
      fc.property(PROGRAMS, (program) => {
        const objects = synth(program);
        expect(JSON.stringify(synth(program))).toBe(JSON.stringify(objects));
        const names = objects.map(
          ({ apiVersion, kind, metadata }) => `${apiVersion.split('/')[0]} ${kind} ${metadata.namespace} ${metadata.name}`,
        );
        expect(new Set(names).size).toBe(names.length);
      }),
      runs,
    );
  });

  test('every selector matches exactly the pods that are meant', () => {
    fc.assert(
      fc.property(PROGRAMS, (program) => {
        const objects = synth(program);
        const pods = objects
          .filter(({ kind }) => kind === 'Deployment')
          .map((deployment) => ({ deployment, ...podOf(deployment) }));
        for (const { deployment, labels, selector } of pods) {
          const matched = pods.filter((pod) => pod.namespace === deployment.metadata.namespace && matches(selector, pod.labels));
          expect([deployment.metadata.name, matched.map((pod) => pod.deployment.metadata.name)]).toEqual([
            deployment.metadata.name,
            [deployment.metadata.name],
          ]);
          expect(matches(selector, labels)).toBe(true);
        }
        for (const [number, pool] of program.pools.entries()) {
          const object = objects.find(({ kind, metadata }) => kind === 'InferencePool' && metadata.name === `pool-${number}`)!;
          const spec = object['spec'] as { selector: any };
          const selector = spec.selector.matchLabels ?? spec.selector;
          const matched = pods.filter((pod) => pod.namespace === object.metadata.namespace && matches(selector, pod.labels));
          expect(matched.map((pod) => pod.deployment.metadata.name).sort()).toEqual(
            Array.from({ length: pool.backends }, (_, index) => `engine-${number}-${index}`),
          );
        }
      }),
      runs,
    );
  });

  test('every document is one that an API server takes', () => {
    fc.assert(
      fc.property(PROGRAMS, (program) => expectValid(synth(program))),
      { numRuns: Math.ceil(runs.numRuns / 3) },
    );
  });
});

function podOf(deployment: Synthesized): { labels: Labels; selector: Labels; namespace: string | undefined } {
  const spec = deployment['spec'] as { selector: { matchLabels: Labels }; template: { metadata: { labels: Labels } } };
  return { labels: spec.template.metadata.labels, selector: spec.selector.matchLabels, namespace: deployment.metadata.namespace };
}

type Labels = { readonly [key: string]: string };

function matches(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}
