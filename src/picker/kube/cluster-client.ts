import { existsSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node' with { 'resolution-mode': 'import' };
import type { Problem } from '../../shared/problem';
import { formatHostPort } from '../scheduling/interface/endpoint-snapshot';
import {
  ClusterError,
  type ClusterWatch,
  type KubeObject,
  type ObjectList,
  targetPath,
  type WatchListener,
  type WatchTarget,
} from './cluster-watch';
import { ClusterCode } from './failures';
import { statusError, WatchLines } from './watch-lines';

/** Objects a page: parsing one page holds up requests for about 10 ms. */
const PAGE_SIZE = 250;
const LIST_TIMEOUT_MS = 30_000;
/** A server that keeps a watch says something every minute at least, a bookmark if nothing else; a dead connection says nothing. */
const SILENCE_MS = 100_000;
/** Longest error answer that is read. */
const MAX_ERROR_BYTES = 64 * 1024;

/** Where a pod finds what lets it speak to the API server. */
const POD_CREDENTIALS = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface ClusterPlaces {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /** Put before the path of a pod's credentials. @default none */
  readonly root?: string;
}

/**
 * The API server of the files that KUBECONFIG names; else that of the cluster that the process runs in; else that of ~/.kube/config: the
 * order of Go's controller-runtime, which llm-d's picker uses.
 */
export async function connectCluster(places: ClusterPlaces = {}): Promise<{ cluster: ClusterWatch } | { problem: Problem }> {
  const env = places.env ?? process.env;
  try {
    // loaded when it is needed: a picker that reads a file has no use for its start-up time and memory
    const client = await import('@kubernetes/client-node/dist/config.js');
    const load = (): KubeConfig | undefined => loadConfig(() => new client.KubeConfig(), env, places.root ?? '');
    const config = load();
    if (config === undefined) return { problem: noCluster('neither KUBECONFIG nor the credentials of a pod are there') };
    if (config.getCurrentCluster() === null || config.getCurrentUser() === null)
      return { problem: noCluster(`context '${config.getCurrentContext()}' of the kubeconfig has no cluster or no user`) };
    return { cluster: new ClusterClient(() => load() ?? config, config) };
  } catch (error) {
    return { problem: noCluster((error as Error).message) };
  }
}

function loadConfig(make: () => KubeConfig, env: NodeJS.ProcessEnv, root: string): KubeConfig | undefined {
  const config = make();
  const [first, ...others] = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  const home = join(homedir(), '.kube', 'config');
  if (first !== undefined) {
    config.loadFromFile(first);
    for (const file of others) {
      const other = make();
      other.loadFromFile(file);
      config.mergeConfig(other, true);
    }
    return config;
  }
  const credentials = `${root}${POD_CREDENTIALS}`;
  const apiHost = env['KUBERNETES_SERVICE_HOST'];
  if (apiHost !== undefined && existsSync(`${credentials}/token`)) {
    const server = `https://${formatHostPort(apiHost, Number(env['KUBERNETES_SERVICE_PORT'] ?? 443))}`;
    // both files are read again and again, because they are replaced while the pod runs
    const user = { name: 'pod', authProvider: { name: 'tokenFile', config: { tokenFile: `${credentials}/token` } } };
    config.loadFromClusterAndUser({ name: 'pod', server, caFile: `${credentials}/ca.crt`, skipTLSVerify: false }, user);
  } else if (existsSync(home)) config.loadFromFile(home);
  else return undefined;
  return config;
}

function noCluster(what: string): Problem {
  return {
    code: ClusterCode.NO_CLUSTER,
    what: `there is no Kubernetes API to find endpoints through: ${what}`,
    fix: 'run in a pod with a ServiceAccount token, set KUBECONFIG, or list the endpoints in a file (file-discovery)',
  };
}

/** Speaks to the API server over HTTP/1.1, one connection a request; credentials are asked for anew each time, because they rotate. */
class ClusterClient implements ClusterWatch {
  public constructor(
    private readonly reload: () => KubeConfig,
    private config: KubeConfig,
  ) {}

  public async list(target: WatchTarget, signal: AbortSignal): Promise<ObjectList> {
    const items: KubeObject[] = [];
    let next = '';
    while (true) {
      const deadline = AbortSignal.timeout(LIST_TIMEOUT_MS);
      const parameters = { ...selectors(target), limit: String(PAGE_SIZE), ...(next === '' ? {} : { continue: next }) };
      const response = await this.open(targetPath(target), parameters, AbortSignal.any([signal, deadline]));
      const page = parsePage(await readAll(response, deadline));
      items.push(...page.items);
      next = page.next;
      if (next === '') return { items, resourceVersion: page.resourceVersion };
    }
  }

  public async watch(target: WatchTarget, resourceVersion: string, listener: WatchListener, signal: AbortSignal): Promise<void> {
    const parameters = {
      ...selectors(target),
      watch: '1',
      allowWatchBookmarks: 'true',
      resourceVersion,
    };
    const response = await this.open(targetPath(target), parameters, signal);
    listener.onOpen();
    const lines = new WatchLines(listener);
    await new Promise<void>((resolve, reject) => {
      response.socket.setTimeout(SILENCE_MS, () => {
        resolve();
        response.destroy();
      });
      response.on('data', (chunk: Buffer) => {
        try {
          lines.push(chunk);
        } catch (error) {
          reject(error);
          response.destroy();
        }
      });
      response.on('end', resolve);
      response.on('error', (error) => reject(asClusterError(error)));
      response.on('close', () => reject(new ClusterError(0, 'the connection was closed')));
    });
  }

  /** Sends a GET. @returns the answer, when it is one of success */
  private async open(
    path: string,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<http.IncomingMessage> {
    const options: https.RequestOptions = {
      headers: { accept: 'application/json', 'user-agent': 'cdk8s-ai-gateway-picker' },
      signal,
    };
    let url: URL;
    try {
      await this.config.applyToHTTPSOptions(options);
      url = new URL(this.config.getCurrentCluster()!.server + path);
    } catch (error) {
      throw new ClusterError(0, `the credentials cannot be used: ${(error as Error).message}`);
    }
    url.search = new URLSearchParams(parameters).toString();
    const response = await send(url, options);
    if (response.statusCode === 200) return response;
    // the token may have been replaced before its time, and the client would not look at the file for a minute
    if (response.statusCode === 401) this.config = this.reload();
    throw await errorOf(response);
  }
}

function selectors({ labelSelector, name }: WatchTarget): Record<string, string> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  };
}

