import { rmSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { App, Chart } from 'cdk8s';
import { PART_BYTES, packBundle } from '../../../../src/constructs/picker/delivery/bundle';
import { PickerDelivery } from '../../../../src/constructs/values/picker-delivery';
import { aPicker, aProgram, containerOf, type ManifestObject, noise } from './support';

const delivered = (program: string) => aPicker({ delivery: PickerDelivery.configMap({ bundleFile: aProgram(program) }) });
const partsOf = (objects: ManifestObject[]) => objects.filter(({ kind }) => kind === 'ConfigMap');

describe('a picker that is delivered in ConfigMaps', () => {
  const large = delivered(noise(500_000)).objects();
  const parts = partsOf(large);

  it('is split so that kubectl can apply every object with its annotation', () => {
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThanOrEqual(180_000);
  });

  it('fills every part but the last', () => {
    const sizes = parts.map((part) => Buffer.from(Object.values(part.binaryData)[0] as string, 'base64').length);
    for (const size of sizes.slice(0, -1)) expect(size).toBe(PART_BYTES);
    expect(sizes.at(-1)).toBeLessThanOrEqual(PART_BYTES);
  });

  it('unpacks to the program, byte for byte', () => {
    const packed = Buffer.concat(parts.map((part) => Buffer.from(Object.values(part.binaryData)[0] as string, 'base64')));
    expect(brotliDecompressSync(packed).toString()).toBe(noise(500_000));
  });

  it('is mounted from all of its parts into one folder', () => {
    const { volumes } = large.find(({ kind }) => kind === 'Deployment').spec.template.spec;
    const { projected } = volumes.find(({ name }: { name: string }) => name === 'picker-bundle');
    expect(projected.sources.map((source: ManifestObject) => source.configMap.name)).toEqual(
      parts.map((part) => part.metadata.name),
    );
  });

  it('is the same for the same program', () => {
    expect(delivered('console.log(1);').objects()).toEqual(delivered('console.log(1);').objects());
  });

  it('has other names, and so other pods, when the program changes', () => {
    const [before, after] = [delivered('console.log(1);').objects(), delivered('console.log(2);').objects()];
    expect(partsOf(after)[0].metadata.name).not.toBe(partsOf(before)[0].metadata.name);
    expect(partsOf(after)[0].immutable).toBe(true);
  });

  it('runs on a pinned image of Node and needs no registry of its own', () => {
    const container = containerOf(large.find(({ kind }) => kind === 'Deployment'));
    expect(container.image).toMatch(/^docker\.io\/library\/node:24\.\d+\.\d+-\w+-slim$/);
    expect(container.command).toEqual(['node', '/opt/picker/bundle/loader.js']);
  });

  it('starts Node as the image does, unless told otherwise', () => {
    const delivery = PickerDelivery.configMap({ bundleFile: aProgram('1') });
    const variables = (extraEnv: Record<string, string>) =>
      containerOf(aPicker({ delivery, extraEnv }).only('Deployment')).env.map(
        ({ name, value }: { name: string; value?: string }) => `${name}=${value}`,
      );
    expect(variables({})).toEqual(expect.arrayContaining(['MALLOC_ARENA_MAX=1', 'NODE_OPTIONS=--max-semi-space-size=2']));
    const own = variables({ NODE_OPTIONS: '--trace-gc' });
    expect(own.filter((variable: string) => variable.startsWith('NODE_OPTIONS='))).toEqual(['NODE_OPTIONS=--trace-gc']);
  });

  it('keeps its names within the 63 characters of a label', () => {
    const name = 'a'.repeat(40);
    const made = aPicker({ name, delivery: PickerDelivery.configMap({ bundleFile: aProgram('1') }) });
    for (const object of made.objects()) expect(object.metadata.name.length).toBeLessThanOrEqual(63);
  });

  it.each([
    ['is not there', () => '/nowhere/main.js'],
    [
      'is gone',
      () => {
        const file = aProgram('1');
        rmSync(file);
        return file;
      },
    ],
    ['is empty', () => aProgram('')],
  ])('is refused with the way to build it when the program %s', (_, file) => {
    const chart = new Chart(new App(), 'chart');
    expect(() => packBundle(chart, file())).toThrow(/^AIG446 .*npm run build.*\[chart\]$/);
  });
});
