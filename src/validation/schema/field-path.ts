/** Where a value is inside a manifest: property names and array indices from the root. */
export type FieldPath = readonly (string | number)[];

/** `spec.rules[0].matches[1].path`, and `metadata.labels[app.kubernetes.io/name]` as the API server writes map keys that are no plain names. */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (!/^[A-Za-z0-9_$-]+$/.test(step)) text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text === '' ? '(root)' : text;
}

/** `/spec/rules/0` → its steps, numbers where `value` has an array there. */
export function parseJsonPointer(pointer: string, value: unknown): FieldPath {
  const steps: (string | number)[] = [];
  let current = value;
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(current) ? Number(key) : key);
    current = (current as Record<string, unknown> | undefined)?.[key];
  }
  return steps;
}

/** Whether a path leads to the value at `prefix` or into it. */
export function startsWith(path: FieldPath, prefix: FieldPath): boolean {
  return prefix.length <= path.length && prefix.every((step, index) => step === path[index]);
}

/** The value at a path that exists. */
export function valueAt(root: unknown, path: FieldPath): unknown {
  return path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | undefined)?.[step], root);
}
