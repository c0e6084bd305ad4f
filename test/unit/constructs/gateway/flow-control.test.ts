import { Duration, Size } from 'cdk8s';
import { parse } from 'yaml';
import {
  ClientIdentity,
  Criticality,
  EndpointPicker,
  Eviction,
  type FlowControlOptions,
  GatewayImplementation,
  PickerDelivery,
  QueueFairness,
  QueueOrder,
} from '../../../../src';
import { parsePickerPolicy } from '../../../../src/picker-config/picker-policy-parser';
import { GatewayProgram, ofKind, refusal } from '../../../support/gateway-program';

const { CRITICAL, STANDARD, SHEDDABLE } = Criticality;
const KEYS = { identity: ClientIdentity.apiKeys({ name: 'client-keys' }) };
const LLMD = EndpointPicker.llmd({ delivery: PickerDelivery.image('ghcr.io/llm-d/llm-d-router-endpoint-picker:v0.10.0') });

function program(flowControl: FlowControlOptions, props: object = KEYS, criticalities = [CRITICAL, SHEDDABLE]): GatewayProgram {
  const made = new GatewayProgram();
  const gateway = made.gateway(GatewayImplementation.kong(), { ...props, flowControl });
  const pool = made.pool('one');
  for (const [i, criticality] of criticalities.entries()) gateway.addModel(`model-${i}`, { pool, criticality });
  return made;
}

function policyText(made: GatewayProgram): string {
  const maps = Object.values(ofKind(made.synth(), 'ConfigMap'));
  return maps.find(({ data }) => data?.['policy.yaml'] !== undefined).data['policy.yaml'];
}

describe('flowControl of a gateway', () => {
  test('becomes the section that the picker reads', () => {
    const text = policyText(
      program({
        bands: [
          {
            criticality: SHEDDABLE,
            maxRequests: 50,
            maxSize: Size.mebibytes(8),
            queueTime: Duration.millis(1_500),
            fairness: QueueFairness.ROUND_ROBIN,
            order: QueueOrder.DEADLINE,
            ceilingRatio: 0.5,
          },
        ],
        tenants: { research: STANDARD },
        maxRequests: 100,
        maxSize: Size.gibibytes(1),
        waitingRoom: { maxRequests: 5, queueTime: Duration.minutes(5) },
        saturation: { queueDepth: 8, kvCacheUsageRatio: 0.9 },
        eviction: Eviction.UNANSWERED,
      }),
    );
    expect(parse(text).priorities).toEqual({
      bands: [
        { name: 'critical', priority: 100 },
        { name: 'standard', priority: 0 },
        {
          name: 'sheddable',
          priority: -100,
          maxRequests: 50,
          maxBytes: '8Mi',
          queueSeconds: 1.5,
          fairness: 'roundRobin',
          ordering: 'deadline',
          ceiling: 0.5,
        },
      ],
      tenants: [{ name: 'research', priority: 0 }],
      maxRequests: 100,
      maxBytes: '1Gi',
      waitingRoom: { maxRequests: 5, queueSeconds: 300 },
      saturation: { queueDepth: 8, kvCacheUsage: 0.9 },
      evicts: 'unanswered',
    });
    const { policy, problems } = parsePickerPolicy(text, 'policy.yaml');
    expect([problems, policy?.priorities?.bands[2]?.ceiling]).toEqual([[], 0.5]);
  });

  test('gives models of one criticality a queue, too', () => {
    expect(parse(policyText(program({}, {}, [STANDARD]))).priorities).toEqual({ bands: [{ name: 'standard', priority: 0 }] });
  });

  test.each<[string, FlowControlOptions, object, readonly RegExp[]]>([
    [
      'a band for a criticality that nobody has',
      { bands: [{ criticality: STANDARD }] },
      KEYS,
      [/AIG498 flowControl\.bands\[0\] .* \(got 0; allowed: 100, -100\)/],
    ],
    [
      'two bands for one criticality',
      { bands: [{ criticality: CRITICAL }, { criticality: Criticality.priority(100) }] },
      KEYS,
      [/AIG498 flowControl\.bands\[1\] is the second/],
    ],
    [
      'a header that would overtake other tenants',
      { bands: [{ criticality: CRITICAL, order: QueueOrder.SLO, fairness: QueueFairness.NONE }] },
      KEYS,
      [/AIG493 .*QueueFairness\.ATTAINED_SERVICE/],
    ],
    [
      'eviction of requests that nobody has',
      { eviction: Eviction.RUNNING, tenants: { research: STANDARD } },
      { ...KEYS, criticalities: [CRITICAL] },
      [/AIG498 flowControl\.eviction .*got 'running'/],
    ],
    ['tenants without an identity', { tenants: { research: STANDARD } }, {}, [/AIG496 .*ClientIdentity/]],
    ['the picker of llm-d', {}, { picker: LLMD }, [/AIG497 /]],
    [
      'numbers, all of them at once',
      {
        bands: [{ criticality: CRITICAL, ceilingRatio: 1.5, maxRequests: 1.5 }],
        maxRequests: -1,
        saturation: { queueDepth: 0, kvCacheUsageRatio: Number.NaN },
        waitingRoom: { maxRequests: -1 },
      },
      KEYS,
      [
        /AIG493 flowControl\.bands\[0\]\.ceilingRatio .*got 1\.5; allowed: a number from 0\.1 to 1/,
        /AIG493 flowControl\.bands\[0\]\.maxRequests .*a whole number from 0/,
        /AIG493 flowControl\.maxRequests /,
        /AIG493 flowControl\.saturation\.queueDepth /,
        /AIG493 flowControl\.saturation\.kvCacheUsageRatio /,
        /AIG493 flowControl\.waitingRoom\.maxRequests /,
      ],
    ],
  ])('refuses %s', (_title, flowControl, { criticalities, ...props }: { criticalities?: Criticality[] }, messages) => {
    const said = refusal(() => program(flowControl, props, criticalities).synth());
    for (const message of messages) expect(said).toMatch(message);
    expect(said).toContain('[llm/gw]');
  });
});
