import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const SOURCE = join(__dirname, '../../../../src/constructs/picker/delivery/bundle.ts');

/** The module that looks for the program, where it stands in a package, and the folder of that package. */
function packaged(place: string): { ownBundleFile: () => string | undefined; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'picker-package-'));
  writeFileSync(join(folder, 'package.json'), '{}');
  const outfile = join(folder, place, 'constructs/picker/delivery/bundle.js');
  buildSync({ entryPoints: [SOURCE], bundle: true, platform: 'node', packages: 'external', outfile });
  return { ...require(outfile), folder };
}

describe.each(['src', 'dist/lib/src'])('the program of this package, looked for from %s', (place) => {
  it('is dist/picker/main.js', () => {
    const { ownBundleFile, folder } = packaged(place);
    mkdirSync(join(folder, 'dist/picker'), { recursive: true });
    writeFileSync(join(folder, 'dist/picker/main.js'), 'the picker');
    expect(ownBundleFile()).toBe(join(folder, 'dist/picker/main.js'));
  });

  it('is not there before the first build', () => {
    expect(packaged(place).ownBundleFile()).toBeUndefined();
  });
});
