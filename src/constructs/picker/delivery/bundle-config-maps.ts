import type { Construct } from 'constructs';
import { emit, type ObjectMetadata } from '../../internal/emit';
import type { Volume } from '../../kube/pod-template';
import { packBundle } from './bundle';

/** Where the ConfigMaps are mounted. */
export const BUNDLE_FOLDER = '/opt/picker/bundle';
/** Where the program is unpacked to. */
export const UNPACK_FOLDER = '/opt/picker/unpacked';
/** The environment variable that tells the loader so. */
export const UNPACK_VARIABLE = 'PICKER_UNPACK_DIR';

/**
 * Emits the ConfigMaps of a bundle and returns the volume that joins them. Their names carry a digest and they are immutable: a
 * pod of the version before keeps its own parts, and a changed program changes the pod template.
 */
export function emitBundle(scope: Construct, metadata: ObjectMetadata, bundleFile: string | undefined): Volume {
  const bundle = packBundle(scope, bundleFile);
  const names = bundle.parts.map(({ data, binaryData }, index) => {
    const name = `${metadata.name}-bundle-${bundle.digest}-${index}`;
    emit(scope, `PickerBundle${index}`, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { ...metadata, name },
      why: `part ${index + 1} of ${bundle.parts.length} of the picker's program`,
      body: { immutable: true, ...(Object.keys(data).length > 0 ? { data } : {}), binaryData },
    });
    return name;
  });
  return { name: 'picker-bundle', projected: { sources: names.map((name) => ({ configMap: { name } })) } };
}
