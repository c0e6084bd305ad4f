export { type Finding, formatFinding, formatIdentity, type ObjectIdentity } from './findings';
export { type ManifestDocument, type Position, type ReadManifests, readManifestFile, readManifests } from './manifests';
export { CONSTRUCT_PATH_ANNOTATION, type ValidationOptions, validateManifests } from './validate-manifests';
