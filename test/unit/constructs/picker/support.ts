import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart, type ChartProps, Testing } from 'cdk8s';
import { EndpointPicker, type EndpointPickerProps } from '../../../../src/constructs/endpoint-picker';
import type { PoolReference } from '../../../../src/constructs/internal/pool-reference';
import { ApiGeneration } from '../../../../src/constructs/values/api-generation';
import { PickerDelivery } from '../../../../src/constructs/values/picker-delivery';

/** A pool as the InferencePool construct describes it. */
export function aPool(overrides: Partial<PoolReference> = {}): PoolReference {
  return {
    name: 'llama-pool',
    namespace: 'llm',
    generation: ApiGeneration.V1,
    installed: true,
    podLabels: { app: 'llama' },
    ports: [8000],
    ...overrides,
  };
}

/** A delivery that needs no build. */
export const IMAGE = PickerDelivery.image('registry.example.com/llm/picker:1.2.3');

export interface Made {
  readonly chart: Chart;
  readonly picker: EndpointPicker;
  /** Everything that the chart writes. */
  readonly objects: () => ManifestObject[];
  /** The only object of a kind. */
  readonly only: (kind: string) => ManifestObject;
}

/** An object as it is written; tests read arbitrary depths of it. */
export type ManifestObject = any;

/** One picker in a chart of namespace `llm`, reachable from a gateway. */
export function aPicker(props: Partial<EndpointPickerProps> = {}, chartProps: ChartProps = { namespace: 'llm' }): Made {
  const chart = new Chart(new App(), 'chart', chartProps);
  const picker = new EndpointPicker(chart, 'picker', { pool: aPool(), delivery: IMAGE, ...props });
  picker.allowFrom({ podLabels: { app: 'gateway' }, namespaceLabels: { 'kubernetes.io/metadata.name': 'gateways' } });
  const objects = () => Testing.synth(chart);
  return { chart, picker, objects, only: (kind) => onlyOf(objects(), kind) };
}

export function onlyOf(objects: readonly ManifestObject[], kind: string): ManifestObject {
  // beside the Service of a picker there is the one by which its replicas find each other
  const found = objects.filter((object) => object.kind === kind && !(kind === 'Service' && object.spec.clusterIP === 'None'));
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return found[0];
}

/** The picker's container in a Deployment. */
export function containerOf(deployment: ManifestObject): ManifestObject {
  return deployment.spec.template.spec.containers.find((container: ManifestObject) => container.name === 'endpoint-picker');
}

/** Writes a program and gives its path. */
export function aProgram(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'picker-program-')), 'program.js');
  writeFileSync(file, text);
  return file;
}

/** Text that compresses badly, so that a program becomes as large as wanted; the same every time. */
export function noise(bytes: number): string {
  let state = 1;
  const chars: string[] = [];
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    chars.push(String.fromCharCode(35 + ((state >>> 24) % 56)));
  }
  return chars.join('').replaceAll('\\', '/');
}
