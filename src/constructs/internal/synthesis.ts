import type { Construct, IConstruct } from 'constructs';
import { AiGatewayError } from './errors';

const STATE = Symbol.for('cdk8s-ai-gateway.synthesis');

interface SynthesisState {
  readonly resolvers: (() => void)[];
  readonly checks: Map<string, () => string[]>;
}

/**
 * Runs `resolve` once when the app is synthesized, before anything is written and before the checks below. Some objects depend
 * on what was added last, the second pool of a gateway for example, and cdk8s has no hook but validation.
 */
export function beforeSynthesis(scope: Construct, resolve: () => void): void {
  stateOf(scope).resolvers.push(resolve);
}

/** Runs `check` over the whole app at synthesis, after all objects exist. A second check of the same name is dropped. */
export function checkAtSynthesis(scope: IConstruct, name: string, check: () => string[]): void {
  const { checks } = stateOf(scope);
  if (!checks.has(name)) checks.set(name, check);
}

function stateOf(scope: IConstruct): SynthesisState {
  const { root } = scope.node;
  if (STATE in root) return root[STATE] as SynthesisState;
  const state: SynthesisState = { resolvers: [], checks: new Map() };
  Object.defineProperty(root, STATE, { value: state });
  // The root is validated first, so that what the resolvers make is there for everybody's validations.
  root.node.addValidation({ validate: () => run(state) });
  return state;
}

function run(state: SynthesisState): string[] {
  const errors: string[] = [];
  for (const resolve of state.resolvers) {
    try {
      resolve();
    } catch (error) {
      if (!AiGatewayError.isAiGatewayError(error)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) return errors;
  return [...state.checks.values()].flatMap((check) => check());
}
