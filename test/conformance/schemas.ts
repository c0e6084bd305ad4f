import {
  formatFinding,
  type ManifestDocument,
  readManifests,
  type ValidationOptions,
  validateManifests,
} from '../../src/validation';

/**
 * Fails with every finding, warnings too, unless all manifests are valid: YAML text, or objects as `Testing.synth` gives them.
 * Kinds without a known schema fail as well: nothing would have been checked.
 */
export function expectValid(manifests: string | readonly unknown[], options: ValidationOptions = {}): void {
  const read = typeof manifests === 'string' ? readManifests(manifests) : { documents: manifests.map(toDocument), findings: [] };
  if (read.documents.length === 0 && read.findings.length === 0) throw new Error('there is no manifest to check');
  const findings = [...read.findings, ...validateManifests(read.documents, { unknownKinds: 'error', ...options })];
  if (findings.length > 0) throw new Error(`${findings.length} findings:\n${findings.map(formatFinding).join('\n')}`);
}

const toDocument = (value: unknown): ManifestDocument => ({ value });
