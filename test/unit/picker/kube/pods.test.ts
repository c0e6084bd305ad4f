import type { KubeObject } from '../../../../src/picker/kube/cluster-watch';
import { type Pod, parsePod, podEndpoints } from '../../../../src/picker/kube/pods';
import { type Fields, pod } from './support/fake-cluster';

const object = (fields: Fields): KubeObject => ({
  ...fields,
  metadata: { name: 'p', namespace: 'ai', uid: 'u', resourceVersion: '1', ...fields.metadata },
});
const parsed = (fields: Fields): Pod => parsePod(object(fields))!;

test.each<[string, Fields, boolean]>([
  ['Ready is true', pod('10.0.0.1'), true],
  ['Ready is false', pod('10.0.0.1', { ready: false }), false],
  [
    'Ready is unknown',
    { metadata: {}, status: { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    false,
  ],
  [
    'another condition is true',
    { metadata: {}, status: { podIP: '10.0.0.1', conditions: [{ type: 'PodScheduled', status: 'True' }] } },
    false,
  ],
  ['there is no condition', { metadata: {}, status: { podIP: '10.0.0.1' } }, false],
  ['it is about to go', pod('10.0.0.1', { deletionTimestamp: '2026-01-01T00:00:00Z' }), false],
])('readiness of a pod: %s', (_, fields, ready) => {
  expect(parsed(fields).ready).toBe(ready);
});

test.each<[string, Fields]>([
  ['has no status', { metadata: {} }],
  ['has no address yet', { metadata: {}, status: { phase: 'Pending' } }],
  ['has succeeded', pod('10.0.0.1', { phase: 'Succeeded' })],
  ['has failed', pod('10.0.0.1', { phase: 'Failed' })],
])('a pod is no endpoint when it %s', (_, fields) => {
  expect(parsePod(object(fields))).toBeUndefined();
});

test.each([
  ['the primary address', { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }, '10.0.0.1:8000'],
  ['the first of the list', { podIPs: [{ ip: '10.0.0.2' }, { ip: 'fd00::1' }] }, '10.0.0.2:8000'],
  ['IPv6 as proxies write it', { podIP: 'FD00:0::1' }, '[fd00::1]:8000'],
])('the address of a pod: %s', (_, status, hostPort) => {
  expect(podEndpoints([parsed({ metadata: {}, status })], [8000])[0]!.hostPort).toBe(hostPort);
});

test('there is an endpoint for every pod and port, named by the rank of the port', () => {
  const { metadata, status } = pod('10.0.0.1', { labels: { app: 'x', zone: 'a' } });
  const endpoints = podEndpoints([parsed({ metadata, status: { ...status, hostIP: '10.1.0.1' } })], [8000, 8001]);
  expect(endpoints).toEqual([
    {
      name: 'p-rank-0',
      podName: 'p',
      nodeAddress: '10.1.0.1',
      namespace: 'ai',
      uid: 'u',
      address: '10.0.0.1',
      port: 8000,
      hostPort: '10.0.0.1:8000',
      ready: true,
      labels: { app: 'x', zone: 'a' },
    },
    {
      name: 'p-rank-1',
      podName: 'p',
      nodeAddress: '10.1.0.1',
      namespace: 'ai',
      uid: 'u',
      address: '10.0.0.1',
      port: 8001,
      hostPort: '10.0.0.1:8001',
      ready: true,
      labels: { app: 'x', zone: 'a' },
    },
  ]);
});

test.each<[string, Record<string, string>, string[]]>([
  ['no annotation: all', {}, ['p-rank-0', 'p-rank-1', 'p-rank-2']],
  ['one port keeps its rank', { 'llm-d.ai/active-ports': '8001' }, ['p-rank-1']],
  ['blanks are allowed', { 'llm-d.ai/active-ports': ' 8000 , 8002' }, ['p-rank-0', 'p-rank-2']],
  ['the older name', { 'inference.networking.k8s.io/active-ports': '8002' }, ['p-rank-2']],
  [
    'the later name goes first',
    { 'inference.networking.k8s.io/active-ports': '8002', 'llm-d.ai/active-ports': '8000' },
    ['p-rank-0'],
  ],
  ['a port that the pool does not have', { 'llm-d.ai/active-ports': '9000,8000' }, ['p-rank-0']],
  ['words are passed over', { 'llm-d.ai/active-ports': 'all,8001,80x1' }, ['p-rank-1']],
  ['nothing closes the pod', { 'llm-d.ai/active-ports': '' }, []],
])('active ports: %s', (_, annotations, names) => {
  expect(podEndpoints([parsed(pod('10.0.0.1', { annotations }))], [8000, 8001, 8002]).map(({ name }) => name)).toEqual(names);
});

test('of two pods with one address the ready one stands first, then the younger one', () => {
  const at = (uid: string, ready: boolean, creationTimestamp: string) =>
    parsePod({ ...object(pod('10.0.0.1', { ready })), metadata: { name: uid, uid, resourceVersion: '1', creationTimestamp } })!;
  const old = at('old', true, '2026-01-01T00:00:00Z');
  const young = at('young', true, '2026-01-02T00:00:00Z');
  const starting = at('starting', false, '2026-01-03T00:00:00Z');
  const order = (...pods: Pod[]) => podEndpoints(pods, [1]).map(({ uid }) => uid);
  expect(order(starting, old, young)).toEqual(['young', 'old', 'starting']);
  expect(order(young, old, starting)).toEqual(['young', 'old', 'starting']);
});
