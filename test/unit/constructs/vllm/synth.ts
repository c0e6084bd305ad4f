import { App, Chart, Testing } from 'cdk8s';
import { AiGatewayError } from '../../../../src/constructs/internal/errors';
import { Accelerator } from '../../../../src/constructs/values/accelerator';
import { ModelSource } from '../../../../src/constructs/values/model-source';
import { SecretReference } from '../../../../src/constructs/values/secret-reference';
import { VllmBackend } from '../../../../src/constructs/vllm-backend';
import type { VllmBackendProps } from '../../../../src/constructs/vllm-backend-props';

export const LLAMA_8B = ModelSource.huggingFace('meta-llama/Llama-3.1-8B-Instruct', {
  token: SecretReference.fromSecretName('hugging-face', 'token'),
});

/** A backend that needs nothing further: a small model on a large GPU. */
export function backend(props: Partial<VllmBackendProps> = {}, id = 'llama'): VllmBackend {
  const chart = new Chart(new App(), 'llm', { namespace: 'ai' });
  return new VllmBackend(chart, id, { model: LLAMA_8B, accelerator: Accelerator.nvidia('H100'), ...props });
}

export type Manifest = any;

/** The manifests of the chart around `construct`. */
export function manifests(construct: VllmBackend): Manifest[] {
  return Testing.synth(Chart.of(construct));
}

export function objectOf(construct: VllmBackend, kind: string): Manifest {
  return manifests(construct).find((manifest) => manifest.kind === kind);
}

/** The engine's pod spec. */
export function podOf(construct: VllmBackend): Manifest {
  return objectOf(construct, 'Deployment').spec.template.spec;
}

export function engineOf(construct: VllmBackend): Manifest {
  return podOf(construct).containers[0];
}

/** Codes of all problems that `make` is refused with; empty when it is not. */
export function refusal(make: () => unknown): AiGatewayError | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (AiGatewayError.isAiGatewayError(error)) return error;
    throw error;
  }
}

export function codes(make: () => unknown): string[] {
  return refusal(make)?.problems.map((problem) => problem.code) ?? [];
}
