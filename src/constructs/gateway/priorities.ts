import type { Duration, Size } from 'cdk8s';
import type { Construct } from 'constructs';
import {
  DEFAULT_BAND,
  DEFAULT_PRIORITIES,
  defaultCeiling,
  type PolicyBand,
  type PolicyPriorities,
} from '../../picker-config/picker-policy';
import type { Problem } from '../../shared/problem';
import type { IInferenceModel } from '../inference-model';
import { refuseAll } from '../internal/errors';
import type { ClientIdentity } from '../values/client-identity';
import { Criticality } from '../values/criticality';
import { Eviction, type FlowControlOptions, type PriorityBandOptions, QueueFairness, QueueOrder } from '../values/flow-control';

/** What the checks of flow control look at. */
export interface FlowControlCheckInput {
  readonly flowControl: FlowControlOptions | undefined;
  readonly models: readonly IInferenceModel[];
  readonly identity: ClientIdentity | undefined;
  readonly isLlmd: boolean;
}

type Finding = Omit<Problem, 'where'>;

/** Refuses settings that nothing would follow, or that no queue can have. @throws AIG493, AIG496 to AIG498, with all of them */
export function checkFlowControl(scope: Construct, { flowControl, models, identity, isLlmd }: FlowControlCheckInput): void {
  if (flowControl === undefined) return;
  const problems: Finding[] = [];
  if (isLlmd) {
    problems.push({
      code: 'AIG497',
      what: 'the llm-d picker does not read flowControl of the gateway',
      fix: 'use the picker of this project, or write a flowControl section into the configuration of the llm-d picker',
    });
  }
  if (Object.keys(flowControl.tenants ?? {}).length > 0 && identity === undefined) {
    problems.push({
      code: 'AIG496',
      what: 'tenants have a criticality, and the gateway knows none: a client could choose its own',
      fix: 'set identity on the gateway (ClientIdentity.apiKeys or .jwt)',
    });
  }
  const used = prioritiesOf(models, flowControl);
  const { eviction = Eviction.QUEUED } = flowControl;
  if (eviction !== Eviction.QUEUED && used.every((priority) => priority >= 0)) {
    problems.push({
      code: 'AIG498',
      what: 'flowControl.eviction ends requests with a priority below 0, and no model and no tenant has one',
      value: eviction.name,
      fix: 'give a model Criticality.SHEDDABLE, or leave eviction out',
    });
  }
  problems.push(...bandProblems(flowControl, models), ...numberProblems(flowControl));
  refuseAll(scope, problems);
}

/** A band for each priority of models and tenants; nothing where all have the default and nothing was set, because nobody is preferred. */
export function prioritiesPolicy(
  models: readonly IInferenceModel[],
  flowControl: FlowControlOptions | undefined,
): { priorities?: PolicyPriorities } {
  const used = prioritiesOf(models, flowControl);
  if (flowControl === undefined && used.every((priority) => priority === 0)) return {};
  const { tenants = {}, waitingRoom = {}, saturation = {}, bands = [] } = flowControl ?? {};
  const byDefault = DEFAULT_PRIORITIES;
  const optionsOf = (priority: number): PriorityBandOptions | undefined =>
    bands.find(({ criticality }) => criticality.value === priority);
  return {
    priorities: {
      bands: used.map((priority) => bandPolicy(priority, optionsOf(priority))),
      tenants: Object.entries(tenants).map(([name, { value }]) => ({ name, priority: value })),
      maxRequests: flowControl?.maxRequests ?? byDefault.maxRequests,
      maxBytes: bytes(flowControl?.maxSize) ?? byDefault.maxBytes,
      waitingRoom: {
        maxRequests: waitingRoom.maxRequests ?? byDefault.waitingRoom.maxRequests,
        queueSeconds: seconds(waitingRoom.queueTime) ?? byDefault.waitingRoom.queueSeconds,
      },
      saturation: {
        queueDepth: saturation.queueDepth ?? byDefault.saturation.queueDepth,
        kvCacheUsage: saturation.kvCacheUsageRatio ?? byDefault.saturation.kvCacheUsage,
      },
      evicts: (flowControl?.eviction ?? Eviction.QUEUED).name,
    },
  };
}

