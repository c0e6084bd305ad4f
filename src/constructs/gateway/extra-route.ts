import { HttpRouteSpecRulesMatchesPathType } from '../../../imports/gateway.networking.k8s.io';
import { emit } from '../internal/emit';
import { refuse } from '../internal/errors';
import { derivedName } from '../internal/names';
import type { GatewayState } from './gateway-state';
import { emitRouteGrant } from './grants';
import { parentAndHosts } from './model-route';

/** A route beside those of the models: a web page, a tokenizer, another API. */
export interface RouteOptions {
  /** Path below which requests go to the Service, starting with `/`. */
  readonly pathPrefix: string;
  /** Name of the Service. */
  readonly serviceName: string;
  /** Port of the Service. */
  readonly servicePort: number;
  /** Namespace of the Service. @default - the chart's namespace */
  readonly serviceNamespace?: string;
  /** Hosts that the route answers for. @default - the gateway's */
  readonly hostnames?: string[];
}

/** Emits the HTTPRoute, and the grant when the Service is in another namespace. */
export function emitExtraRoute(gateway: GatewayState, id: string, options: RouteOptions): void {
  const modelPrefix = gateway.options.pathPrefix ?? '/v1';
  if (
    !/^\/[^\s#?]*$/.test(options.pathPrefix) ||
    /\/\/|\/\.\.?(\/|$)|%2f/i.test(options.pathPrefix) ||
    options.pathPrefix === modelPrefix
  ) {
    refuse(gateway.construct, {
      code: 'AIG484',
      what: options.pathPrefix === modelPrefix ? 'the models have this path' : 'this is no path prefix',
      value: options.pathPrefix,
      allowed: 'an absolute path without //, /./ and /../',
      fix: 'choose another path',
    });
  }
  const namespace = options.serviceNamespace ?? gateway.routeNamespace;
  const foreign = namespace !== gateway.routeNamespace;
  if (foreign && namespace !== undefined && gateway.routeNamespace !== undefined) {
    const backend = { kind: 'Service' as const, name: options.serviceName, namespace };
    emitRouteGrant(gateway.construct, gateway.routeNamespace, backend, gateway.options.referenceGrants ?? true);
  }
  emit(gateway.construct, `Route-${id}`, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: derivedName(gateway.baseName, id.toLowerCase().replace(/[^a-z0-9]+/g, '-'), 63) },
    body: {
      spec: {
        ...parentAndHosts(gateway.parent, gateway.routeNamespace, options.hostnames ?? gateway.options.hostnames ?? []),
        rules: [
          {
            matches: [{ path: { type: HttpRouteSpecRulesMatchesPathType.PATH_PREFIX, value: options.pathPrefix } }],
            backendRefs: [{ name: options.serviceName, port: options.servicePort, ...(foreign ? { namespace } : {}) }],
          },
        ],
      },
    },
    why: `sends ${options.pathPrefix} to ${options.serviceName}`,
  });
}
