import { ApiObject, Chart, JsonPatch, Lazy } from 'cdk8s';
import type { Construct, IConstruct } from 'constructs';

/** Annotation that carries the path of the construct that made an object. */
export const PATH_ANNOTATION = 'cdk8s-ai-gateway.dev/path';
const WHY = 'cdk8s-ai-gateway:why';
const WARNING = 'cdk8s-ai-gateway:warning';

/** Metadata that every construct's `metadata` passes through to its main object. */
export interface ObjectMetadata {
  readonly name: string;
  /** @default - the chart's namespace */
  readonly namespace?: string;
  readonly labels?: { readonly [key: string]: string };
  readonly annotations?: { readonly [key: string]: string };
}

/** A Kubernetes object as data. Beside the four named fields: `spec`, `data`, `rules`, …, whatever the kind has. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMetadata;
  /** Why the object is there, in one line; shown by `npm start`. Not emitted. */
  readonly why: string;
  /** The rest of the object. A function is called at synthesis, when everything that adds to the object has done so. */
  readonly body: { readonly [field: string]: unknown } | (() => { readonly [field: string]: unknown });
  /** True for kinds that live in no namespace. @default false */
  readonly clusterScoped?: boolean;
  /** Names of the top-level fields that a `body` function returns. @default ['spec'] */
  readonly fields?: readonly string[];
}

/**
 * Makes the ApiObject. Always a plain `ApiObject`, never a class from `cdk8s import`: those filter the result through the
 * imported schema and drop what a user patched in (cdk8s issue 2172).
 */
export function emit(scope: Construct, id: string, manifest: Manifest): ApiObject {
  const { body } = manifest;
  const fields: Record<string, unknown> = {};
  if (typeof body === 'function') {
    for (const field of manifest.fields ?? ['spec']) fields[field] = Lazy.any({ produce: () => body()[field] });
  } else {
    Object.assign(fields, body);
  }
  const object = new ApiObject(scope, id, {
    apiVersion: manifest.apiVersion,
    kind: manifest.kind,
    metadata: {
      name: manifest.metadata.name,
      namespace: manifest.metadata.namespace ?? Chart.of(scope).namespace,
      labels: {
        'app.kubernetes.io/managed-by': 'cdk8s-ai-gateway',
        'app.kubernetes.io/part-of': Chart.of(scope).node.id,
        ...manifest.metadata.labels,
      },
      annotations: { ...manifest.metadata.annotations, [PATH_ANNOTATION]: scope.node.path },
    },
    ...fields,
  });
  // cdk8s gives every object the namespace of its chart
  if (manifest.clusterScoped && Chart.of(scope).namespace !== undefined)
    object.addJsonPatch(JsonPatch.remove('/metadata/namespace'));
  object.node.addMetadata(WHY, manifest.why);
  return object;
}

/** Why `object` is there, as given to `emit`; undefined for objects of others. */
export function whyOf(object: IConstruct): string | undefined {
  return object.node.metadata.find((entry) => entry.type === WHY)?.data;
}

/** Records something the user should know but that is no error. Printed by `npm start` and by the validation plugin. */
export function warn(scope: IConstruct, message: string): void {
  scope.node.addMetadata(WARNING, message);
}

/** All warnings below `root`, with the path of the construct that gave each. */
export function warningsBelow(root: IConstruct): { readonly path: string; readonly message: string }[] {
  return root.node
    .findAll()
    .flatMap((construct) =>
      construct.node.metadata
        .filter((entry) => entry.type === WARNING)
        .map((entry) => ({ path: construct.node.path, message: entry.data })),
    );
}

/** Adds or replaces one field of an emitted object. */
export function patch(object: ApiObject, path: string, value: unknown): void {
  object.addJsonPatch(JsonPatch.add(path, value));
}
