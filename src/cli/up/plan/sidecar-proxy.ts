import { parse } from 'yaml';
import type { Container, KubeObjects, Workload } from './kube-objects';
import { mountedFile } from './mounted-files';
import type { PickerPlan } from './picker-plans';

/** A proxy that runs beside its picker and asks it about every request. */
export interface SidecarPlan {
  readonly picker: PickerPlan;
  /** Envoy's bootstrap as the manifests have it. */
  readonly bootstrap: unknown;
}

/** The Envoy in the Pod of a picker; undefined where there is none. */
export function sidecarProxy(objects: KubeObjects, picker: PickerPlan): SidecarPlan | undefined {
  const { workload } = picker;
  for (const container of workload?.containers ?? []) {
    const path = configPath(container);
    const text = path === undefined ? undefined : mountedFile(objects, workload as Workload, container, path);
    if (text?.includes('ext_proc') === true) return { picker, bootstrap: parse(text) };
  }
  return undefined;
}

/** `--config-path FILE`, `--config-path=FILE`, `-c FILE`. */
function configPath({ args = [] }: Container): string | undefined {
  const at = args.findIndex((argument) => /^(--config-path|-c)(=|$)/.test(argument));
  return at === -1 ? undefined : (/=(.*)$/.exec(args[at]!)?.[1] ?? args[at + 1]);
}
