import type { Construct } from 'constructs';
import type { Container, Volume, VolumeMount } from '../kube/pod-template';
import type { NamespaceRules } from '../kube/rbac';
import { tokenVolume } from '../kube/token-volume';
import { pickerAccess } from './access';
import { CONFIG_FOLDER, PEER_SECRET_FOLDER, pickerArguments } from './arguments';
import { configurationAnnotation, emitConfiguration } from './configuration';
import { pickerContainer } from './container';
import { BUNDLE_FOLDER, emitBundle, UNPACK_FOLDER } from './delivery/bundle-config-maps';
import type { PickerInput } from './input';
import type { EndpointPickerOptions } from './options';
import { emitPlugins, PLUGIN_FOLDER } from './plugins/plugin-config-map';
import { resolvePicker } from './resolved-picker';

/** User and group that the picker runs as; the one of distroless images, which own nothing in a node. */
export const PICKER_USER_ID = 65_532;

/** Where a pod's identity is looked for by every Kubernetes client. */
const TOKEN_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** A picker as part of a pod. Functions are for synthesis, when everything that they depend on has been added. */
export interface PickerPod {
  readonly container: () => Container;
  readonly volumes: () => readonly Volume[];
  /** Of the pod template: they change when the configuration does. */
  readonly annotations: () => { readonly [key: string]: string };
  /** What the pod's service account has to be allowed, by namespace. */
  readonly access: readonly NamespaceRules[];
  /** How long the pod may take to stop: what the picker drains, and ten seconds to end. */
  readonly terminationGracePeriodSeconds: number;
}

/**
 * The picker as a container, for a Deployment of its own or beside a proxy. Emits the ConfigMaps that it needs below `scope`.
 *
 * The token of the service account is mounted into this container alone: a proxy in the same pod, which faces the network, has none.
 *
 * @throws AIG441 to AIG449, AIG454, AIG456, AIG459 and what the picker itself would refuse
 */
export function pickerPod(scope: Construct, options: EndpointPickerOptions, input: PickerInput): PickerPod {
  const picker = resolvePicker(scope, options, input);
  const plugins = emitPlugins(scope, picker, input, options);
  const args = pickerArguments(scope, picker, input, options, plugins !== undefined);
  const access = pickerAccess(scope, picker, input);
  const configMap = emitConfiguration(scope, picker, input, options, plugins?.types ?? []);

  const fixedVolumes: Volume[] = [];
  const fixedMounts: VolumeMount[] = [];
  const mount = (volume: Volume, mountPath: string, readOnly = true): void => {
    fixedVolumes.push(volume);
    fixedMounts.push({ name: volume.name, mountPath, ...(readOnly ? { readOnly } : {}) });
  };
  mount(tokenVolume('picker-token'), TOKEN_FOLDER);
  if (configMap !== undefined) mount({ name: 'picker-config', configMap: { name: configMap.name } }, CONFIG_FOLDER);
  if (input.peerService !== undefined && options.peerSecret !== undefined) {
    const { secretName } = options.peerSecret;
    mount({ name: 'picker-peer-secret', secret: { secretName, defaultMode: 0o440 } }, PEER_SECRET_FOLDER);
  }
  if (plugins !== undefined) mount(plugins.volume, PLUGIN_FOLDER);
  if (picker.delivery.kind === 'configMap') {
    const metadata = { name: input.name, namespace: input.namespace, labels: options.labels, annotations: options.annotations };
    mount(emitBundle(scope, metadata, picker.delivery.bundleFile), BUNDLE_FOLDER);
    mount({ name: 'picker-unpacked', emptyDir: { sizeLimit: '64Mi' } }, UNPACK_FOLDER, false);
  }
  const secrets = (): { volume: Volume; mountPath: string }[] =>
    (input.secretMounts?.() ?? []).map(({ secretName, mountPath }, index) => ({
      volume: { name: `picker-secret-${index}`, secret: { secretName, defaultMode: 0o440 } },
      mountPath,
    }));
  const state = (): { volume: Volume; mountPath: string }[] => {
    const mountPath = input.stateFolder?.();
    // it outlives the container, so that a picker that is started again in its pod goes on where it was
    return mountPath === undefined ? [] : [{ volume: { name: 'picker-state', emptyDir: { sizeLimit: '128Mi' } }, mountPath }];
  };

  return {
    container: () =>
      pickerContainer(picker, input, options, args, [
        ...fixedMounts,
        ...secrets().map(({ volume, mountPath }) => ({ name: volume.name, mountPath, readOnly: true })),
        ...state().map(({ volume, mountPath }) => ({ name: volume.name, mountPath })),
      ]),
    volumes: () => [...fixedVolumes, ...[...secrets(), ...state()].map(({ volume }) => volume)],
    annotations: () => configurationAnnotation(configMap),
    access,
    terminationGracePeriodSeconds: picker.drainSeconds + 10,
  };
}