function send(url: URL, options: https.RequestOptions): Promise<http.IncomingMessage> {
  const { request } = url.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (response) => {
      outgoing.setTimeout(0);
      resolve(response);
    });
    outgoing.setTimeout(LIST_TIMEOUT_MS, () => outgoing.destroy(new Error(`no answer within ${LIST_TIMEOUT_MS} ms`)));
    outgoing.on('socket', (socket) => socket.setKeepAlive(true, 30_000));
    outgoing.on('error', (error) => reject(asClusterError(error)));
    outgoing.end();
  });
}

async function readAll(response: http.IncomingMessage, deadline: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw deadline.aborted
      ? new ClusterError(0, `the list was not complete within ${LIST_TIMEOUT_MS} ms`)
      : asClusterError(error);
  }
  return Buffer.concat(chunks).toString('utf8');
}

interface Page extends ObjectList {
  /** Empty on the last page. */
  readonly next: string;
}

function parsePage(text: string): Page {
  let list: { items?: KubeObject[]; metadata?: { resourceVersion?: string; continue?: string } } | undefined;
  try {
    list = JSON.parse(text);
  } catch {
    throw new ClusterError(0, 'the list is no JSON');
  }
  const { items, metadata } = list ?? {};
  if (metadata?.resourceVersion === undefined) throw new ClusterError(0, 'the list has no resourceVersion');
  return { items: items ?? [], resourceVersion: metadata.resourceVersion, next: metadata.continue ?? '' };
}

async function errorOf(response: http.IncomingMessage): Promise<ClusterError> {
  let text = '';
  try {
    for await (const chunk of response) {
      text += (chunk as Buffer).toString('latin1');
      if (text.length > MAX_ERROR_BYTES) break;
    }
  } catch {
    // the status says enough
  }
  const status = response.statusCode ?? 0;
  const retrySeconds = Number(response.headers['retry-after']);
  const retryAfterMs = Number.isFinite(retrySeconds) ? retrySeconds * 1e3 : undefined;
  try {
    const { message, retryAfterMs: asked } = statusError(JSON.parse(text), status);
    return new ClusterError(status, message, asked ?? retryAfterMs);
  } catch {
    return new ClusterError(status, text.trim().slice(0, 200) || `HTTP ${status}`, retryAfterMs);
  }
}

function asClusterError(error: unknown): ClusterError {
  const { message, code } = error as NodeJS.ErrnoException;
  return new ClusterError(0, message === '' ? (code ?? 'the connection failed') : message);
}
