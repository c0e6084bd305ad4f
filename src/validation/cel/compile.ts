import { type CelInput, type CelResult, celEnv, parse, plan } from '@bufbuild/cel';
import { compileRe2 } from '../schema/re2';
import type { CelRule } from '../schema/schema-node';
import { KUBERNETES_FUNCTIONS } from './functions';
import { withoutOptionals } from './optionals';

/** Runs one rule on `self`, and on `oldSelf` if it is about a change. */
export type CompiledRule = (self: CelInput, oldSelf?: CelInput) => CelResult;

const env = celEnv({ funcs: KUBERNETES_FUNCTIONS, re2: { compile: compileRe2 } });
const compiled = new Map<string, CompiledRule>();

/** Parses and plans a rule once; throws for a rule that this evaluator cannot run, so that none is skipped in silence. */
export function compileRule(rule: string): CompiledRule {
  let run = compiled.get(rule);
  if (run === undefined) {
    const parsed = parse(withoutOptionals(rule));
    const unknown = [...calls(parsed.expr)].filter((call) => !isKnown(call)).map(({ name }) => name);
    if (unknown.length > 0) throw new Error(`cannot run the CEL rule ${JSON.stringify(rule)}: no function ${unknown.join(', ')}`);
    const planned = plan(env, parsed);
    compiled.set(rule, (run = (self, oldSelf) => planned(oldSelf === undefined ? { self } : { self, oldSelf })));
  }
  return run;
}

/** Whether a rule compares with what was: a transition rule. */
export function isAboutChange({ rule, optionalOldSelf }: CelRule): boolean {
  if (optionalOldSelf === true) throw new Error(`cannot run the CEL rule ${JSON.stringify(rule)}: optionalOldSelf`);
  return /\boldSelf\b/.test(rule);
}

interface Call {
  readonly name: string;
  readonly isMethod: boolean;
  readonly argumentCount: number;
}

function isKnown({ name, isMethod, argumentCount }: Call): boolean {
  const functions = [...(env.funcs.find(name) ?? [])];
  return functions.some((known) => (known.target !== undefined) === isMethod && known.arguments.length === argumentCount);
}

// Operators have names such as `_==_`, `!_` and `@in`, and are always known.
function* calls(node: unknown): Generator<Call> {
  if (typeof node !== 'object' || node === null) return;
  const { case: kind, value } = node as {
    case?: unknown;
    value?: { function?: string; target?: unknown; args?: readonly unknown[] };
  };
  if (kind === 'callExpr' && value?.function !== undefined && /^[A-Za-z]+$/.test(value.function)) {
    yield { name: value.function, isMethod: value.target !== undefined, argumentCount: value.args?.length ?? 0 };
  }
  for (const child of Object.values(node)) yield* calls(child);
}
