import type { FieldPath } from './schema/field-path';
import { isJsonObject, type JsonObject } from './schema/schema-node';

/** One value inside an object, with its place. Reading what is not there, or of another type, gives an empty field: rules never throw. */
export class Field {
  public constructor(
    public readonly object: KubeObject,
    public readonly value: unknown,
    public readonly path: FieldPath,
  ) {}

  public at(...steps: readonly (string | number)[]): Field {
    let value = this.value;
    for (const step of steps) {
      if (typeof step === 'number' ? Array.isArray(value) : isJsonObject(value) && Object.hasOwn(value, step)) {
        value = (value as Record<string | number, unknown>)[step];
      } else value = undefined;
    }
    return new Field(this.object, value, [...this.path, ...steps]);
  }

  public get isSet(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  public get text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  public get number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined;
  }

  /** The entries of a list; none when it is no list. */
  public get items(): Field[] {
    if (!Array.isArray(this.value)) return [];
    return this.value.map((item: unknown, index) => new Field(this.object, item, [...this.path, index]));
  }

  /** The entries of a map; none when it is no map. */
  public get entries(): [string, Field][] {
    if (!isJsonObject(this.value)) return [];
    return Object.entries(this.value).map(([key, value]) => [key, new Field(this.object, value, [...this.path, key])]);
  }

  /** A map of text to text, without entries of other types. */
  public get labels(): ReadonlyMap<string, string> {
    const labels = new Map<string, string>();
    if (isJsonObject(this.value))
      for (const [key, value] of Object.entries(this.value)) if (typeof value === 'string') labels.set(key, value);
    return labels;
  }

  /** The entries of a list that are text. */
  public get texts(): string[] {
    return Array.isArray(this.value) ? this.value.filter((item): item is string => typeof item === 'string') : [];
  }
}

/** One Kubernetes object as rules see it. */
export class KubeObject {
  public readonly group: string;
  public readonly version: string;
  public readonly kind: string;
  public readonly name: string;
  /** Empty where the object names none: it then lives wherever it is applied. */
  public readonly namespace: string;
  public readonly root: Field;

  public constructor(public readonly value: JsonObject) {
    this.root = new Field(this, value, []);
    const apiVersion = this.at('apiVersion').text ?? '';
    const slash = apiVersion.indexOf('/');
    this.group = slash === -1 ? '' : apiVersion.slice(0, slash);
    this.version = apiVersion.slice(slash + 1);
    this.kind = this.at('kind').text ?? '';
    this.name = this.at('metadata', 'name').text ?? '';
    this.namespace = this.at('metadata', 'namespace').text ?? '';
  }

  public at(...steps: readonly (string | number)[]): Field {
    return this.root.at(...steps);
  }

  public annotation(key: string): string | undefined {
    return this.at('metadata', 'annotations', key).text;
  }

  public is(group: string, ...kinds: readonly string[]): boolean {
    return this.group === group && kinds.includes(this.kind);
  }
}

/** All objects of one run, found by kind and name. Lists have to be expanded before. */
export class ObjectIndex {
  public readonly objects: readonly KubeObject[];
  private readonly byKind = new Map<string, KubeObject[]>();
  private readonly byName = new Map<string, KubeObject>();
  private readonly derived = new Map<unknown, unknown>();

  public constructor(objects: readonly KubeObject[]) {
    this.objects = objects;
    for (const object of objects) {
      const key = `${object.group}/${object.kind}`;
      const kind = this.byKind.get(key);
      if (kind === undefined) this.byKind.set(key, [object]);
      else kind.push(object);
      this.byName.set(`${key} ${object.namespace}/${object.name}`, object);
    }
  }

  public ofKind(group: string, kind: string): readonly KubeObject[] {
    return this.byKind.get(`${group}/${kind}`) ?? [];
  }

  public ofKinds(group: string, ...kinds: readonly string[]): readonly KubeObject[] {
    return kinds.flatMap((kind) => this.ofKind(group, kind));
  }

  public find(group: string, kind: string, namespace: string, name: string): KubeObject | undefined {
    return this.byName.get(`${group}/${kind} ${namespace}/${name}`);
  }

  /**
   * The object of the same kind and name. Where one of the two names no namespace and there is one such object only, it is that: what
   * a cluster gives has a namespace, what is applied may leave it to the command.
   */
  public findSame({ group, kind, namespace, name }: KubeObject): KubeObject | undefined {
    const exact = this.find(group, kind, namespace, name);
    if (exact !== undefined) return exact;
    const namesakes = this.ofKind(group, kind).filter((object) => object.name === name);
    const [only] = namesakes;
    return namesakes.length === 1 && (namespace === '' || only!.namespace === '') ? only : undefined;
  }

  /** The result of `make` for this index, made once: what several rules look up is not computed by each of them. */
  public memo<T>(make: (index: ObjectIndex) => T): T {
    if (!this.derived.has(make)) this.derived.set(make, make(this));
    return this.derived.get(make) as T;
  }
}

/** True if every label of the selector is on the object. An empty selector selects nothing here: it is never meant. */
export function selects(selector: ReadonlyMap<string, string>, labels: ReadonlyMap<string, string>): boolean {
  if (selector.size === 0) return false;
  for (const [key, value] of selector) if (labels.get(key) !== value) return false;
  return true;
}
