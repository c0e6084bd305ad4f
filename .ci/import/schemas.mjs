// imports/schemas.ts: every schema that validation reads, as one compressed module, so that the library, the bundled CLI and the
// tests all find it by an import, with no path to a data file.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { PROJECTS } from './projects.mjs';
import { crdsOf, sha256 } from './sources.mjs';

const LINE_CHARS = 128;

/** The text of imports/schemas.ts. `present` is returned unchanged when it holds the same schemas: brotli's bytes may differ between Node versions. */
export function generateSchemas(root, entries, present) {
  const json = JSON.stringify({
    crds: entries.filter(isCrd).flatMap((entry) => crdEntries(root, entry)),
    kubernetes: kubernetesEntries(root, entries),
  });
  if (present !== undefined && unpack(present) === json) return present;
  const packed = brotliCompressSync(json, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: json.length,
    },
  });
  const lines = packed.toString('base64').match(new RegExp(`.{1,${LINE_CHARS}}`, 'g'));
  return `// Made by \`npm run import\` from imports/crds: do not edit. Brotli, base64; unpacked sha256 ${sha256(json)}\nexport const PACKED_SCHEMAS = \`\n${lines.join('\n')}\n\`;\n`;
}

function unpack(text) {
  const base64 = /`\n([A-Za-z0-9+/=\n]*)`/.exec(text)?.[1];
  try {
    return base64 === undefined ? undefined : brotliDecompressSync(Buffer.from(base64, 'base64')).toString('utf8');
  } catch {
    return undefined; // a damaged module is written anew
  }
}

const isCrd = (entry) => entry.file.endsWith('.yaml');

function crdEntries(root, entry) {
  const channel = PROJECTS.find((project) => project.folder === path.posix.dirname(entry.file)).channel;
  return crdsOf(entry.file, readFileSync(path.join(root, entry.file))).map((crd) => ({
    source: `${entry.project} ${entry.version}`,
    ...(channel === undefined ? {} : { channel }),
    group: crd.spec.group,
    kind: crd.spec.names.kind,
    plural: crd.spec.names.plural,
    scope: crd.spec.scope,
    versions: crd.spec.versions.map((version) => ({
      name: version.name,
      served: version.served,
      storage: version.storage,
      hasStatusSubresource: version.subresources?.status !== undefined,
      schema: version.schema.openAPIV3Schema,
    })),
  }));
}

function kubernetesEntries(root, entries) {
  const files = entries
    .filter((entry) => !isCrd(entry))
    .map((entry) => JSON.parse(readFileSync(path.join(root, entry.file), 'utf8')));
  return Object.fromEntries(files.map((file) => [/^v(\d+\.\d+)/.exec(file.kubernetesVersion)[1], file.definitions]));
}
