import type { Field, KubeObject, ObjectIndex } from '../object-index';
import { finding, type Rule, type RuleFinding } from './rule';
import { isModelRule } from './support/engines';
import type { Implementation } from './support/implementation-names';
import { backendRefs, httpRoutes, implementationsOf, isPool, policiesFor, rulesOf } from './support/routes';

const EG = 'gateway.envoyproxy.io';

/** A streamed answer takes minutes; each gateway has a default that ends it before, and a field of its own that prevents it. */
export const streamTimeout: Rule = {
  code: 'AIG125',
  name: 'stream-timeout',
  title: 'The gateway does not cut answers that take minutes',
  severity: 'warning',
  check: (index, profile) =>
    httpRoutes(index).flatMap((route) =>
      rulesOf(route)
        .filter((rule) => isModelRule(index, rule))
        .flatMap((rule) =>
          implementationsOf(index, profile, route).flatMap((implementation) => check(index, route, rule, implementation)),
        ),
    ),
};

function check(index: ObjectIndex, route: KubeObject, rule: Field, implementation: Implementation): RuleFinding[] {
  const request = rule.at('timeouts', 'request');
  const backendRequest = rule.at('timeouts', 'backendRequest');
  switch (implementation) {
    case 'envoy-gateway':
    case 'envoy-ai-gateway':
    case 'kgateway': {
      if (request.isSet || backendRequest.isSet || rule.at('filters').items.some(({ value }) => isRedirect(value))) return [];
      const byPolicy =
        implementation !== 'kgateway' &&
        policiesFor(index, EG, 'BackendTrafficPolicy', route, rule).some(
          (policy) => policy.at('spec', 'timeout', 'http', 'requestTimeout').isSet,
        );
      const byOther =
        implementation === 'kgateway' &&
        index.objects.some(({ group, kind }) => group === 'gateway.kgateway.dev' && kind === 'TrafficPolicy');
      if (byPolicy || byOther) return [];
      return [
        finding(request, 'is not set: Envoy cuts answers after 15 s, in mid-stream and with status 200', {
          fix: 'set timeouts.request and timeouts.backendRequest to the longest answer, 600s for example',
        }),
      ];
    }
    case 'kong':
      return kong(index, rule);
    case 'nginx':
      return backendRefs(rule).length > 0 && !hasProxySettings(index, route)
        ? [
            {
              field: rule,
              what: 'the rule leads to models, and NGINX ends an answer that is silent for 60 s',
              fix: 'add a ProxySettingsPolicy with timeout.read, and buffering.disable: true, for the route or its Gateway',
              severity: 'hint',
            },
          ]
        : [];
    case 'gke':
      return backendRefs(rule).flatMap((ref) => {
        const policies = index.ofKind('networking.gke.io', 'GCPBackendPolicy');
        const policy = policies.find(
          (entry) => entry.namespace === ref.namespace && entry.at('spec', 'targetRef', 'name').text === ref.name,
        );
        if (policy?.at('spec', 'default', 'timeoutSec').isSet) return [];
        return [
          finding(ref.field, 'leads to models, and GKE ends answers after 30 s', {
            fix: `add a GCPBackendPolicy with default.timeoutSec for the ${ref.kind} ${ref.name}`,
            severity: policies.length === 0 && !isPool(ref) ? 'hint' : 'warning',
          }),
        ];
      });
    default:
      return [];
  }
}

function isRedirect(filter: unknown): boolean {
  return typeof filter === 'object' && filter !== null && (filter as { type?: unknown }).type === 'RequestRedirect';
}

// Kong measures the gap between two reads, so that a long stream lives, and a slow first token does not.
function kong(index: ObjectIndex, rule: Field): RuleFinding[] {
  if (rule.at('timeouts', 'backendRequest').isSet) return [];
  return backendRefs(rule).flatMap((ref) => {
    const service = index.find('', 'Service', ref.namespace, ref.name);
    if (service === undefined || service.annotation('konghq.com/read-timeout') !== undefined) return [];
    return [
      finding(ref.field, 'leads to models, and Kong gives up after 60 s without a byte', {
        fix: 'set timeouts.backendRequest, or the annotation konghq.com/read-timeout of the Service, in milliseconds',
      }),
    ];
  });
}

function hasProxySettings(index: ObjectIndex, route: KubeObject): boolean {
  return policiesFor(index, 'gateway.nginx.org', 'ProxySettingsPolicy', route).length > 0;
}
