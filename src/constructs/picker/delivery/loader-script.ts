/** Key of the loader in the first ConfigMap of a bundle. */
export const LOADER_KEY = 'loader.js';
/** Key of the list of parts in the first ConfigMap of a bundle. */
export const MANIFEST_KEY = 'bundle.json';

/** What the loader reads first. */
export interface BundleManifest {
  /** Names of the parts beside the loader, in order. */
  readonly parts: readonly string[];
  /** SHA-256 of the parts put together, in hexadecimal. */
  readonly packedSha256: string;
  /** Size of the program that they unpack to. */
  readonly programBytes: number;
}

/**
 * Started as `node loader.js FLAGS…` with the folder to unpack into in `PICKER_UNPACK_DIR`. A string and not a function of this
 * file, because what a compiler makes of a function differs between compilers, and the ConfigMap must not.
 *
 * `runMain` makes the unpacked file the main module of this same process: it sees the same flags, and it is process 1, which
 * the kubelet's SIGTERM goes to.
 */
export const LOADER_SCRIPT = `'use strict';
const { createHash } = require('node:crypto');
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { brotliDecompressSync } = require('node:zlib');

function refuse(what) {
  process.stderr.write('AIG447 the picker was not started: ' + what + '\\n');
  process.exit(1);
}

function read(name) {
  try {
    return readFileSync(join(__dirname, name));
  } catch (error) {
    return refuse('its bundle lacks ' + name + ' (' + error.code + '); apply all of its ConfigMaps');
  }
}

const bundle = JSON.parse(read('${MANIFEST_KEY}').toString('utf8'));
const packed = Buffer.concat(bundle.parts.map(read));
const found = createHash('sha256').update(packed).digest('hex');
if (found !== bundle.packedSha256) {
  refuse('its bundle has SHA-256 ' + found + ' and not ' + bundle.packedSha256 + '; apply all of its ConfigMaps again');
}
const program = brotliDecompressSync(packed, { maxOutputLength: bundle.programBytes });
const file = join(process.env.PICKER_UNPACK_DIR, 'main.js');
try {
  writeFileSync(file, program);
} catch (error) {
  refuse('it cannot be unpacked to ' + file + ' (' + error.code + '); give that folder ' + bundle.programBytes + ' bytes that may be written');
}
process.argv[1] = file;
require('node:module').runMain();
`;
