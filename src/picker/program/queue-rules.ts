import { ConfigCode } from '../../picker-config/codes';
import type { EndpointPickerConfig } from '../../picker-config/endpoint-picker-config';
import type { PickerPolicy } from '../../picker-config/picker-policy';
import type { Problem } from '../../shared/problem';
import { llmdFlowControl, QUEUE_ONLY_PLUGINS } from '../flow-control/llmd-settings';
import { policyFlowControl, tenantPriorities } from '../flow-control/policy-settings';
import type { FlowControlSettings } from '../flow-control/settings';
import { DEFAULT_TRUST, type TrustOptions } from '../scheduling/trust';

/** What flow control follows. */
export interface QueueRules {
  /** Undefined where nobody is ranked. */
  readonly settings: FlowControlSettings | undefined;
  readonly tenants: ReadonlyMap<string, number>;
}

/**
 * The policy's rules where there are some, else llm-d's.
 * @param policy undefined without one
 * @param trust of the scheduler @default DEFAULT_TRUST
 */
export function queueRules(
  policy: PickerPolicy | undefined,
  config: EndpointPickerConfig,
  locate: (path: string) => string,
  problems: Problem[],
  trust: TrustOptions = DEFAULT_TRUST,
): QueueRules {
  const isLlmd = config.featureGates.flowControl;
  if (isLlmd && policy?.priorities !== undefined) {
    problems.push({
      code: ConfigCode.NOT_EXACTLY_ONE,
      what: "flow control is configured twice: by section 'priorities' of the policy and by feature gate 'flowControl'",
      fix: 'remove the gate, or the section',
      where: locate('featureGates'),
    });
  }
  // read in any case: a broken section must not be overlooked while its gate is off
  const llmd = llmdFlowControl(config, locate, problems);
  const settings = isLlmd || policy === undefined ? llmd : policyFlowControl(policy);
  return {
    settings: settings && { ...settings, trust },
    tenants: policy === undefined ? new Map() : tenantPriorities(policy),
  };
}

/** Whom the queue believes, in words for the log. */
export const HEADERS_ARE_BELIEVED =
  'headers of a request name its objective and its tenant, as for llm-d: where clients can send them, set --trust-objective-headers=false';

/**
 * What is accepted and has no effect, or has one that is easily overlooked, in words for the log.
 * @param inProfiles names of plugins that scheduling profiles use
 */
export function queueNotices(
  policy: PickerPolicy | undefined,
  { plugins, featureGates }: EndpointPickerConfig,
  inProfiles: ReadonlySet<string>,
  trustsHeaders: boolean,
): string[] {
  if (featureGates.flowControl) return policy === undefined && trustsHeaders ? [HEADERS_ARE_BELIEVED] : [];
  const isIdle = (type: string): boolean =>
    QUEUE_ONLY_PLUGINS.includes(type) ||
    (policy !== undefined && (type === 'utilization-detector' || type === 'concurrency-detector'));
  return plugins
    .filter(({ name, type }) => isIdle(type) && !inProfiles.has(name))
    .map(({ name, type }) => `plugin '${name}' (${type}) has no effect: feature gate 'flowControl' is off`);
}
