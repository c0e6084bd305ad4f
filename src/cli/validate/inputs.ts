import { isUtf8 } from 'node:buffer';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Finding, type ManifestDocument, readManifests } from '../../validation';

const MANIFEST = /\.(ya?ml|json)$/i;
const SKIPPED = new Set(['node_modules', '.git']);
// What kustomize and Helm read themselves, beside manifests.
const KUSTOMIZATION = /^kustomization\.ya?ml$/;
const OF_A_CHART = /^(Chart|values.*)\.ya?ml$/;
/** A file beyond this is no manifest that anyone applies; an etcd request has 1.5 MiB at most. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** What was asked to be checked, as far as it could be read. */
export interface Inputs {
  readonly documents: readonly ManifestDocument[];
  /** Of what is no YAML, but was read. */
  readonly findings: readonly Finding[];
  /** Text by file, for excerpts. */
  readonly texts: ReadonlyMap<string, string>;
  /** Inputs that could not be read, and why. */
  readonly unreadable: readonly string[];
}

/** Files, folders with all they hold, and `-` for standard input. What cannot be read does not keep the rest from being checked. */
export function readInputs(names: readonly string[]): Inputs {
  const documents: ManifestDocument[] = [];
  const findings: Finding[] = [];
  const texts = new Map<string, string>();
  const unreadable: string[] = [];
  for (const name of names) {
    for (const file of name === '-' ? ['-'] : filesOf(name, unreadable)) {
      const text = readText(file, unreadable);
      if (text === undefined) continue;
      const shown = file === '-' ? '<stdin>' : file;
      const read = readManifests(text, shown);
      texts.set(shown, text);
      documents.push(...read.documents);
      findings.push(...read.findings);
    }
  }
  return { documents, findings, texts, unreadable };
}

function filesOf(name: string, unreadable: string[]): string[] {
  try {
    if (!statSync(name).isDirectory()) return [name];
    const found = manifestsBelow(name);
    if (found.length === 0) unreadable.push(`${name}: holds no .yaml, .yml or .json file`);
    return found;
  } catch (error) {
    unreadable.push(`${name}: ${(error as Error).message}`);
    return [];
  }
}

function manifestsBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  const isChart = entries.some(({ name }) => name === 'Chart.yaml');
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : manifestsBelow(file);
      if (KUSTOMIZATION.test(entry.name) || (isChart && OF_A_CHART.test(entry.name))) return [];
      return MANIFEST.test(entry.name) ? [file] : [];
    });
}

function readText(file: string, unreadable: string[]): string | undefined {
  try {
    const bytes = readFileSync(file === '-' ? 0 : file);
    const shown = file === '-' ? 'standard input' : file;
    if (bytes.length > MAX_FILE_BYTES) {
      unreadable.push(`${shown}: has ${bytes.length} bytes, more than the ${MAX_FILE_BYTES} that are read; split it`);
      return undefined;
    }
    if (!isUtf8(bytes)) {
      unreadable.push(`${shown}: is not UTF-8; convert it, with iconv for example`);
      return undefined;
    }
    const text = bytes.toString('utf8');
    return text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (error) {
    unreadable.push(`${file === '-' ? 'standard input' : file}: ${(error as Error).message}`);
    return undefined;
  }
}
