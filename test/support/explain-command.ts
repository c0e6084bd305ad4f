import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { explain } from '../../src/cli/explain/command';
import { type ExampleSwitches, synthExample } from './examples';

const FIXTURES = path.join(__dirname, '../fixtures/explain');

/** A file of test/fixtures/explain. */
export function explainFixture(name: string): string {
  return path.join(FIXTURES, name);
}

/** What a command printed, and how it ended. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** `cdk8s-ai-gateway explain` about the examples, with their manifests in a folder of its own. */
export class ExplainCommand {
  public readonly folder = mkdtempSync(path.join(tmpdir(), 'explain-'));
  private readonly manifests = new Map<string, string>();

  /** File with the manifests of an example. */
  public manifestsOf(example: string, switches: ExampleSwitches = {}): string {
    const key = `${example}-${Object.values(switches).join('-')}`;
    const known = this.manifests.get(key);
    if (known !== undefined) return known;
    const file = path.join(this.folder, `${key}.yaml`);
    writeFileSync(file, synthExample(example, switches).text);
    this.manifests.set(key, file);
    return file;
  }

  /** Runs it in this process; paths of this machine are taken out of what it prints about files. */
  public async run(args: readonly string[]): Promise<Printed> {
    const out = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const err = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    const text = (spy: jest.SpyInstance): string => spy.mock.calls.map(([chunk]) => String(chunk)).join('');
    try {
      const code = await explain(args);
      return { code, out: text(out), err: text(err).replaceAll(this.folder, '').replaceAll(FIXTURES, '') };
    } finally {
      out.mockRestore();
      err.mockRestore();
    }
  }

  public close(): void {
    rmSync(this.folder, { recursive: true });
  }
}