/** Priorities of models and tenants, highest first. */
function prioritiesOf(models: readonly IInferenceModel[], flowControl: FlowControlOptions | undefined): number[] {
  const all = [...models.map(({ criticality }) => criticality), ...Object.values(flowControl?.tenants ?? {})];
  return [...new Set(all.map(({ value }) => value))].sort((a, b) => b - a);
}

function bandPolicy(priority: number, options: Partial<PriorityBandOptions> = {}): PolicyBand {
  const names: ReadonlyMap<number, string> = new Map([
    [Criticality.CRITICAL.value, 'critical'],
    [Criticality.STANDARD.value, 'standard'],
    [Criticality.SHEDDABLE.value, 'sheddable'],
  ]);
  return {
    name: names.get(priority) ?? `priority-${priority}`,
    priority,
    maxRequests: options.maxRequests ?? DEFAULT_BAND.maxRequests,
    maxBytes: bytes(options.maxSize) ?? DEFAULT_BAND.maxBytes,
    queueSeconds: seconds(options.queueTime) ?? DEFAULT_BAND.queueSeconds,
    fairness: options.fairness?.name ?? DEFAULT_BAND.fairness,
    ordering: options.order?.name ?? DEFAULT_BAND.ordering,
    ceiling: options.ceilingRatio ?? defaultCeiling(priority),
  };
}

function bandProblems(flowControl: FlowControlOptions, models: readonly IInferenceModel[]): Finding[] {
  const { bands = [] } = flowControl;
  const used = prioritiesOf(models, flowControl);
  return bands.flatMap(({ criticality, fairness, order }, i): Finding[] => {
    const { value } = criticality;
    const name = `flowControl.bands[${i}]`;
    const found: Finding[] = [];
    if (!used.includes(value)) {
      found.push({
        code: 'AIG498',
        what: `${name} is for a priority that no model and no tenant has`,
        value,
        allowed: used.join(', '),
        fix: 'change the criticality of the band or of a model, or remove the band',
      });
    }
    if (bands.findIndex((other) => other.criticality.value === value) < i) {
      found.push({ code: 'AIG498', what: `${name} is the second for one priority`, value, fix: 'join the two' });
    }
    if (order === QueueOrder.SLO && fairness === QueueFairness.NONE) {
      found.push({
        code: 'AIG493',
        what: `${name}: a header of the request would put it before the requests of other tenants`,
        value: 'QueueOrder.SLO with QueueFairness.NONE',
        fix: 'use QueueFairness.ATTAINED_SERVICE or ROUND_ROBIN, so that the header orders the requests of one tenant only',
      });
    }
    return found;
  });
}

function numberProblems({ bands = [], maxRequests, maxSize, waitingRoom, saturation }: FlowControlOptions): Finding[] {
  const problems: Finding[] = [];
  const check = (name: string, value: number | undefined, min: number, max: number, isWhole: boolean): void => {
    if (value === undefined || (value >= min && value <= max && (!isWhole || Number.isInteger(value)))) return;
    problems.push({
      code: 'AIG493',
      what: `flowControl.${name} cannot be used`,
      value,
      allowed: `${isWhole ? 'a whole number' : 'a number'} from ${min}${Number.isFinite(max) ? ` to ${max}` : ''}`,
      fix: `change ${name}`,
    });
  };
  const any = Number.POSITIVE_INFINITY;
  check('maxRequests', maxRequests, 0, any, true);
  check('maxSize', bytes(maxSize), 0, any, true);
  check('waitingRoom.maxRequests', waitingRoom?.maxRequests, 0, any, true);
  check('waitingRoom.queueTime', seconds(waitingRoom?.queueTime), 0, any, false);
  check('saturation.queueDepth', saturation?.queueDepth, 0.1, any, false);
  check('saturation.kvCacheUsageRatio', saturation?.kvCacheUsageRatio, 0.01, 1, false);
  for (const [i, band] of bands.entries()) {
    check(`bands[${i}].maxRequests`, band.maxRequests, 0, any, true);
    check(`bands[${i}].maxSize`, bytes(band.maxSize), 0, any, true);
    check(`bands[${i}].queueTime`, seconds(band.queueTime), 0, any, false);
    check(`bands[${i}].ceilingRatio`, band.ceilingRatio, 0.1, 1, false);
  }
  return problems;
}

function bytes(size: Size | undefined): number | undefined {
  return size === undefined ? undefined : size.toKibibytes() * 1_024;
}

function seconds(time: Duration | undefined): number | undefined {
  return time?.toSeconds({ integral: false });
}
