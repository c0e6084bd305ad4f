import type { SchemaNode } from './schema-node';

/**
 * The schema of a custom resource with what the server knows by itself: `apiVersion`, `kind` and `metadata`, at the root and in every
 * embedded resource. What the definition says of them applies as well.
 */
export function asResource(root: SchemaNode, objectMeta: SchemaNode): SchemaNode {
  return withObjectFields(withEmbeddedResources(root, objectMeta), objectMeta);
}

function withEmbeddedResources(node: SchemaNode, objectMeta: SchemaNode): SchemaNode {
  const { properties, items, additionalProperties } = node;
  const convert = (child: SchemaNode): SchemaNode => {
    const converted = withEmbeddedResources(child, objectMeta);
    return child['x-kubernetes-embedded-resource'] === true ? withObjectFields(converted, objectMeta) : converted;
  };
  return {
    ...node,
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, convert(property)])) }),
    ...(items === undefined ? {} : { items: convert(items) }),
    ...(typeof additionalProperties === 'object' ? { additionalProperties: convert(additionalProperties) } : {}),
  };
}

function withObjectFields(node: SchemaNode, objectMeta: SchemaNode): SchemaNode {
  const { definition: _, ...fields } = objectMeta;
  const ownMetadata = node.properties?.['metadata'];
  return {
    ...node,
    required: [...new Set([...(node.required ?? []), 'apiVersion', 'kind'])],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      ...node.properties,
      metadata: ownMetadata === undefined ? objectMeta : { ...fields, allOf: [ownMetadata] },
    },
  };
}
