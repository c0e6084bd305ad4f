import fc from 'fast-check';
import type { EndpointExplanation } from '../../../../src/picker/scheduling/decision-record';
import { decisionHeader } from '../../../../src/picker/telemetry/decision-header';

const explained = (endpoint: string, profile = 'default'): EndpointExplanation => ({
  endpoint,
  name: 'engine',
  profile,
  verdict: 'kept',
  inputs: {} as EndpointExplanation['inputs'],
  weights: { 'my-scorer': 2 },
  scores: { 'my-scorer': 1 / 3 },
  total: 2 / 3,
  trustRatio: 1,
});

test('the reasons of a decision fit a header, however many endpoints there are', () => {
  const all = Array.from({ length: 1_000 }, (_, i) => explained(`10.0.${i >> 8}.${i & 255}:8000`));
  const text = decisionHeader(all, '10.0.0.0:8000,10.0.0.1:8000');
  expect(text.length).toBeLessThan(4_096);
  expect(JSON.parse(text)).toMatchObject({
    chosen: ['10.0.0.0:8000', '10.0.0.1:8000'],
    verdicts: { kept: 1_000 },
    endpoints: expect.arrayContaining([expect.objectContaining({ scores: { 'my-scorer': [0.3333, 2] }, total: 0.6667 })]),
  });
});

test('they are visible ASCII, whatever the names', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const text = decisionHeader([explained('a', name)], 'a');
      expect(text).toMatch(/^[ -~]*$/);
      expect(JSON.parse(text).profile).toBe(name);
    }),
  );
});
