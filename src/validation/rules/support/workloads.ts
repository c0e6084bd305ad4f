import { type Field, type KubeObject, type ObjectIndex, selects } from '../../object-index';

/** Pods, or what makes them. */
export interface Workload {
  readonly object: KubeObject;
  /** Where labels and spec of its pods stand: `spec.template`, or the root of a Pod. */
  readonly template: Field;
  readonly podSpec: Field;
  readonly podLabels: ReadonlyMap<string, string>;
  /** Undefined where nothing says how many. */
  readonly replicas: number | undefined;
}

const TEMPLATES: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '/Pod': [[]],
  '/ReplicationController': [['spec', 'template']],
  'apps/Deployment': [['spec', 'template']],
  'apps/StatefulSet': [['spec', 'template']],
  'apps/DaemonSet': [['spec', 'template']],
  'apps/ReplicaSet': [['spec', 'template']],
  'batch/Job': [['spec', 'template']],
  'batch/CronJob': [['spec', 'jobTemplate', 'spec', 'template']],
  'leaderworkerset.x-k8s.io/LeaderWorkerSet': [
    ['spec', 'leaderWorkerTemplate', 'leaderTemplate'],
    ['spec', 'leaderWorkerTemplate', 'workerTemplate'],
  ],
};

export function workloads(index: ObjectIndex): readonly Workload[] {
  return index.memo(findWorkloads);
}

/** Those whose pod templates an API server checks itself: a LeaderWorkerSet is a custom resource, and has a schema only. */
export function builtInWorkloads(index: ObjectIndex): readonly Workload[] {
  return workloads(index).filter(({ object }) => object.group !== 'leaderworkerset.x-k8s.io');
}

function findWorkloads(index: ObjectIndex): Workload[] {
  return index.objects.flatMap((object) =>
    (TEMPLATES[`${object.group}/${object.kind}`] ?? []).flatMap((path): Workload[] => {
      const template = object.at(...path);
      if (!template.isSet) return [];
      const replicas = object.at('spec', 'replicas');
      return [
        {
          object,
          template,
          podSpec: template.at('spec'),
          podLabels: template.at('metadata', 'labels').labels,
          replicas: replicas.number ?? (object.is('apps', 'Deployment', 'StatefulSet') && !replicas.isSet ? 1 : undefined),
        },
      ];
    }),
  );
}

/** The workloads of a namespace whose pods a selector of labels selects. */
export function selectedWorkloads(index: ObjectIndex, namespace: string, selector: ReadonlyMap<string, string>): Workload[] {
  return workloads(index).filter(({ object, podLabels }) => object.namespace === namespace && selects(selector, podLabels));
}

/** Init containers first, as they run. */
export function allContainers(podSpec: Field): Field[] {
  return [...podSpec.at('initContainers').items, ...podSpec.at('containers').items];
}

/** The container port that `port`, a number or a name, means; the containers' declared ports are `known`. */
export function containerPorts(podSpec: Field): { readonly number: number; readonly name: string | undefined }[] {
  return podSpec.at('containers').items.flatMap((container) =>
    container.at('ports').items.flatMap((port) => {
      const number = port.at('containerPort').number;
      return number === undefined ? [] : [{ number, name: port.at('name').text }];
    }),
  );
}
