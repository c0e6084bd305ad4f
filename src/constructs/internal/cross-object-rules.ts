import { ApiObject } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { ruleErrors } from '../../validation/rules/check-rules';
import { PATH_ANNOTATION } from './emit';
import { checkAtSynthesis } from './synthesis';

// The kinds that rules about routes, policies, pools and grants read. Pod templates cost more to resolve than all of these together, and
// rules about them are silent where there are none: the command line and the plugin see them.
const READ = new Set([
  'BackendTLSPolicy',
  'BackendTrafficPolicy',
  'ClientTrafficPolicy',
  'EnvoyExtensionPolicy',
  'EnvoyFilter',
  'Gateway',
  'GatewayClass',
  'GRPCRoute',
  'HTTPRoute',
  'InferenceModelRewrite',
  'InferencePool',
  'Namespace',
  'ReferenceGrant',
  'SecurityPolicy',
  'Service',
]);

/**
 * Runs the rules of validation that look at several objects over the whole app at synthesis: also over what the user added, patched
 * or wrote without this library. Errors only; warnings and hints are for the command line and the plugin.
 */
export function checkCrossObjectRules(scope: IConstruct): void {
  const { root } = scope.node;
  checkAtSynthesis(scope, 'cross-object rules', () => {
    const objects = root.node
      .findAll()
      .filter((construct): construct is ApiObject => ApiObject.isApiObject(construct) && READ.has(construct.kind));
    const paths = new Map<unknown, string>();
    const values = objects.map((object) => {
      const value: unknown = object.toJson();
      paths.set(value, object.node.path);
      return value;
    });
    return ruleErrors(values, {}, (value) => pathOf(value) ?? paths.get(value) ?? '');
  });
}

function pathOf(value: unknown): string | undefined {
  return (value as { metadata?: { annotations?: { [key: string]: string } } }).metadata?.annotations?.[PATH_ANNOTATION];
}
