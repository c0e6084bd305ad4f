// A field selection `a.?b`, not the `\.?` of a pattern.
const OPTIONAL_SYNTAX = /\w\.\?\w|\.orValue\(|\boptional\.\w/;
const CHAIN = String.raw`[A-Za-z_]\w*(?:\.\??[A-Za-z_]\w*)*`;
const PRESENCE = new RegExp(String.raw`\bhas\(\s*(${CHAIN})\s*\)`, 'g');
const OR_VALUE = new RegExp(String.raw`\b(${CHAIN})\.orValue\(\s*([^()]*)\)`, 'g');

/**
 * Writes the optional field syntax of CEL out, which the evaluator does not parse: `has(a.?b.c)` as `(has(a.b) && has(a.b.c))`, and
 * `a.?b.orValue(x)` as `(has(a.b) ? a.b : x)`. Rules of published definitions use it in these two forms only; another form is refused.
 */
export function withoutOptionals(rule: string): string {
  if (!OPTIONAL_SYNTAX.test(rule)) return rule;
  const rewritten = rule
    .replace(OR_VALUE, (_, chain: string, otherwise: string) => {
      const { field, presence } = expand(chain);
      return `(${presence} ? ${field} : ${otherwise})`;
    })
    .replace(PRESENCE, (whole, chain: string) => (chain.includes('.?') ? `(${expand(chain).presence})` : whole));
  if (OPTIONAL_SYNTAX.test(rewritten))
    throw new Error(`cannot run the CEL rule ${JSON.stringify(rule)}: optional syntax of this form`);
  return rewritten;
}

/** `self.?jwt.accessToken` → every prefix from the first optional part on must be there: what follows an optional part is optional too. */
function expand(chain: string): { field: string; presence: string } {
  const parts = chain.split('.');
  const conditions: string[] = [];
  let field = parts[0]!;
  let isOptional = false;
  for (const part of parts.slice(1)) {
    isOptional ||= part.startsWith('?');
    field += `.${part.replace('?', '')}`;
    if (isOptional) conditions.push(`has(${field})`);
  }
  return { field, presence: conditions.length === 0 ? 'true' : conditions.join(' && ') };
}
