import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';

/** A Kubernetes object as synthesized. */
export interface Synthesized {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly annotations?: { [key: string]: string } };
  readonly [field: string]: unknown;
}

/** What an example reads from its environment. */
export interface ExampleSwitches {
  readonly GATEWAY?: string;
  readonly ATTACH?: string;
  readonly API_GENERATION?: string;
}

/** Names of the folders in examples/. */
export const EXAMPLES: readonly string[] = readdirSync(path.join(__dirname, '../../examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** Runs an example as its user would, and returns what it wrote: the text of each file, and the objects of all of them. */
export function synthExample(
  name: string,
  switches: ExampleSwitches = {},
): { readonly text: string; readonly objects: Synthesized[] } {
  const folder = mkdtempSync(path.join(tmpdir(), 'example-'));
  const before = { ...process.env };
  try {
    for (const key of ['GATEWAY', 'ATTACH', 'API_GENERATION']) delete process.env[key];
    Object.assign(process.env, { ...switches, CDK8S_OUTDIR: folder });
    jest.isolateModules(() => {
      require(path.join(__dirname, '../../examples', name, 'main.ts'));
    });
    const text = readdirSync(folder)
      .sort()
      .map((file) => readFileSync(path.join(folder, file), 'utf8'))
      .join('---\n');
    return { text, objects: parseAllDocuments(text, { version: '1.1' }).flatMap((document) => document.toJS() ?? []) };
  } finally {
    process.env = before;
    rmSync(folder, { recursive: true, force: true });
  }
}
