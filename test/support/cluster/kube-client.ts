import type { ApiServer } from '../../conformance/apiserver';

/** What the stand-ins read of an object. */
export interface KubeItem {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly uid: string }[];
  };
  readonly spec?: any;
  readonly status?: any;
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}

const MERGE = 'application/merge-patch+json';

/** Objects of an API server by kind, as an administrator. Every answer of failure is an error. */
export class KubeClient {
  private readonly paths = new Map<string, { readonly name: string; readonly namespaced: boolean }>();

  public constructor(public readonly server: ApiServer) {}

  /** Creates or changes an object as `kubectl apply --server-side` does; unknown fields are refused. */
  public async apply(object: KubeItem): Promise<void> {
    const path = `${await this.pathOf(object)}?fieldManager=user&force=true&fieldValidation=Strict`;
    await this.send('PATCH', path, object, 'application/apply-patch+yaml');
  }

  public async list(apiVersion: string, kind: string, namespace: string): Promise<KubeItem[]> {
    const path = await this.collection(apiVersion, kind, namespace);
    const { items } = JSON.parse(await this.send('GET', path)) as { items: KubeItem[] };
    // the items of a list do not say what they are
    return items.map((item) => ({ ...item, apiVersion, kind }));
  }

  /** Undefined when there is none of that name. */
  public async get(apiVersion: string, kind: string, namespace: string, name: string): Promise<KubeItem | undefined> {
    const answer = await this.server.send('GET', `${await this.collection(apiVersion, kind, namespace)}/${name}`);
    if (answer.status === 404) return undefined;
    if (answer.status >= 300) throw new Error(`${kind} ${namespace}/${name}: ${answer.status} ${answer.body}`);
    return JSON.parse(answer.body) as KubeItem;
  }

  public async create(
    object: { readonly apiVersion: string; readonly kind: string; readonly [field: string]: unknown },
    namespace: string,
  ): Promise<void> {
    await this.send('POST', await this.collection(object.apiVersion, object.kind, namespace), object);
  }

  /** @param part of the object, such as `/status` or `/scale` */
  public async patch(object: KubeItem, change: object, part = ''): Promise<void> {
    await this.send('PATCH', `${await this.pathOf(object)}${part}`, change, MERGE);
  }

  /** @param graceSeconds undefined: what the object itself says */
  public async delete(object: KubeItem, graceSeconds?: number): Promise<void> {
    const query = graceSeconds === undefined ? '' : `?gracePeriodSeconds=${graceSeconds}`;
    const answer = await this.server.send('DELETE', `${await this.pathOf(object)}${query}`);
    if (answer.status >= 300 && answer.status !== 404) throw new Error(`DELETE ${object.metadata.name}: ${answer.body}`);
  }

  public async send(method: string, url: string, body?: unknown, contentType?: string): Promise<string> {
    const answer = await this.server.send(method, url, body, contentType);
    if (answer.status >= 300) throw new Error(`${method} ${url}: ${answer.status} ${answer.body}`);
    return answer.body;
  }

  private async pathOf({ apiVersion, kind, metadata }: KubeItem): Promise<string> {
    return `${await this.collection(apiVersion, kind, metadata.namespace ?? 'default')}/${metadata.name}`;
  }

  private async collection(apiVersion: string, kind: string, namespace: string): Promise<string> {
    const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const key = `${base} ${kind}`;
    let known = this.paths.get(key);
    if (known === undefined) {
      const { resources } = JSON.parse(await this.send('GET', base)) as {
        resources: { name: string; kind: string; namespaced: boolean }[];
      };
      known = resources.find((resource) => resource.kind === kind && !resource.name.includes('/'));
      if (known === undefined) throw new Error(`${apiVersion} has no kind ${kind}`);
      this.paths.set(key, known);
    }
    return known.namespaced ? `${base}/namespaces/${namespace}/${known.name}` : `${base}/${known.name}`;
  }
}
