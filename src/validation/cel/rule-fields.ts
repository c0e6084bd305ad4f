const MAX_FIELDS = 4;

/**
 * The fields that a rule speaks of, for its message: `self.group == 'x' || has(self.ref.port)` → `group and ref.port`. Empty when it
 * speaks of the value as a whole.
 */
export function fieldsNamedBy(rule: string): string {
  const withoutTexts = rule.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, "''");
  const chains = withoutTexts.matchAll(/\b[A-Za-z_]\w*((?:\.\??[A-Za-z_]\w*)+)(\()?/g);
  const names = new Set<string>();
  for (const [, steps, call] of chains) {
    const parts = steps!.replaceAll('.?', '.').slice(1).split('.');
    if (call !== undefined) parts.pop(); // a function of the field
    if (parts.length > 0) names.add(parts.map(unescaped).join('.'));
  }
  const shown = [...names].slice(0, MAX_FIELDS);
  if (names.size > MAX_FIELDS) return `${shown.join(', ')} and others`;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)!}`;
}

// `__namespace__` is how a rule writes `namespace`.
function unescaped(name: string): string {
  return name
    .replace(/^__([a-z]+)__$/, '$1')
    .replaceAll('__dash__', '-')
    .replaceAll('__dot__', '.')
    .replaceAll('__slash__', '/')
    .replaceAll('__underscores__', '__');
}
