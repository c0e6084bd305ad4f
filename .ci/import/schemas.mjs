// imports/schemas.ts: every schema that validation reads, as one compressed module, so that the library, the bundled CLI and the
// tests all find it by an import, with no path to a data file. Unpacked it is a line of JSON, the index, and then the JSON texts of the
// schemas one after the other; the index says where each begins and ends, in bytes. A run parses those it needs: they are 2 MB together.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';
import { PROJECTS } from './projects.mjs';
import { crdsOf, sha256 } from './sources.mjs';

const LINE_CHARS = 128;

/** The text of imports/schemas.ts. `present` is returned unchanged when it holds the same schemas: brotli's bytes may differ between Node versions. */
export function generateSchemas(root, entries, present) {
  const texts = [];
  let end = 0;
  const keep = (value) => {
    const json = JSON.stringify(value);
    texts.push(json);
    return [end, (end += Buffer.byteLength(json))];
  };
  const crds = entries.filter(isCrd).flatMap((entry) => crdEntries(root, entry, keep));
  const index = JSON.stringify({ crds, kubernetes: kubernetesEntries(root, entries, keep) });
  const content = `${index}\n${texts.join('')}`;
  if (present !== undefined && unpack(present) === content) return present;
  const packed = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  const lines = packed.toString('base64').match(new RegExp(`.{1,${LINE_CHARS}}`, 'g'));
  return `// Made by \`npm run import\` from imports/crds: do not edit. Brotli, base64; unpacked sha256 ${sha256(content)}\nexport const PACKED_SCHEMAS = \`\n${lines.join('\n')}\n\`;\n`;
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

function crdEntries(root, entry, keep) {
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
      schema: keep(version.schema.openAPIV3Schema),
    })),
  }));
}

function kubernetesEntries(root, entries, keep) {
  const files = entries
    .filter((entry) => !isCrd(entry))
    .map((entry) => JSON.parse(readFileSync(path.join(root, entry.file), 'utf8')));
  return Object.fromEntries(files.map((file) => [/^v(\d+\.\d+)/.exec(file.kubernetesVersion)[1], keep(file.definitions)]));
}
