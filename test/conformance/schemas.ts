import {
  formatFinding,
  type ManifestDocument,
  readManifests,
  type ValidationOptions,
  validateManifests,
} from '../../src/validation';

/**
 * Fails with every finding, warnings too, unless an API server would take all manifests: YAML text, or objects as `Testing.synth` gives them.
 * `rules: 'all'` asks what an operator would say as well.
 * Kinds without a known schema fail as well: nothing would have been checked.
 */
export function expectValid(manifests: string | readonly unknown[], options: ValidationOptions = {}): void {
  const read = typeof manifests === 'string' ? readManifests(manifests) : { documents: manifests.map(toDocument), findings: [] };
  if (read.documents.length === 0 && read.findings.length === 0) throw new Error('there is no manifest to check');
  const findings = [
    ...read.findings,
    ...validateManifests(read.documents, { unknownKinds: 'error', rules: 'admission', ...options }),
  ];
  if (findings.length > 0) throw new Error(`${findings.length} findings:\n${findings.map(formatFinding).join('\n')}`);
}

const toDocument = (value: unknown): ManifestDocument => ({ value });
