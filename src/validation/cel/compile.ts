import { type CelInput, type CelResult, celEnv, parse, plan } from '@bufbuild/cel';
import { compileRe2 } from '../schema/re2';
import { KNOWN_FUNCTIONS, KUBERNETES_FUNCTIONS } from './functions';
import { withoutOptionals } from './optionals';

/** Runs one rule on `self`. */
export type CompiledRule = (self: CelInput) => CelResult;

const env = celEnv({ funcs: KUBERNETES_FUNCTIONS, re2: { compile: compileRe2 } });
const compiled = new Map<string, CompiledRule>();

/** Parses and plans a rule once; throws for a rule that this evaluator cannot run, so that none is skipped in silence. */
export function compileRule(rule: string): CompiledRule {
  let run = compiled.get(rule);
  if (run === undefined) {
    const parsed = parse(withoutOptionals(rule));
    const unknown = [...calledFunctions(parsed.expr)].filter((name) => !KNOWN_FUNCTIONS.has(name));
    if (unknown.length > 0) throw new Error(`cannot run the CEL rule ${JSON.stringify(rule)}: no function ${unknown.join(', ')}`);
    const planned = plan(env, parsed);
    compiled.set(rule, (run = (self) => planned({ self })));
  }
  return run;
}

// Operators have names such as `_==_`, `!_` and `@in`.
function calledFunctions(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  const { case: kind, value } = node as { case?: unknown; value?: { function?: string } };
  if (kind === 'callExpr' && value?.function !== undefined && /^\w+$/.test(value.function) && !value.function.includes('_'))
    found.add(value.function);
  for (const child of Object.values(node)) calledFunctions(child, found);
  return found;
}
