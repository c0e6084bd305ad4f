/// <reference types="jest" />
import { type ComponentName, components, type Found, findComponent } from './resolver';

type Paths<N extends ComponentName> = Readonly<Record<N, string>>;

/**
 * `describe` for tests that need real programs. Without them the tests are skipped, and the reason is printed; with `CI=true` they fail
 * instead, because a skipped test proves nothing.
 *
 * ```ts
 * describeWith(['envoy', 'epp'], 'a picker behind Envoy', ({ envoy, epp }) => { it('…', () => …) });
 * ```
 */
export function describeWith<N extends ComponentName>(names: readonly N[], title: string, body: (paths: Paths<N>) => void): void {
  const plan = planFor(names, (name) => findComponent(components[name]), process.env['CI'] === 'true');
  if (plan.kind === 'run') {
    describe(title, () => body(plan.paths));
  } else if (plan.kind === 'skip') {
    process.stderr.write(`SKIPPED ${title}: ${plan.missing.join('; ')}\n`);
    describe.skip(title, () => {
      it(`needs ${plan.missing.join('; ')}`, () => undefined);
    });
  } else {
    describe(title, () => {
      it('has the programs it needs', () => {
        throw new Error(
          `${plan.missing.join('; ')}. CI=true does not allow to skip: the CI script gives ready-made programs by environment variable`,
        );
      });
    });
  }
}

export type Plan<N extends ComponentName> =
  | { readonly kind: 'run'; readonly paths: Paths<N> }
  | { readonly kind: 'skip' | 'fail'; readonly missing: readonly string[] };

/** All that is missing is named at once, so that one look is enough. */
export function planFor<N extends ComponentName>(names: readonly N[], find: (name: N) => Found, mustRun: boolean): Plan<N> {
  const paths: Partial<Record<N, string>> = {};
  const missing: string[] = [];
  for (const name of names) {
    const found = find(name);
    if ('missing' in found) missing.push(found.missing);
    else paths[name] = found.path;
  }
  if (missing.length === 0) return { kind: 'run', paths: paths as Paths<N> };
  return { kind: mustRun ? 'fail' : 'skip', missing };
}
