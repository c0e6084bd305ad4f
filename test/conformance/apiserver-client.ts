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
    const { apiVersion, kind } = object;
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const resource = await this.resourceOf(base, kind);
    if (resource === undefined)
      return { isAccepted: false, status: 404, message: `${apiVersion} has no kind ${kind}`, warnings: [] };
    const metadata: unknown = object.metadata; // tests send objects that are broken there, too
    const own = typeof metadata === 'object' && metadata !== null ? (metadata as { namespace?: unknown }).namespace : undefined;
    const namespace = typeof own === 'string' && own !== '' ? own : 'default';
    const place = resource.namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : '';
    const url = `${base}${place}/${resource.name}?dryRun=All&fieldValidation=Strict`;
    const { status, body, warnings } = await this.send('POST', url, object);
    const isAccepted = status >= 200 && status < 300;
    return { isAccepted, status, message: isAccepted ? '' : messageOf(body), warnings };
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

function messageOf(body: string): string {
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}
