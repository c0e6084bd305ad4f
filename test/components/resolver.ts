import { accessSync, chmodSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { buildah } from './buildah';
import type { Component } from './component';
import { curl } from './curl';
import { egctl } from './egctl';
import { envoy } from './envoy';
import { envoyGateway } from './envoy-gateway';
import { epp } from './epp';
import { etcd } from './etcd';
import { h2load } from './h2load';
import { h2spec } from './h2spec';
import { kubeApiserver } from './kube-apiserver';
import { node24 } from './node24';
import { pythonClients } from './python-clients';
import { sglangRouter, smg, vllmRouter } from './python-routers';
import { ratelimit } from './ratelimit';
import { redisServer } from './redis-server';
import { sim } from './sim';

export const components = {
  envoy,
  epp,
  sim,
  egctl,
  'envoy-gateway': envoyGateway,
  'kube-apiserver': kubeApiserver,
  etcd,
  'redis-server': redisServer,
  h2spec,
  h2load,
  node24,
  buildah,
  curl,
  'python-clients': pythonClients,
  ratelimit,
  smg,
  'vllm-router': vllmRouter,
  'sglang-router': sglangRouter,
} as const satisfies Record<string, Component>;

export type ComponentName = keyof typeof components;

/** Where a program is, or why it is not there and what to do about it. */
export type Found = { readonly path: string } | { readonly missing: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** `AIG_COMPONENTS`, else `.cache/components` in the repository. */
export function cacheFolder(environment: Environment = process.env): string {
  return resolve(environment['AIG_COMPONENTS'] || join(__dirname, '..', '..', '.cache', 'components'));
}

/**
 * Environment variable, then `PATH` where the system's own is good enough, then the cache folder, then its registry: the last only when
 * `AIG_INSTALL=1` or `CI=true` asks for it, so that a first `npm test` does not download gigabytes.
 */
export function findComponent(component: Component, environment: Environment = process.env): Found {
  const given = environment[component.variable];
  if (given) {
    return isProgram(given) ? { path: resolve(given) } : { missing: `${component.variable}=${given} is no executable file` };
  }
  const system = component.onPath && onPath(component.onPath, environment);
  if (system) return { path: system };

  const folder = join(cacheFolder(environment), `${component.name}-${component.version ?? 'any'}`);
  const cached = join(folder, component.program);
  if (isProgram(cached)) return { path: cached };

  const wanted = environment['AIG_INSTALL'] === '1' || (environment['CI'] === 'true' && !component.slowInstall);
  if (component.install && wanted) {
    try {
      installOnce(component.install, component.program, folder);
      return { path: cached };
    } catch (error) {
      return { missing: `${component.name} could not be installed: ${(error as Error).message}` };
    }
  }
  return { missing: howToGet(component, cached) };
}

/** The path of a component by name; throws with the way to get it. For scripts that cannot do without. */
export function requireComponent(name: ComponentName): string {
  const found = findComponent(components[name]);
  if ('missing' in found) throw new Error(found.missing);
  return found.path;
}

function howToGet(component: Component, cached: string): string {
  const ways = [`set ${component.variable} to its path`];
  if (component.onPath) ways.push('put it on PATH');
  else ways.push(`put it at ${cached}`);
  if (component.install) ways.push('run with AIG_INSTALL=1');
  const version = component.version ? ` ${component.version}` : '';
  return `${component.name}${version} is missing: ${ways.join(', or ')}; ${component.source}`;
}

/** Test files run in parallel processes: the first to make the lock folder installs, the others wait for the result. */
function installOnce(install: (folder: string) => void, program: string, folder: string): void {
  const cache = dirname(folder);
  mkdirSync(cache, { recursive: true });
  const lock = `${folder}.lock`;
  if (!tryLock(lock)) {
    waitWhile(() => existsSync(lock) && !isStale(lock));
    if (isProgram(join(folder, program))) return;
    throw new Error('another process tried at the same time and failed');
  }
  const unfinished = mkdtempSync(`${folder}.unfinished-`);
  try {
    install(unfinished);
    if (!isProgram(join(unfinished, program))) throw new Error(`the installed package has no ${program}`);
    chmodSync(unfinished, 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
    rmSync(lock, { recursive: true, force: true });
  }
}

function tryLock(lock: string): boolean {
  if (existsSync(lock) && isStale(lock)) rmSync(lock, { recursive: true, force: true });
  try {
    mkdirSync(lock);
    return true;
  } catch {
    return false;
  }
}

/** The slowest installer needs 8 minutes; a lock of twice that age was left behind by a killed process. */
function isStale(lock: string): boolean {
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Date.now() - made > 16 * 60_000;
}

function waitWhile(busy: () => boolean): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (busy()) Atomics.wait(cell, 0, 0, 200);
}

function onPath(program: string, environment: Environment): string | undefined {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    if (folder && isProgram(join(folder, program))) return join(folder, program);
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
