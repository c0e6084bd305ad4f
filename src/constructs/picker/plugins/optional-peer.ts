import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { IConstruct } from 'constructs';
import { refuse } from '../../internal/errors';

/** Packages that only programs with plugins of their own need; optional peers of this one. */
export type OptionalPeer = 'esbuild' | 'typescript';

const PURPOSE: Readonly<Record<OptionalPeer, string>> = {
  esbuild: 'to make plugins one file',
  typescript: 'to check the types of plugins',
};

/**
 * Loads a package that is not installed with this one: the copy beside it, or else the user's.
 * @throws AIG459 when there is none
 */
export function optionalPeer(scope: IConstruct, name: OptionalPeer): unknown {
  for (const folder of [__dirname, process.cwd()]) {
    const load = createRequire(join(folder, 'package.json'));
    try {
      load.resolve(name);
    } catch {
      continue;
    }
    return load(name);
  }
  return refuse(scope, {
    code: 'AIG459',
    what: `${name} is needed ${PURPOSE[name]}, and is not installed`,
    fix: `npm install --save-dev ${name}`,
  });
}
