import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Problem } from '../../shared/problem';
import { type Finding, validateManifests } from '../../validation';
import { expandList, type ManifestDocument, readManifestFile } from '../../validation/manifests';
import type { KubeObject } from './plan/kube-objects';

export interface ReadSources {
  readonly objects: readonly KubeObject[];
  readonly findings: readonly Finding[];
  readonly problems: readonly Problem[];
}

const MANIFEST = /\.(ya?ml|json)$/;

/** The objects of apps and manifests, validated. Without a source, of the app that `cdk8s.yaml` names. */
export function readSources(sources: readonly string[]): ReadSources {
  const problems: Problem[] = [];
  const documents: ManifestDocument[] = [];
  const findings: Finding[] = [];
  const take = (path: string): void => {
    for (const file of manifestFiles(path)) {
      const read = readManifestFile(file);
      documents.push(...read.documents.flatMap(expandList));
      findings.push(...read.findings);
    }
  };
  const app = sources.length === 0 ? projectApp(problems) : undefined;
  if (app !== undefined) synthesized(app, true, take, problems);
  for (const source of sources) {
    if (!existsSync(source)) {
      const fix = 'give a cdk8s app (.js), or files or folders with manifests';
      problems.push({ code: 'AIG601', what: 'there is no such file or folder', value: source, fix });
    } else if (/\.[cm]?js$/.test(source)) synthesized(source, false, take, problems);
    else take(source);
  }
  findings.push(...validateManifests(documents));
  return { objects: documents.map(({ value }) => value as KubeObject), findings, problems };
}

/** `app` of cdk8s.yaml: the command that synthesizes. */
function projectApp(problems: Problem[]): string | undefined {
  const config = existsSync('cdk8s.yaml') ? (parse(readFileSync('cdk8s.yaml', 'utf8')) as { app?: unknown } | null) : undefined;
  if (typeof config?.app === 'string') return config.app;
  problems.push({
    code: 'AIG601',
    what: config === undefined ? 'no source is given, and there is no cdk8s.yaml here' : 'cdk8s.yaml names no app',
    fix: 'give an app or manifests: cdk8s-ai-gateway up dist/',
  });
  return undefined;
}

/** Runs an app with an output folder of its own, which is gone afterwards. @param isCommand a command line, not a file */
function synthesized(app: string, isCommand: boolean, take: (folder: string) => void, problems: Problem[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'cdk8s-ai-gateway-synth-'));
  try {
    const env = { ...process.env, CDK8S_OUTDIR: folder };
    const { status, stdout, stderr } = isCommand
      ? spawnSync(app, { env, shell: true, encoding: 'utf8' })
      : spawnSync(process.execPath, [app], { env, encoding: 'utf8' });
    if (status === 0 && manifestFiles(folder).length > 0) {
      take(folder);
      return;
    }
    const said = (stderr || stdout || '').trim().split('\n').slice(-15).join('\n');
    problems.push({
      code: 'AIG601',
      what: status === 0 ? `the app wrote no manifests to CDK8S_OUTDIR` : `the app ended with ${status}:\n${said}\n`,
      value: app,
      fix: status === 0 ? 'let it call app.synth()' : 'mend what the message above says',
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The path itself, or the manifests below a folder, by name. */
function manifestFiles(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const below = join(path, name);
      if (statSync(below).isDirectory()) return name.startsWith('.') || name === 'node_modules' ? [] : manifestFiles(below);
      return MANIFEST.test(name) ? [below] : [];
    });
}
