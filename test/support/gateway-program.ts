import { type App, Chart, Testing } from 'cdk8s';
import {
  Accelerator,
  AiGateway,
  type AiGatewayProps,
  GatewayImplementation,
  InferencePool,
  type InferencePoolProps,
  ModelSource,
  PickerDelivery,
  VllmBackend,
} from '../../src';
import type { Synthesized } from './examples';

/** A chart in namespace `ai`, with short ways to make what most gateway tests need. */
export class GatewayProgram {
  public readonly app: App = Testing.app();
  public readonly chart = new Chart(this.app, 'llm', { namespace: 'ai' });

  public backend(id: string, scope: Chart = this.chart): VllmBackend {
    return new VllmBackend(scope, id, {
      model: ModelSource.huggingFace('Qwen/Qwen2.5-7B-Instruct'),
      accelerator: Accelerator.nvidia('L40S', { count: 1 }),
      maxModelLengthTokens: 8_192,
    });
  }

  public pool(id: string, props: Partial<InferencePoolProps> = {}): InferencePool {
    return new InferencePool(this.chart, id, { backend: this.backend(`${id}-engine`), ...props });
  }

  /** A gateway `gw` whose picker comes from a registry, so that no test depends on a built picker. */
  public gateway(implementation: GatewayImplementation, props: Partial<AiGatewayProps> = {}): AiGateway {
    return new AiGateway(this.chart, 'gw', {
      implementation,
      ...props,
      picker: { delivery: PickerDelivery.image('registry.example.com/picker:1.0.0'), ...props.picker },
    });
  }

  public synth(chart: Chart = this.chart): Synthesized[] {
    return Testing.synth(chart);
  }
}

export const IMPLEMENTATIONS: readonly (readonly [string, () => GatewayImplementation])[] = [
  ['envoy-gateway', () => GatewayImplementation.envoyGateway()],
  ['istio', () => GatewayImplementation.istio()],
  ['kong', () => GatewayImplementation.kong()],
  ['generic', () => GatewayImplementation.generic({ gatewayClassName: 'other' })],
];

/** The objects of one kind, by name. */
export function ofKind(objects: readonly Synthesized[], kind: string): { [name: string]: any } {
  return Object.fromEntries(objects.filter((object) => object.kind === kind).map((object) => [object.metadata.name, object]));
}

/** The only object of a kind. */
export function only(objects: readonly Synthesized[], kind: string): any {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1)
    throw new Error(`${found.length} objects of kind ${kind}: ${found.map(({ metadata }) => metadata.name)}`);
  return found[0];
}

/** Runs `program` and returns the message of the error that it throws, at construction or at synthesis. */
export function refusal(program: () => unknown): string {
  try {
    program();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('nothing was refused');
}
