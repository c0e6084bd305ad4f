import { Agent, request } from 'node:https';

export interface Answer {
  /** HTTP status. */
  readonly status: number;
  readonly body: string;
  /** `Warning` headers. */
  readonly warnings: readonly string[];
}

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** What the server said of one object. */
export interface Verdict {
  readonly isAccepted: boolean;
  /** HTTP status. */
  readonly status: number;
  /** The server's words; empty when accepted. */
  readonly message: string;
  readonly warnings: readonly string[];
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Talks to an API server on loopback, as the owner of a token. */
export class ApiServerClient {
  private readonly agent: Agent;
  private readonly resources = new Map<string, Resource>();

  public constructor(
    private readonly port: number,
    private readonly token: string,
    certificate: Buffer,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 8, ca: certificate });
  }

  public close(): void {
    this.agent.destroy();
  }

  /** A body that is text is sent as it is. */
  public send(method: string, url: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': contentType };
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port: this.port, path: url, method, headers, agent: this.agent },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            const warnings = [incoming.headers['warning'] ?? []].flat();
            resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8'), warnings });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    });
  }

  /** Creates the object with `dryRun=All&fieldValidation=Strict`, in its namespace or `default`. */
  public async dryRunCreate(object: KubernetesObject): Promise<Verdict> {
    return verdictOf(await this.write('POST', object, '?dryRun=All&fieldValidation=Strict'));
  }

  /** Replaces the stored object of its name, with `dryRun=All&fieldValidation=Strict`. */
  public async dryRunUpdate(object: KubernetesObject): Promise<Verdict> {
    return verdictOf(await this.write('PUT', object, `/${object.metadata?.name}?dryRun=All&fieldValidation=Strict`));
  }

  /** Stores a new object, with the status that it has, as a controller would. Gives it as the server has it. */
  public async store(object: KubernetesObject): Promise<KubernetesObject> {
    const stored = await this.write('POST', object, '');
    if (stored.status >= 300) throw new Error(`${object.kind} ${object.metadata?.name}: ${messageOf(stored.body)}`);
    const answer = JSON.parse(stored.body) as KubernetesObject;
    if (object['status'] === undefined) return answer;
    const updated = await this.write('PUT', { ...answer, status: object['status'] }, `/${object.metadata?.name}/status`);
    if (updated.status >= 300) throw new Error(`status of ${object.kind} ${object.metadata?.name}: ${messageOf(updated.body)}`);
    return JSON.parse(updated.body) as KubernetesObject;
  }

  private async write(method: 'POST' | 'PUT', object: KubernetesObject, rest: string): Promise<Answer> {
    const collection = await this.collectionOf(object);
    if (collection === undefined) return { status: 404, body: `${object.apiVersion} has no kind ${object.kind}`, warnings: [] };
    return this.send(method, `${collection}${rest}`, object);
  }

  private async collectionOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string | undefined> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = await this.resourceOf(base, kind);
    if (resource === undefined) return undefined;
    const given: unknown = metadata; // tests send objects that are broken there, too
    const own = typeof given === 'object' && given !== null ? (given as { namespace?: unknown }).namespace : undefined;
    const namespace = typeof own === 'string' && own !== '' ? own : 'default';
    return `${base}${resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : ''}/${resource.name}`;
  }

  /** Kept once a kind was found: definitions may be installed later. */
  private async resourceOf(base: string, kind: string): Promise<Resource | undefined> {
    const known = this.resources.get(`${base} ${kind}`);
    if (known !== undefined) return known;
    const { status, body } = await this.send('GET', base);
    const { resources = [] } = status === 200 ? (JSON.parse(body) as { resources?: Resource[] }) : {};
    const resource = resources.find((candidate) => candidate.kind === kind && !candidate.name.includes('/'));
    if (resource !== undefined) this.resources.set(`${base} ${kind}`, resource);
    return resource;
  }
}

function verdictOf({ status, body, warnings }: Answer): Verdict {
  const isAccepted = status >= 200 && status < 300;
  return { isAccepted, status, message: isAccepted ? '' : messageOf(body), warnings };
}

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}
