import { type Finding, formatFinding, validateManifests } from '../../src/validation';
import { describeWith } from '../components/describe-with';
import { type Subject, subjects } from './corpus';
import { schemaComplaint } from './egctl';
import { type Mutation, spread } from './mutations';
import { agrees, isRefused, readVerdicts, writeVerdicts } from './verdicts';

const KINDS = /^(?:gateway\.networking\.k8s\.io|gateway\.envoyproxy\.io)\//;
// Not in its scheme.
const UNKNOWN_TO_IT = new Set(['ListenerSet']);
const REFUSED_PER_SUBJECT = 20;
// A run takes half a second, and tells of the first document only.
const REFUSED_ASKED = 3;
const isRenewal = process.env['UPDATE_VERDICTS'] === '1';

// It holds the experimental channel.
const findingsOf = ({ object }: Mutation): Finding[] =>
  validateManifests([{ value: object }], { rules: 'admission', gatewayApiChannel: 'experimental' });

/** Forms that differ in what a definition says: it reads neither metadata nor status. */
function documentsOf({ object, documents }: Subject): Mutation[] {
  const about = (field: string, other: Mutation): boolean =>
    JSON.stringify(other.object[field]) === JSON.stringify(object[field]);
  return documents
    .filter((other) => about('metadata', other) && about('status', other))
    .map(({ name, object: { status: _, ...rest } }) => ({ name, object: rest }));
}

const all = subjects()
  .filter(({ object }) => KINDS.test(String(object['apiVersion'])) && !UNKNOWN_TO_IT.has(String(object['kind'])))
  .map((subject) => {
    const documents = documentsOf(subject);
    const refused = documents.filter((document) => isRefused(findingsOf(document)));
    return {
      name: subject.name,
      hash: subject.hash,
      accepted: documents.filter((document) => !refused.includes(document)),
      refused: spread(refused, REFUSED_PER_SUBJECT),
    };
  });

describe('validation and what Envoy Gateway said', () => {
  const recorded = readVerdicts('egctl');

  it.each(all.map((subject) => [subject.name, subject] as const))('agree on %s', (name, { hash, accepted, refused }) => {
    // A difference: npm run conformance:egctl.
    expect(recorded[name]?.hash).toBe(hash);
    const differences = [...accepted, ...refused].flatMap((document, index) => {
      const findings = findingsOf(document);
      return agrees(recorded[name]!.verdicts[index], findings)
        ? []
        : [`${document.name}: ${findings.map(formatFinding).join('; ')}`];
    });
    expect(differences).toEqual([]);
  });
});

describeWith(['egctl'], 'validation and Envoy Gateway', ({ egctl }) => {
  const renewed: { [name: string]: { hash: string; verdicts: string } } = {};

  afterAll(() => {
    if (isRenewal) writeVerdicts('egctl', all, renewed);
  });

  it.each(all.map((subject) => [subject.name, subject] as const))(
    'agree on %s and its broken forms',
    (name, { hash, accepted, refused }) => {
      const asked = isRenewal ? refused : spread(refused, REFUSED_ASKED);
      const refusedByIt =
        schemaComplaint(
          egctl,
          accepted.map(({ object }) => object),
        ) === undefined
          ? []
          : accepted.flatMap(({ name: form, object }) => schemaComplaint(egctl, [object])?.concat(` (${form})`) ?? []);
      const acceptedByIt = asked.filter(({ object }) => schemaComplaint(egctl, [object]) === undefined);
      expect({
        refusedByIt,
        acceptedByIt: acceptedByIt.map((document) => [document.name, findingsOf(document).map(formatFinding)]),
      }).toEqual({
        refusedByIt: [],
        acceptedByIt: [],
      });
      renewed[name] = { hash, verdicts: '+'.repeat(accepted.length) + '-'.repeat(refused.length) };
    },
    600_000,
  );
});
