import { formatFinding } from '../../src/validation';
import { subjects } from './corpus';
import { admissionFindings, agrees, readVerdicts } from './verdicts';

// What kube-apiserver said of thousands of broken documents (`npm run conformance:apiserver` asks it again), without a server.
const recorded = readVerdicts('kube-apiserver');
const all = subjects();

describe('validation and what a real API server said', () => {
  it('have every document of every subject in common', () => {
    const hashes = Object.fromEntries(Object.entries(recorded).map(([name, { hash }]) => [name, hash]));
    // A difference: npm run conformance:apiserver.
    expect(Object.fromEntries(all.map(({ name, hash }) => [name, hash]))).toEqual(hashes);
  });

  it('have documents enough, of all sorts', () => {
    const verdicts = Object.values(recorded).map(({ verdicts: text }) => text);
    const count = (character: string): number => verdicts.join('').split(character).length - 1;
    expect(count('-')).toBeGreaterThan(6_000);
    expect(count('+')).toBeGreaterThan(3_000);
    // Of custom kinds, none is missed; of built-in kinds, few.
    const custom = new Set(all.filter(({ isBuiltIn }) => !isBuiltIn).map(({ name }) => name));
    expect(Object.entries(recorded).filter(([name, entry]) => custom.has(name) && entry.verdicts.includes('~'))).toEqual([]);
    expect(count('~') / verdicts.join('').length).toBeLessThan(0.03);
  });

  it.each(all.map((subject) => [subject.name, subject] as const))('agree on %s', (name, { documents }) => {
    const verdicts = recorded[name]!.verdicts;
    expect(verdicts).toHaveLength(documents.length);
    const differences = documents.flatMap((document, index) => {
      const findings = admissionFindings(document);
      if (agrees(verdicts[index], findings)) return [];
      return [`${document.name}: the server ${verdicts[index]}; we say ${findings.map(formatFinding).join('; ') || 'valid'}`];
    });
    expect(differences).toEqual([]);
  });
});
