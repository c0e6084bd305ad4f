// imports/crds and its inventory, sources.json.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { PROJECTS } from './projects.mjs';

export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/** Replaces the schema files of `target` by those of `from`; fails on a project without files and on a file without a project. */
export function copyFrom(from, target) {
  for (const folder of topFolders(target)) rmSync(path.join(target, folder), { recursive: true });
  for (const { folder } of PROJECTS) {
    const source = path.join(from, folder);
    const names = existsSync(source) ? readdirSync(source).filter(isSchemaFile).sort() : [];
    if (names.length === 0)
      throw new Error(`no .yaml or .json files in ${source}: add them, or drop ${folder} from .ci/import/projects.mjs`);
    mkdirSync(path.join(target, folder), { recursive: true });
    for (const name of names) writeFileSync(path.join(target, folder, name), readFileSync(path.join(source, name)));
  }
}

/** One entry per file, in the order of the projects; what sources.json says, computed anew. */
export function inventory(root) {
  const known = new Set(PROJECTS.map((project) => project.folder));
  const stray = allFolders(root).filter(
    (folder) => !known.has(folder) && readdirSync(path.join(root, folder)).some(isSchemaFile),
  );
  if (stray.length > 0) throw new Error(`folders without provenance in .ci/import/projects.mjs: ${stray.join(', ')}`);
  return PROJECTS.flatMap((project) => {
    const names = readdirSync(path.join(root, project.folder)).filter(isSchemaFile).sort();
    return names.map((name) => {
      const data = readFileSync(path.join(root, project.folder, name));
      const own = project.files?.[name] ?? {};
      return {
        file: `${project.folder}/${name}`,
        project: own.project ?? project.project,
        version: own.version ?? project.version,
        licence: own.licence ?? project.licence,
        ...(project.note === undefined ? {} : { note: project.note }),
        group: name.endsWith('.json') ? 'built-in' : crdsOf(name, data)[0].spec.group,
        sha256: sha256(data),
      };
    });
  });
}

export const renderInventory = (entries) => `${JSON.stringify(entries, null, 2)}\n`;

/** The CustomResourceDefinitions of one file. */
export function crdsOf(name, data) {
  const documents = parseAllDocuments(data.toString('utf8'));
  const errors = documents.flatMap((document) => document.errors);
  if (errors.length > 0) throw new Error(`${name}: ${errors.map((error) => error.message).join('; ')}`);
  const crds = documents.map((document) => document.toJS()).filter((crd) => crd !== null);
  const wrong = crds.find((crd) => crd.kind !== 'CustomResourceDefinition' || crd.apiVersion !== 'apiextensions.k8s.io/v1');
  if (crds.length === 0 || wrong !== undefined)
    throw new Error(`${name}: not a list of apiextensions.k8s.io/v1 CustomResourceDefinitions`);
  return crds;
}

const isSchemaFile = (name) => /\.(yaml|json)$/.test(name) && name !== 'sources.json';

const topFolders = (root) =>
  existsSync(root)
    ? readdirSync(root, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    : [];

const allFolders = (root) =>
  readdirSync(root, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.isDirectory() ? [path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/')] : [],
  );
