import { PICKER_RUNTIME_VARIABLES } from '../../picker-config/runtime';
import { grpcProbe, tcpProbe } from '../kube/grpc-probe';
import { type Container, containerSecurityContext, type EnvVar, type VolumeMount } from '../kube/pod-template';
import { BUNDLE_FOLDER, UNPACK_FOLDER, UNPACK_VARIABLE } from './delivery/bundle-config-maps';
import { LOADER_KEY } from './delivery/loader-script';
import type { PickerInput } from './input';
import type { EndpointPickerOptions } from './options';
import {
  EXT_PROC_PORT,
  EXT_PROC_PORT_NAME,
  HEALTH_PORT,
  HEALTH_PORT_NAME,
  METRICS_PORT,
  METRICS_PORT_NAME,
  PEER_PORT,
  PEER_PORT_NAME,
} from './ports';
import type { ResolvedPicker } from './resolved-picker';

/** Name of the picker's container, also beside others in a pod. */
export const CONTAINER_NAME = 'endpoint-picker';

/** The picker's container. */
export function pickerContainer(
  picker: ResolvedPicker,
  input: PickerInput,
  options: EndpointPickerOptions,
  args: readonly string[],
  volumeMounts: readonly VolumeMount[],
): Container {
  const { cpuRequest, cpuLimit, memoryRequest, memoryLimit } = picker.resources;
  return {
    name: CONTAINER_NAME,
    image: picker.delivery.containerImage,
    imagePullPolicy: picker.delivery.isPinned ? 'IfNotPresent' : 'Always',
    ...(picker.delivery.kind === 'configMap' ? { command: ['node', `${BUNDLE_FOLDER}/${LOADER_KEY}`] } : {}),
    args,
    env: environment(picker, options),
    ports: [
      { name: EXT_PROC_PORT_NAME, containerPort: EXT_PROC_PORT },
      { name: HEALTH_PORT_NAME, containerPort: HEALTH_PORT },
      { name: METRICS_PORT_NAME, containerPort: METRICS_PORT },
      ...(input.peerService === undefined ? [] : [{ name: PEER_PORT_NAME, containerPort: PEER_PORT }]),
    ],
    resources: {
      requests: { cpu: cpuRequest, memory: memoryRequest },
      limits: { ...(cpuLimit === undefined ? {} : { cpu: cpuLimit }), memory: memoryLimit },
    },
    livenessProbe: livenessProbe(picker, input),
    // quick both ways: a picker that drains must lose its streams before the gateway opens more
    readinessProbe: grpcProbe({ port: HEALTH_PORT, service: 'readiness', periodSeconds: 2, failureThreshold: 2 }),
    securityContext: { ...containerSecurityContext(), readOnlyRootFilesystem: true },
    volumeMounts,
  };
}

function livenessProbe(picker: ResolvedPicker, input: PickerInput): object {
  const rhythm = { port: HEALTH_PORT, periodSeconds: 10, failureThreshold: 3 };
  // llm-d's picker has a service `liveness` only while it elects a leader. Otherwise every name means "the pool is known", and a
  // pool that is applied after the picker would restart it for ever.
  if (picker.isLlmd && !input.electLeader) return tcpProbe(rhythm);
  return grpcProbe({ ...rhythm, service: 'liveness' });
}

function environment(picker: ResolvedPicker, options: EndpointPickerOptions): EnvVar[] {
  const given = new Set([...Object.keys(options.extraEnv ?? {}), ...Object.keys(options.secretEnv ?? {})]);
  const runtime = Object.fromEntries(Object.entries(PICKER_RUNTIME_VARIABLES).filter(([name]) => !given.has(name)));
  return [
    ownField('NAMESPACE', 'metadata.namespace'),
    ownField('POD_NAME', 'metadata.name'),
    // an image brings its own
    ...(picker.delivery.kind === 'configMap' ? variables({ [UNPACK_VARIABLE]: UNPACK_FOLDER, ...runtime }) : []),
    ...variables(options.extraEnv ?? {}),
    ...Object.entries(options.secretEnv ?? {}).map(([name, { secretName, key }]) => ({
      name,
      valueFrom: { secretKeyRef: { name: secretName, key } },
    })),
  ];
}

function variables(values: Readonly<Record<string, string>>): EnvVar[] {
  return Object.entries(values).map(([name, value]) => ({ name, value }));
}

/** A variable with a field of the pod itself. */
function ownField(name: string, fieldPath: string): EnvVar {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}
