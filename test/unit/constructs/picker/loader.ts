import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Chart } from 'cdk8s';
import { packBundle } from '../../../../src/constructs/picker/delivery/bundle';
import { aProgram } from './support';

/** A program that says what it sees, and ends with 7 when it is told to. */
export const TALKING_PROGRAM = `
process.on('SIGTERM', () => { console.log('told to stop'); process.exit(7); });
console.log(JSON.stringify({ argv: process.argv.slice(2), isMain: require.main === module, file: __filename, pid: process.pid }));
setInterval(() => undefined, 1000);
`;

/** Two folders as a pod has them: the parts, and an empty one to unpack into. */
export interface Mounted {
  readonly loader: string;
  readonly bundleFolder: string;
  readonly unpackFolder: string;
  readonly partNames: readonly string[];
}

/** Writes what the kubelet would mount for `program`. */
export function mounted(program: string): Mounted {
  const folder = mkdtempSync(join(tmpdir(), 'picker-loader-'));
  const bundleFolder = join(folder, 'bundle');
  const unpackFolder = join(folder, 'unpacked');
  mkdirSync(bundleFolder);
  mkdirSync(unpackFolder);
  const { parts } = packBundle(new Chart(new App(), 'chart'), aProgram(program));
  for (const { data, binaryData } of parts) {
    for (const [key, text] of Object.entries(data)) writeFileSync(join(bundleFolder, key), text);
    for (const [key, base64] of Object.entries(binaryData)) writeFileSync(join(bundleFolder, key), Buffer.from(base64, 'base64'));
  }
  return {
    loader: join(bundleFolder, 'loader.js'),
    bundleFolder,
    unpackFolder,
    partNames: parts.flatMap(({ binaryData }) => Object.keys(binaryData)),
  };
}
