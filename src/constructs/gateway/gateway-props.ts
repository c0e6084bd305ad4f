import type { Duration } from 'cdk8s';
import type { AttachMode } from '../../implementations/attach-mode';
import type { GatewayImplementation } from '../../implementations/gateway-implementation';
import type { EndpointPickerOptions } from '../picker/options';
import type { SidecarProxyOptions } from '../sidecar/sidecar-proxy';
import type { ClientIdentity } from '../values/client-identity';
import type { CorsOptions } from '../values/cors';
import type { FlowControlOptions } from '../values/flow-control';
import type { ModelAccess } from '../values/model-access';
import type { ModelApi } from '../values/model-api';
import type { TokenStore } from '../values/token-store';

/** What an own gateway and one that is there already have in common. */
export interface ModelGatewayOptions {
  /** The Gateway API implementation that runs in the cluster. */
  readonly implementation: GatewayImplementation;
  /** How the picker is attached. @default - what the implementation does best for one pool; sidecar mode for several */
  readonly attach?: AttachMode;
  /** Settings of the pickers. @default - two replicas, delivered in ConfigMaps */
  readonly picker?: EndpointPickerOptions;
  /** Settings of the proxy of sidecar mode. @default - see SidecarProxyOptions */
  readonly proxy?: SidecarProxyOptions;
  /** Who the callers are. @default - nobody is known, and limits per client are refused */
  readonly identity?: ClientIdentity;
  /** Which models a client may use. @default - all */
  readonly modelAccess?: ModelAccess;
  /** Path below which the API is served. @default '/v1' */
  readonly pathPrefix?: string;
  /** Hosts that the model route answers for. @default - those of the listeners */
  readonly hostnames?: string[];
  /** Header whose value chooses the model, whatever the body says: see `headerClasses`. @default 'x-model-class' */
  readonly classHeader?: string;
  /** Value of the class header → model name. Other values, and requests without the header, go by the body's model. @default - none */
  readonly headerClasses?: { readonly [value: string]: string };
  /** Model of requests that name none that is known. @default - such requests get 404 */
  readonly defaultModel?: string;
  /** Longest that an answer may take, queueing included. @default - the longest of the pools' backends, else Duration.hours(1) */
  readonly longestAnswer?: Duration;
  /** Longest silence on a stream: until the first token, and between two. @default Duration.minutes(5) */
  readonly longestSilence?: Duration;
  /** Further attempts when an engine cannot be reached; they walk the picker's list of endpoints. 0 to 10. @default 2 */
  readonly retries?: number;
  /** Cross-origin rules for browsers. @default - none */
  readonly cors?: CorsOptions;
  /** Queues of the picker. @default - with the picker's defaults, as soon as models differ in criticality */
  readonly flowControl?: FlowControlOptions;
  /** Where token budgets are counted. @default TokenStore.memory() */
  readonly tokenStore?: TokenStore;
  /** Kinds of objects that describe models. @default - what the picker and the pools' API generation need */
  readonly modelApi?: ModelApi;
  /**
   * Make the ReferenceGrants that references to other namespaces need. When false, such a reference is refused.
   * @default true
   */
  readonly referenceGrants?: boolean;
  /** DNS domain of the cluster. @default 'cluster.local' */
  readonly clusterDomain?: string;
}
