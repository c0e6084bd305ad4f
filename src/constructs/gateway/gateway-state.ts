import type { Construct } from 'constructs';
import type { GatewayAdapter } from '../../implementations/gateway-adapter';
import type { IInferenceModel } from '../inference-model';
import type { PickerLimit } from '../picker-limit';
import type { ModelGatewayOptions } from './gateway-props';
import type { ParentGateway } from './model-route';

/** What a gateway construct knows when its objects are made. */
export interface GatewayState {
  /** Scope of the objects, and where errors point. */
  readonly construct: Construct;
  readonly adapter: GatewayAdapter;
  readonly options: ModelGatewayOptions;
  /** What names of objects begin with. */
  readonly baseName: string;
  readonly gatewayName: string;
  readonly gatewayNamespace: string | undefined;
  readonly ownsGateway: boolean;
  readonly parent: ParentGateway;
  readonly routeNamespace: string | undefined;
  readonly models: readonly IInferenceModel[];
  readonly limits: readonly PickerLimit[];
}
