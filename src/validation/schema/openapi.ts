import type { SchemaNode } from './schema-node';

/** OpenAPI v2 definitions of one Kubernetes version, as `imports/crds/kubernetes` has them. */
export type Definitions = Readonly<Record<string, OpenApiNode>>;

type OpenApiNode = Omit<SchemaNode, 'properties' | 'items' | 'additionalProperties'> & {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, OpenApiNode>>;
  readonly items?: OpenApiNode;
  readonly additionalProperties?: OpenApiNode | boolean;
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
};

export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const QUANTITY_PATTERN = '^[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|[eE][+-]?[0-9]+)?$';

// Go fills `status` in by itself: what is required there is never written by hand.
const WRITTEN_BY_CONTROLLERS = /Status$/;

/**
 * Finds a definition by its name, with references replaced by the nodes they name and the types with their own JSON form (Quantity,
 * IntOrString) by what decodes into them, so that one walk serves built-in kinds and custom ones. What nobody asks for is not linked.
 */
export function linkDefinitions(definitions: Definitions): (name: string) => SchemaNode {
  const linked = new Map<string, SchemaNode>();
  const link = (node: OpenApiNode): SchemaNode => {
    if (node.$ref !== undefined) return resolve(node.$ref.slice('#/definitions/'.length));
    if (node.format === 'int-or-string') return { 'x-kubernetes-int-or-string': true, format: 'int32' };
    // Data of ConfigMaps and Secrets is decoded by Go, which passes over line breaks; formats of custom kinds do not.
    if (node.format === 'byte') return { type: 'string', format: 'base64-lines' };
    const { $ref: _, properties, items, additionalProperties, ...rest } = node;
    return {
      ...rest,
      ...(properties === undefined
        ? {}
        : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, link(property)])) }),
      ...(items === undefined ? {} : { items: link(items) }),
      ...(additionalProperties === undefined
        ? {}
        : { additionalProperties: typeof additionalProperties === 'object' ? link(additionalProperties) : additionalProperties }),
    };
  };
  const resolve = (name: string): SchemaNode => {
    const known = linked.get(name);
    if (known !== undefined) return known;
    const definition = definitions[name];
    if (definition === undefined) throw new Error(`the OpenAPI definitions refer to ${name}, which they do not hold`);
    const node: Record<string, unknown> = { definition: name };
    linked.set(name, node as SchemaNode); // before its body, which may refer to it
    Object.assign(
      node,
      name === QUANTITY ? { anyOf: [{ type: 'number' }, { type: 'string', pattern: QUANTITY_PATTERN }] } : link(definition),
    );
    if (WRITTEN_BY_CONTROLLERS.test(name)) delete node['required'];
    // An object type without fields (RawExtension, FieldsV1) and a type without a form (JSON) take anything.
    const isFree = node['type'] === undefined || (node['type'] === 'object' && node['properties'] === undefined);
    if (isFree && node['additionalProperties'] === undefined) node['x-kubernetes-preserve-unknown-fields'] = true;
    return node as SchemaNode;
  };
  return resolve;
}

export function groupVersionKinds(definition: OpenApiNode): readonly GroupVersionKind[] {
  return definition['x-kubernetes-group-version-kind'] ?? [];
}
