import { ModelRewrites } from '../../../../src/picker/datastore/model-rewrites';
import { Objectives } from '../../../../src/picker/datastore/objectives';
import { LlmdPolicies } from '../../../../src/picker/kube/llmd-policies';
import { SeededRandom } from '../../../../src/shared/random';
import { FakeCluster, fakeHost, type Kind, settle } from './support/fake-cluster';

const kind = (resource: string, group = 'llm-d.ai'): Kind => ({ group, version: 'v1alpha2', resource, namespace: 'ai' });
const OLD_GROUP = 'inference.networking.x-k8s.io';
const POOL = { name: 'llama', namespace: 'ai', group: 'inference.networking.k8s.io' as const };
const poolRef = { name: 'llama' };
const rewrite = (models: string[], targets: object[], extra: object = {}) => ({
  spec: { poolRef, rules: [{ matches: models.map((value) => ({ model: { type: 'Exact', value } })), targets }], ...extra },
});

let cluster: FakeCluster;
let host: ReturnType<typeof fakeHost>;
let policies: LlmdPolicies;
const objectives = new Objectives();
const rewrites = new ModelRewrites(new SeededRandom(1));

beforeEach(() => {
  cluster = new FakeCluster();
  host = fakeHost(cluster);
  policies = new LlmdPolicies(host, POOL, objectives, rewrites);
});

afterEach(() => policies.stop());

const start = () => {
  policies.start();
  return settle();
};

test('priorities are found by the name of the objective; of two groups the later one counts', async () => {
  cluster.put(kind('inferenceobjectives'), 'batch', { spec: { poolRef, priority: -1 } });
  cluster.put(kind('inferenceobjectives', OLD_GROUP), 'batch', { spec: { poolRef, priority: 7 } });
  cluster.put(kind('inferenceobjectives', OLD_GROUP), 'chat', { spec: { poolRef, priority: 5 } });
  cluster.put(kind('inferenceobjectives'), 'plain', { spec: { poolRef } });
  await start();
  expect(['batch', 'chat', 'plain', 'unknown', undefined].map((name) => objectives.priorityOf(name))).toEqual([-1, 5, 0, 0, 0]);
  cluster.remove(kind('inferenceobjectives'), 'batch');
  expect(objectives.priorityOf('batch')).toBe(7);
});

test.each([
  ['another pool', { name: 'other' }],
  ['a pool of another group', { name: 'llama', group: OLD_GROUP }],
  ['no pool', undefined],
])('what refers to %s is not for this pool', async (_, ref) => {
  cluster.put(kind('inferenceobjectives'), 'o', { spec: { poolRef: ref, priority: 3 } });
  cluster.put(kind('inferencemodelrewrites'), 'r', rewrite(['m'], [{ modelRewrite: 'n' }], { poolRef: ref }));
  await start();
  expect([objectives.priorityOf('o'), rewrites.targetOf('m')]).toEqual([0, undefined]);
});

test('rewrites of both groups apply, with the older name of targets', async () => {
  cluster.put(kind('inferencemodelrewrites'), 'r', rewrite(['a'], [{ modelRewrite: 'a2' }]));
  cluster.put(kind('inferencemodelrewrites', OLD_GROUP), 's', {
    spec: { poolRef, rules: [{ matches: [{ model: { value: 'b' } }], split: [{ modelRewrite: 'b2' }] }] },
  });
  await start();
  expect(['a', 'b', 'c'].map((model) => rewrites.targetOf(model))).toEqual(['a2', 'b2', undefined]);
});

test('kinds that are not installed are no fault, and are found when they come', async () => {
  cluster.missing.add('inferenceobjectives').add('inferencemodelrewrites');
  await start();
  expect(host.said).toEqual([]);
  expect(policies.statuses().map(({ isSynced }) => isSynced)).toEqual([true, true, true, true]);
  cluster.missing.clear();
  cluster.put(kind('inferenceobjectives'), 'o', { spec: { poolRef, priority: 3 } });
  await settle();
  expect(objectives.priorityOf('o')).toBe(3);
});
