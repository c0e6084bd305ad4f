import { readdirSync } from 'node:fs';
import path from 'node:path';
import { formatFinding, type ManifestDocument, readManifestFile, validateManifests } from '../../src/validation';
import { isJsonObject, type JsonObject } from '../../src/validation/schema/schema-node';
import { describeWith } from '../components/describe-with';
import { type ApiServer, INSTALLABLE_FOLDERS, startApiServer } from './apiserver';
import type { KubernetesObject } from './apiserver-client';
import { type Mutation, mutationsOf, spread } from './mutations';

const FIXTURES = path.join(__dirname, '..', 'fixtures', 'admission');
const NAMESPACE = 'updates';
const UPDATES_PER_OBJECT = 60;

const objects = readdirSync(FIXTURES)
  .sort()
  .flatMap((file) => readManifestFile(path.join(FIXTURES, file)).documents.map(({ value }) => value as JsonObject));

// What is in a cluster's answer and not in the manifest may be what the server had filled in.
const isRemoval = (mutation: string): boolean => /^without | = (?:null|""|\{\}|\[\])$/.test(mutation);

const PROGRAMMED = {
  conditions: [
    { type: 'Programmed', status: 'True', reason: 'Programmed', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' },
  ],
};

/** What a controller would have written: it decides what may change. */
const STATUS: Readonly<Record<string, unknown>> = {
  PersistentVolumeClaim: { phase: 'Bound', capacity: { storage: '100Gi' }, accessModes: ['ReadWriteOnce'] },
  KongConsumer: PROGRAMMED,
  KongConsumerGroup: PROGRAMMED,
};

const asDocument = (value: unknown): ManifestDocument => ({ value });

function renamed(object: JsonObject, metadata: JsonObject): KubernetesObject {
  const own = isJsonObject(object['metadata']) ? object['metadata'] : {};
  // Without what is undefined, which no manifest has.
  return JSON.parse(JSON.stringify({ ...object, metadata: { ...own, ...metadata } })) as KubernetesObject;
}

/** Changes of fields that an update may be refused for: metadata is the same for all kinds. */
function updatesOf(object: JsonObject): Mutation[] {
  return mutationsOf(object).filter(
    ({ object: next }) => JSON.stringify(next['metadata']) === JSON.stringify(object['metadata']),
  );
}

describeWith(['etcd', 'kube-apiserver'], 'updates and a real API server', (programs) => {
  let server: ApiServer;

  beforeAll(async () => {
    server = await startApiServer(programs);
    await server.installCrds(INSTALLABLE_FOLDERS);
    await server.createNamespace(NAMESPACE);
  }, 120_000);

  afterAll(() => server?.stop());

  it.each(objects.map((object) => [`${String(object['apiVersion'])} ${String(object['kind'])}`, object] as const))(
    'agree on changes of %s that are valid objects by themselves',
    async (_, object) => {
      const status = STATUS[String(object['kind'])];
      const stored = await server.store(renamed({ ...object, status }, { namespace: NAMESPACE }));
      const isNamespaced = stored.metadata?.namespace !== undefined;
      const updated = isNamespaced ? { namespace: NAMESPACE } : { name: stored.metadata?.name };
      const other = isNamespaced ? { namespace: 'default' } : { name: `${stored.metadata?.name}-2` };
      const differences: string[] = [];
      for (const { name, object: next } of [{ name: 'as written', object }, ...spread(updatesOf(object), UPDATES_PER_OBJECT)]) {
        if (!(await server.dryRunCreate(renamed(next, other))).isAccepted) continue;
        // Custom kinds take no update without it.
        const { resourceVersion } = stored.metadata as { resourceVersion?: string };
        const verdict = await server.dryRunUpdate(renamed(next, { ...updated, resourceVersion }));
        for (const old of [stored, renamed({ ...object, status }, updated)]) {
          const [withOld, alone] = [{ old: [asDocument(old)] }, {}].map((options) =>
            validateManifests([asDocument(renamed(next, updated))], { rules: 'admission', ...options }).map(formatFinding),
          );
          const refusals = withOld!.filter((finding) => finding.startsWith('error') && !alone!.includes(finding));
          if (verdict.isAccepted === (refusals.length === 0)) continue;
          if (old === stored && !verdict.isAccepted && isRemoval(name)) continue;
          const said = refusals.join('; ').slice(0, 300) || 'valid';
          differences.push(
            `${name}${old === stored ? '' : ' (old manifest)'}: ${verdict.status} ${verdict.message.slice(0, 300)}; we say ${said}`,
          );
        }
      }
      expect(differences).toEqual([]);
    },
    120_000,
  );
});
