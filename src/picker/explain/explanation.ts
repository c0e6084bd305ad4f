import type { PolicyLimit, PolicyStickiness } from '../../picker-config/picker-policy';
import type { ModelRule } from '../director/model-resolver';
import type { RequestApi } from '../openai/request-api';
import type { EndpointExplanation } from '../scheduling/decision-record';

export type { EndpointExplanation, ModelRule };

/** Why a request goes where it goes: what each part of the picker did with it, in the order in which they are asked. */
export interface RequestExplanation {
  readonly request: RequestSummary;
  /** Undefined when no model was found. */
  readonly model: ModelStep | undefined;
  readonly limits: readonly LimitStep[];
  /** Undefined where nobody is ranked, so that nobody waits. */
  readonly queue: QueueStep | undefined;
  /** Undefined when the request did not come that far. */
  readonly scheduling: SchedulingStep | undefined;
  readonly decision: DecisionStep;
}

export interface RequestSummary {
  readonly method: string;
  readonly path: string;
  readonly api: RequestApi;
  /** False for a body that the picker refuses as malformed; the facts below are then unknown. */
  readonly isReadable: boolean;
  /** `model` of the body; undefined when it names none. */
  readonly model: string | undefined;
  readonly stream: boolean;
  /** -1 without a bound. */
  readonly maxTokens: number;
  /** Estimate of the scheduler. */
  readonly promptTokens: number;
}

export interface ModelStep {
  readonly rule: ModelRule;
  /** As clients know it. */
  readonly name: string;
  /** Undefined without a policy. */
  readonly priority: number | undefined;
  /** Chances of the model's targets, where there are several: one of them was drawn. */
  readonly chances: readonly { readonly pool: string; readonly ratio: number }[];
  /** What the target was chosen by instead. @default chance */
  readonly session: PolicyStickiness | undefined;
  /** Pools in the order in which they are tried; the first with a ready endpoint is taken. */
  readonly pools: readonly PoolTry[];
}

export interface PoolTry {
  readonly pool: string;
  /** Name that the engine is asked for. */
  readonly targetModel: string;
  readonly readyEndpoints: number;
  readonly isTaken: boolean;
}

export interface LimitStep {
  readonly name: string;
  /** `tokens`, `requests`, or requests at one time. */
  readonly unit: PolicyLimit['unit'];
  readonly amount: number;
  /** Neither for what is limited at one time. */
  readonly windowSeconds?: number;
  readonly calendarWindow?: PolicyLimit['calendarWindow'];
  /** What it counts by, and the value that this request is counted under. */
  readonly keySource: string;
  readonly key: string;
  /** False when it is for other models. */
  readonly applies: boolean;
  /** What is set aside until the engine has counted; 0 where it does not apply. */
  readonly charge: number;
  /** It counts and lets everything pass. */
  readonly shadow: boolean;
}

export interface QueueStep {
  /** Of the model, or of the client's tenant. */
  readonly priority: number;
  readonly band: string;
  /** How full the pool is, 0 to 1. */
  readonly saturationRatio: number;
  /** From where on the band's requests wait, and from where on while a higher band is in use. */
  readonly ceilingRatio: number;
  readonly busyCeilingRatio: number;
  /** Whether it goes on at once, while no higher band is in use and nobody waits. */
  readonly goesOn: boolean;
  /** Longest wait; null for ever. */
  readonly queueSeconds: number | null;
}

export interface SchedulingStep {
  readonly pool: string;
  readonly profile: string;
  /** Best first. */
  readonly endpoints: readonly EndpointExplanation[];
}

export type DecisionStep =
  | {
      readonly kind: 'route';
      /** `ip:port` of the endpoints, best first; those after the first are for a proxy that tries again. */
      readonly endpoints: readonly string[];
      /** Headers that the proxy is told to set, name and value in turn. */
      readonly setHeaders: readonly string[];
    }
  | { readonly kind: 'reject'; readonly status: number; readonly reason: string; readonly body: string };
