import { type ApiObject, Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import {
  type HttpRouteSpecRulesFilters,
  HttpRouteSpecRulesFiltersRequestRedirectScheme,
  HttpRouteSpecRulesFiltersType,
} from '../../imports/gateway.networking.k8s.io';
import { emitGateway } from './gateway/gateway-object';
import type { ModelGatewayOptions } from './gateway/gateway-props';
import type { GatewayState } from './gateway/gateway-state';
import { type IAiGateway, ModelGateway } from './gateway/model-gateway';
import { type ParentGateway, parentAndHosts } from './gateway/model-route';
import { checkCrossObjectRules } from './internal/cross-object-rules';
import { emit } from './internal/emit';
import { refuse } from './internal/errors';
import { derivedName, resourceName } from './internal/names';
import { GatewayListener } from './values/gateway-listener';

/** Longest name that leaves room for what implementations derive from it (`envoy-<namespace>-<gateway>-<hash>`, `<gateway>-<class>`). */
const MAX_NAME_LENGTH = 40;

/** Properties of {@link AiGateway}. */
export interface AiGatewayProps extends ModelGatewayOptions {
  /** Name of the Gateway. @default - made from the construct's path */
  readonly gatewayName?: string;
  /** Namespace of the Gateway. @default - the chart's */
  readonly gatewayNamespace?: string;
  /** Class of the Gateway. @default - the usual one of the implementation */
  readonly gatewayClassName?: string;
  /** Make the GatewayClass too. @default false */
  readonly createGatewayClass?: boolean;
  /** Ports that the Gateway opens. @default - HTTP on port 80 */
  readonly listeners?: GatewayListener[];
  /** Answer HTTP with a redirect to HTTPS. Needs a listener of each. @default false */
  readonly redirectHttpToHttps?: boolean;
  /** Further namespaces whose routes may use the Gateway. @default - only the chart's */
  readonly routeNamespaces?: string[];
  /** Labels of the Gateway. @default - none */
  readonly labels?: { readonly [key: string]: string };
  /** Annotations of the Gateway. @default - none */
  readonly annotations?: { readonly [key: string]: string };
}

/** A Gateway that is in the cluster already. */
export interface AiGatewayAttributes extends ModelGatewayOptions {
  /** Name of the Gateway. */
  readonly gatewayName: string;
  /** Namespace of the Gateway. @default - the chart's namespace */
  readonly gatewayNamespace?: string;
  /** Listeners to attach to. @default - all */
  readonly listenerNames?: string[];
}

/**
 * A Gateway that serves models: its listeners, the route, and, by the chosen implementation, what connects it to an endpoint picker.
 *
 * @throws AIG460 to AIG498: see docs/errors.md
 */
export class AiGateway extends ModelGateway {
  /** Adds models to a Gateway that somebody else made. It must allow routes of the chart's namespace. */
  public static fromGatewayName(scope: Construct, id: string, attributes: AiGatewayAttributes): IAiGateway {
    return new ImportedGateway(scope, id, attributes);
  }

  public readonly gatewayName: string;
  public readonly gatewayNamespace: string | undefined;
  /** The Gateway object. */
  public readonly gateway: ApiObject;
  private readonly props: AiGatewayProps;
  private readonly listeners: readonly GatewayListener[];

  public constructor(scope: Construct, id: string, props: AiGatewayProps) {
    super(scope, id, props);
    this.props = props;
    this.gatewayName = resourceName(this, { explicit: props.gatewayName, maxLength: MAX_NAME_LENGTH });
    this.gatewayNamespace = props.gatewayNamespace ?? Chart.of(this).namespace;
    this.listeners = this.checkedListeners(props.listeners ?? [GatewayListener.http()]);
    const className = this.className();
    this.gateway = emitGateway(this, {
      name: this.gatewayName,
      namespace: this.gatewayNamespace,
      className,
      listeners: this.listeners,
      routeNamespaces: this.routeNamespaces(),
      labels: props.labels,
      annotations: props.annotations,
      parametersRef: () =>
        this._resolved === undefined ? undefined : props.implementation.adapter.parametersRef(this._resolved.plan),
    });
    if (props.createGatewayClass) this.emitGatewayClass(className);
    if (props.redirectHttpToHttps) this.emitRedirect();
    checkCrossObjectRules(this);
  }

  protected place(): Pick<GatewayState, 'baseName' | 'gatewayName' | 'gatewayNamespace' | 'ownsGateway' | 'parent'> {
    const { gatewayName, gatewayNamespace } = this;
    return { baseName: gatewayName, gatewayName, gatewayNamespace, ownsGateway: true, parent: this.parentFor('models') };
  }

  private className(): string {
    const name = this.props.gatewayClassName ?? this.props.implementation.adapter.capabilities.defaultGatewayClassName;
    if (name !== undefined) return name;
    return refuse(this, { code: 'AIG489', what: 'no gateway class is known', fix: 'set gatewayClassName' });
  }

  /** With a redirect, models are on HTTPS only. */
  private parentFor(route: 'models' | 'redirect'): ParentGateway {
    const protocol = route === 'redirect' ? 'HTTP' : 'HTTPS';
    const sectionNames = this.props.redirectHttpToHttps
      ? this.listeners.filter((listener) => listener.protocol === protocol).map(({ name }) => name)
      : [];
    return { name: this.gatewayName, namespace: this.gatewayNamespace, sectionNames };
  }

  /** Empty when all routes are in the Gateway's own namespace. */
  private routeNamespaces(): string[] {
    const own = Chart.of(this).namespace;
    const others = this.props.routeNamespaces ?? [];
    if (own === this.gatewayNamespace && others.length === 0) return [];
    if (own === undefined) {
      return refuse(this, {
        code: 'AIG475',
        what: 'the Gateway is in another namespace than its routes, and theirs is not known',
        fix: "set the namespace of the chart: new Chart(app, 'llm', { namespace: 'ai-inference' })",
      });
    }
    return [...new Set([own, ...others])].sort();
  }

  private checkedListeners(listeners: readonly GatewayListener[]): readonly GatewayListener[] {
    const names = listeners.map(({ name }) => name);
    const places = listeners.map(({ protocol, port, hostname }) => `${protocol} ${port} ${hostname ?? '*'}`);
    const protocols = new Set(listeners.map(({ protocol }) => protocol));
    const mixed = listeners.some((one) => listeners.some((other) => other.port === one.port && other.protocol !== one.protocol));
    const fault =
      listeners.length === 0 || listeners.length > 64
        ? 'a Gateway has 1 to 64 listeners'
        : new Set(names).size !== names.length
          ? 'two listeners have the same name'
          : new Set(places).size !== places.length || mixed
            ? 'two listeners want the same port'
            : this.props.redirectHttpToHttps && protocols.size < 2
              ? 'a redirect needs a listener for HTTP and one for HTTPS'
              : undefined;
    if (fault === undefined) return listeners;
    return refuse(this, { code: 'AIG477', what: fault, value: places, fix: 'change the listeners' });
  }

  private emitGatewayClass(name: string): void {
    const { controllerName, displayName } = this.props.implementation.adapter.capabilities;
    if (controllerName === undefined) {
      refuse(this, {
        code: 'AIG489',
        what: `the controller of ${displayName} is not known, so its GatewayClass cannot be made`,
        fix: 'leave createGatewayClass out and make the class as its documentation says',
      });
    }
    emit(this, 'GatewayClass', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name, annotations: this.props.implementation.adapter.gatewayClassAnnotations() },
      clusterScoped: true,
      body: { spec: { controllerName } },
      why: `has ${displayName} take care of the Gateway`,
    });
  }

  /** A port has to be named where it is not the usual one of the scheme. */
  private redirectToHttps(): HttpRouteSpecRulesFilters['requestRedirect'] {
    const port = this.listeners.find((listener) => listener.protocol === 'HTTPS')?.port;
    return {
      scheme: HttpRouteSpecRulesFiltersRequestRedirectScheme.HTTPS,
      statusCode: 301,
      ...(port === 443 ? {} : { port }),
    };
  }

  private emitRedirect(): void {
    emit(this, 'RedirectRoute', {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'HTTPRoute',
      metadata: { name: derivedName(this.gatewayName, 'redirect', 63) },
      body: {
        spec: {
          ...parentAndHosts(this.parentFor('redirect'), Chart.of(this).namespace, this.props.hostnames ?? []),
          rules: [
            {
              filters: [
                {
                  type: HttpRouteSpecRulesFiltersType.REQUEST_REDIRECT,
                  requestRedirect: this.redirectToHttps(),
                },
              ],
            },
          ],
        },
      },
      why: 'answers HTTP with a redirect to HTTPS',
    });
  }
}

class ImportedGateway extends ModelGateway {
  public readonly gatewayName: string;
  public readonly gatewayNamespace: string | undefined;
  private readonly listenerNames: readonly string[];
  private readonly baseName: string;

  public constructor(scope: Construct, id: string, attributes: AiGatewayAttributes) {
    super(scope, id, attributes);
    this.gatewayName = attributes.gatewayName;
    this.gatewayNamespace = attributes.gatewayNamespace ?? Chart.of(this).namespace;
    this.listenerNames = attributes.listenerNames ?? [];
    this.baseName = resourceName(this, { maxLength: MAX_NAME_LENGTH });
  }

  protected place(): Pick<GatewayState, 'baseName' | 'gatewayName' | 'gatewayNamespace' | 'ownsGateway' | 'parent'> {
    const { gatewayName, gatewayNamespace } = this;
    const parent = { name: gatewayName, namespace: gatewayNamespace, sectionNames: this.listenerNames };
    return { baseName: this.baseName, gatewayName, gatewayNamespace, ownsGateway: false, parent };
  }
}
