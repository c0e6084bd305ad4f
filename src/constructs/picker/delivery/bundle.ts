import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import type { IConstruct } from 'constructs';
import { refuse } from '../../internal/errors';
import { type BundleManifest, LOADER_KEY, LOADER_SCRIPT, MANIFEST_KEY } from './loader-script';

/**
 * Bytes of one part before base64. `kubectl apply` repeats an object in an annotation, and all annotations together may have
 * 262,144 bytes: 126,000 bytes are 168,000 in base64, which leaves room for the loader and the object's own fields below 180,000.
 */
export const PART_BYTES = 126_000;

/** One ConfigMap of a bundle. */
export interface BundlePart {
  readonly data: { readonly [key: string]: string };
  /** Base64. */
  readonly binaryData: { readonly [key: string]: string };
}

/** The picker's program, ready to be put into ConfigMaps. */
export interface Bundle {
  /** Eight hexadecimal digits that change when any byte of any part does. */
  readonly digest: string;
  /** The files of all parts belong into one folder. */
  readonly parts: readonly BundlePart[];
}

/** Path of the program that this package carries, from `src/` and from `dist/lib/src/` alike; undefined before the first build. */
export function ownBundleFile(): string | undefined {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) {
      const file = join(folder, 'dist', 'picker', 'main.js');
      return existsSync(file) ? file : undefined;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

/**
 * Packs the program in `file`. Takes about 60 ms for 1.5 MB, and gives the same parts for the same bytes and the same Node release.
 *
 * @throws AIG446 when there is no program
 */
export function packBundle(scope: IConstruct, file: string | undefined): Bundle {
  const program = readProgram(scope, file ?? ownBundleFile());
  const packed = brotliCompressSync(program, {
    params: {
      // 11, the highest, takes 1.5 s and saves 13 %: at 9 an `npm run synth` stays quick, and the number of parts is the same
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_SIZE_HINT]: program.length,
    },
  });
  const slices: Buffer[] = [];
  for (let start = 0; start < packed.length; start += PART_BYTES) slices.push(packed.subarray(start, start + PART_BYTES));
  const manifest: BundleManifest = {
    parts: slices.map((_, index) => partKey(index)),
    packedSha256: createHash('sha256').update(packed).digest('hex'),
    programBytes: program.length,
  };
  const started: BundlePart['data'] = { [LOADER_KEY]: LOADER_SCRIPT, [MANIFEST_KEY]: JSON.stringify(manifest) };
  const parts = slices.map(
    (slice, index): BundlePart => ({
      data: index === 0 ? started : {},
      binaryData: { [partKey(index)]: slice.toString('base64') },
    }),
  );
  return {
    digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8),
    parts,
  };
}

function partKey(index: number): string {
  return `part-${String(index).padStart(2, '0')}`;
}

function readProgram(scope: IConstruct, file: string | undefined): Buffer {
  if (file !== undefined && existsSync(file)) {
    const program = readFileSync(file);
    if (program.length > 0) return program;
  }
  return refuse(scope, {
    code: 'AIG446',
    what: "the picker's program is not there, so it cannot be delivered in ConfigMaps",
    value: file ?? 'dist/picker/main.js',
    allowed: 'a file that is not empty',
    fix: 'run `npm run build` in a checkout (an installed package carries it), or use PickerDelivery.image(…)',
  });
}
