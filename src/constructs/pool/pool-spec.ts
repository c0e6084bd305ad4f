import type { InferencePoolSpec } from '../../../imports/inference.networking.k8s.io';
import { ApiGeneration } from '../values/api-generation';
import type { FailureMode } from '../values/failure-mode';

interface PickerService {
  readonly serviceName: string;
  readonly port: number;
}

/** `spec` of an InferencePool in the generation that the cluster runs. The older ones must have a picker. */
export function poolSpec(
  generation: ApiGeneration,
  podLabels: { readonly [key: string]: string },
  ports: readonly number[],
  failureMode: FailureMode,
  picker: PickerService | undefined,
): unknown {
  if (generation === ApiGeneration.V1) return v1Spec(podLabels, ports, failureMode, picker);
  const port = generation === ApiGeneration.V1ALPHA1 ? { targetPortNumber: picker?.port } : { portNumber: picker?.port };
  return {
    selector: podLabels,
    targetPortNumber: ports[0],
    extensionRef: { name: picker?.serviceName, ...port, failureMode: failureMode.name },
  };
}

function v1Spec(
  podLabels: { readonly [key: string]: string },
  ports: readonly number[],
  failureMode: FailureMode,
  picker: PickerService | undefined,
): InferencePoolSpec {
  return {
    selector: { matchLabels: { ...podLabels } },
    targetPorts: ports.map((number) => ({ number })),
    ...(picker === undefined
      ? {}
      : {
          endpointPickerRef: {
            name: picker.serviceName,
            port: { number: picker.port },
            failureMode: failureMode.name,
          },
        }),
  };
}
