import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { eventually, freePorts, type RunningProcess, startProcess } from '../components/process';
import { type Answer, ApiServerClient, type KubernetesObject, type Verdict } from './apiserver-client';

export interface ApiServer {
  readonly url: string;
  /** Bearer token of an administrator. */
  readonly token: string;
  /** PEM of what signed the server's certificate. */
  readonly certificate: Buffer;
  /** Any request, as an administrator. A body that is text is sent as it is. */
  send(method: string, url: string, body?: unknown, contentType?: string): Promise<Answer>;
  /** Installs every CustomResourceDefinition of these folders of imports/crds, and waits until each is served. */
  installCrds(folders: readonly string[]): Promise<void>;
  /** Makes a namespace: objects of one that does not exist are refused, in a dry run too. */
  createNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** Creates the object with `dryRun=All&fieldValidation=Strict`: admission as a user would meet it, nothing stored. */
  dryRunCreate(object: KubernetesObject): Promise<Verdict>;
  /** The same for an update of the stored object. */
  dryRunUpdate(object: KubernetesObject): Promise<Verdict>;
  /** Stores an object, with the status that it has, and gives it as the server has it. */
  store(object: KubernetesObject): Promise<KubernetesObject>;
  /** Ends kube-apiserver as a crash would; its objects stay in etcd. */
  kill(): Promise<void>;
  /** Starts it again on the same port. */
  startAgain(): Promise<void>;
  stop(): Promise<void>;
}

const CRDS = path.join(__dirname, '..', '..', 'imports', 'crds');
// The server estimates the rules of these on durations as too costly and refuses the definition.
const TOO_COSTLY = new Set(
  ['backendconfigpolicies', 'gatewayextensions', 'httplistenerpolicies', 'listenerpolicies'].map(
    (kind) => `gateway.kgateway.dev_${kind}.yaml`,
  ),
);
const READY_TIMEOUT_MS = 60_000;

/** Every folder that one server can hold at once: the experimental and the oldest definitions have names that others have too. */
export const INSTALLABLE_FOLDERS = readdirSync(CRDS, { withFileTypes: true })
  .filter(
    (entry) =>
      entry.isDirectory() && !['kubernetes', 'gateway-api-experimental', 'inference-extension-legacy'].includes(entry.name),
  )
  .map((entry) => entry.name)
  .concat('inference-extension-legacy/v1alpha2', 'inference-extension-legacy/x-k8s.io');

export interface ApiServerOptions {
  /** More flags of kube-apiserver, without their dashes. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** etcd and kube-apiserver on loopback, with their state in a temporary folder. */
export async function startApiServer(
  programs: { readonly etcd: string; readonly 'kube-apiserver': string },
  options: ApiServerOptions = {},
): Promise<ApiServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'apiserver-'));
  const started: RunningProcess[] = [];
  const stop = async () => {
    await Promise.all(started.map((child) => child.stop('SIGKILL')));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    return await start(programs, options, folder, started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(
  programs: { readonly etcd: string; readonly 'kube-apiserver': string },
  options: ApiServerOptions,
  folder: string,
  started: RunningProcess[],
  stop: () => Promise<void>,
): Promise<ApiServer> {
  const file = (name: string): string => path.join(folder, name);
  const [etcdPort, etcdPeerPort, port] = (await freePorts(3)) as [number, number, number];
  const etcdUrl = `http://127.0.0.1:${etcdPort}`;
  const etcdFlags = {
    'data-dir': file('etcd'),
    'listen-client-urls': etcdUrl,
    'advertise-client-urls': etcdUrl,
    'listen-peer-urls': `http://127.0.0.1:${etcdPeerPort}`,
    'unsafe-no-fsync': 'true',
    'log-level': 'error',
  };
  started.push(await startProcess(programs.etcd, { args: flags(etcdFlags), ready: { port: etcdPort } }));

  const token = randomBytes(16).toString('hex');
  writeFileSync(file('tokens.csv'), `${token},tester,tester,system:masters\n`, { mode: 0o600 });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(file('service-accounts.pem'), privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  const serverFlags = {
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': String(port),
    'cert-dir': folder,
    'token-auth-file': file('tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-cluster-ip-range': '10.96.0.0/16',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': file('service-accounts.pem'),
    'service-account-signing-key-file': file('service-accounts.pem'),
    'endpoint-reconciler-type': 'none',
    // No controller makes the default ServiceAccount that this plugin asks of every Pod.
    'disable-admission-plugins': 'ServiceAccount',
    ...options.flags,
  };
  let server: RunningProcess | undefined;
  const startServer = async (): Promise<void> => {
    const options = { args: flags(serverFlags), ready: { port }, readyTimeoutMs: READY_TIMEOUT_MS };
    server = await startProcess(programs['kube-apiserver'], options);
    started.push(server);
  };
  await startServer();

  // The certificate that it signed for itself, with its issuer.
  const certificate = readFileSync(file('apiserver.crt'));
  const client = new ApiServerClient(port, token, certificate);
  const beReady = (): Promise<boolean> =>
    eventually('the API server is ready', async () => (await client.send('GET', '/readyz')).status === 200, READY_TIMEOUT_MS);
  await beReady();
  return {
    url: `https://127.0.0.1:${port}`,
    token,
    certificate,
    send: (method, url, body, contentType) => client.send(method, url, body, contentType),
    installCrds: (folders) => installCrds(client, folders),
    dryRunCreate: (object) => client.dryRunCreate(object),
    dryRunUpdate: (object) => client.dryRunUpdate(object),
    store: (object) => client.store(object),
    kill: () => server!.stop('SIGKILL'),
    createNamespace: async (name, labels = {}) => {
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } };
      const { status, body } = await client.send('POST', '/api/v1/namespaces', namespace);
      if (status >= 300) throw new Error(`namespace ${name}: ${body}`);
    },
    startAgain: async () => {
      await startServer();
      await beReady();
    },
    stop: async () => {
      client.close();
      await stop();
    },
  };
}

const flags = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${value}`);

async function installCrds(client: ApiServerClient, folders: readonly string[]): Promise<void> {
  const crds = folders.flatMap((folder) =>
    readdirSync(path.join(CRDS, folder))
      .filter((name) => name.endsWith('.yaml') && !TOO_COSTLY.has(name))
      .flatMap((name) =>
        parseAllDocuments(readFileSync(path.join(CRDS, folder, name), 'utf8')).map((document) => document.toJS() as Crd),
      ),
  );
  for (const crd of crds) {
    const url = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}?fieldManager=test&force=true`;
    const answer = await client.send('PATCH', url, withMessages(crd), 'application/apply-patch+yaml');
    if (answer.status >= 300) throw new Error(`${crd.metadata.name}: ${answer.body}`);
  }
  for (const { spec } of crds) {
    for (const { name, served } of spec.versions) {
      if (!served) continue;
      const url = `/apis/${spec.group}/${name}/${spec.names.plural}`;
      await eventually(
        `${spec.names.kind} ${name} is served`,
        async () => (await client.send('GET', url)).status === 200,
        READY_TIMEOUT_MS,
      );
    }
  }
}

interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string; readonly plural: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean }[];
  };
}

// imports/crds holds no messages, and the server asks for one where a rule has line breaks.
function withMessages(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMessages);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, entry]) => [key, withMessages(entry)]);
  const copy = Object.fromEntries(entries) as Record<string, unknown>;
  const { rule } = copy;
  if (typeof rule === 'string' && rule.includes('\n') && copy['message'] === undefined) copy['message'] = 'rule failed';
  return copy;
}
