import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Mutator } from './mutator';
import type { FuzzTarget } from './targets';

/** An input for which something did not hold. */
export interface FuzzFailure {
  readonly target: string;
  readonly input: Buffer;
  readonly cut: number;
  readonly error: Error;
}

/** Gives a target its seeds and then inputs made of them, up to `inputs`. @returns the first failure */
export function fuzz(target: FuzzTarget, inputs: number, seed: number): FuzzFailure | undefined {
  const mutator = new Mutator(seed);
  for (let i = 0; i < inputs; i++) {
    const input = target.seeds[i] ?? mutator.next(target.seeds);
    const cut = mutator.cut(input);
    try {
      // a parser may write into what it was given
      target.run(Buffer.from(input), cut);
    } catch (error) {
      return { target: target.name, input, cut, error: error as Error };
    }
  }
  return undefined;
}

/** Keeps the input for a test. @returns the file */
export function keep({ target, input }: FuzzFailure, folder: string): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${target.replace(/\W+/g, '-')}.bin`);
  writeFileSync(file, input);
  return file;
}
