export { type Finding, formatFinding, formatIdentity, type ObjectIdentity } from './findings';
export { type ManifestDocument, type Position, type ReadManifests, readManifestFile, readManifests } from './manifests';
export type { Severity } from './rules/rule';
export { IMPLEMENTATIONS, type Implementation } from './rules/support/implementation-names';
export type { RuleSelection } from './run-rules';
export { SUPPRESS_ANNOTATION, type Suppression } from './suppressions';
export { CONSTRUCT_PATH_ANNOTATION, type ValidationOptions, validateManifests } from './validate-manifests';
