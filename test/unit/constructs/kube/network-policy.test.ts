import { networkPolicySpec, samePeer } from '../../../../src/constructs/kube/network-policy';
import type { NetworkPeer } from '../../../../src/constructs/model-backend';

test.each<[string, NetworkPeer, object]>([
  ['pods of the same namespace', { podLabels: { a: 'b' } }, { podSelector: { matchLabels: { a: 'b' } } }],
  ['all pods of the same namespace', {}, { podSelector: { matchLabels: {} } }],
  ['all pods of some namespaces', { namespaceLabels: { a: 'b' } }, { namespaceSelector: { matchLabels: { a: 'b' } } }],
  ['all pods of all namespaces', { namespaceLabels: {} }, { namespaceSelector: { matchLabels: {} } }],
  [
    'some pods of all namespaces',
    { namespaceLabels: {}, podLabels: { a: 'b' } },
    { namespaceSelector: { matchLabels: {} }, podSelector: { matchLabels: { a: 'b' } } },
  ],
])('%s are one entry', (_what, peer, entry) => {
  const spec = networkPolicySpec({ podLabels: { x: 'y' }, peers: [peer], ports: [80], egress: true });
  expect(JSON.parse(JSON.stringify(spec))).toMatchObject({ ingress: [{ from: [entry] }] });
  // toMatchObject would let a further selector pass, which would narrow or widen the rule
  expect(JSON.parse(JSON.stringify(spec)).ingress[0].from[0]).toEqual(entry);
});

test('peers are the same whatever the order of their labels, and not when one names namespaces', () => {
  expect(samePeer({ podLabels: { a: '1', b: '2' } }, { podLabels: { b: '2', a: '1' } })).toBe(true);
  expect(samePeer({ podLabels: { a: '1' } }, { podLabels: { a: '1' }, namespaceLabels: {} })).toBe(false);
  expect(samePeer({ podLabels: { a: '1' } }, { podLabels: { a: '2' } })).toBe(false);
});
