import { isMap, isScalar, isSeq, type Pair, type ParsedNode } from 'yaml';
import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { didYouMean } from './nearest-name';
import { parseDurationMs, parseQuantity } from './units';

/** What a value needs of its document. */
export interface ConfigSource {
  /** `file:line:column` of a position in the text. */
  where(offset: number): string;
  /** Records a fault at a position in the text. */
  fault(offset: number, problem: Omit<Problem, 'where'>): void;
  /** What an alias stands for; every other node itself. */
  resolve(node: ParsedNode | null | undefined): ParsedNode | null | undefined;
}

/** Bounds of a number. */
export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
}

/** Form that a text must have, in words for the message. */
export interface TextForm {
  readonly pattern: RegExp;
  readonly words: string;
}

/**
 * One value of a document. Every reader returns undefined after it has recorded a fault, so that one pass finds all faults of a file.
 */
export class ConfigNode {
  private readonly node: ParsedNode | null | undefined;

  public constructor(
    private readonly document: ConfigSource,
    private readonly given: ParsedNode | null | undefined,
    /** For example `plugins[2].type`; empty for the root. */
    public readonly path: string,
    /** Where the key stands, for a key without a value. */
    private readonly keyOffset = 0,
  ) {
    this.node = document.resolve(given);
  }

  public get where(): string {
    return this.document.where(this.offset);
  }

  /** True for `key:` and `key: null`. */
  public get isNull(): boolean {
    return this.node === null || this.node === undefined || (isScalar(this.node) && this.node.value === null);
  }

  /** True where a list is written (and not a mapping or a single value). */
  public get isList(): boolean {
    return isSeq(this.node);
  }

  public fault(code: string, what: string, facts: Omit<Problem, 'where' | 'code' | 'what'>): undefined {
    this.document.fault(this.offset, { code, what, ...facts });
    return undefined;
  }

  /** A mapping with no other keys than these. */
  public fields(known: readonly string[]): ConfigFields | undefined {
    const entries = this.entries();
    if (entries === undefined) return undefined;
    for (const [key, entry] of entries) {
      if (known.includes(key)) continue;
      this.document.fault(entry.keyOffset, {
        code: ConfigCode.UNKNOWN_KEY,
        what: `unknown key '${this.child(key)}'`,
        allowed: known.join(', '),
        fix: `${didYouMean(key, known)}correct or remove it`,
      });
    }
    return new ConfigFields(this, entries);
  }

  /** A mapping whose keys are the user's own names. */
  public entries(): Map<string, ConfigNode> | undefined {
    if (!isMap(this.node)) return this.wrongType('a mapping of keys to values');
    const found = new Map<string, ConfigNode>();
    for (const pair of this.node.items as Pair<ParsedNode, ParsedNode | null>[]) {
      const key = this.document.resolve(pair.key);
      // the document has recorded a key that is not a text
      if (!isScalar(key) || key.value === null) continue;
      const name = String(key.value);
      found.set(name, new ConfigNode(this.document, pair.value, this.child(name), pair.key.range?.[0] ?? this.offset));
    }
    return found;
  }

  public list(): ConfigNode[] | undefined {
    if (!isSeq(this.node)) return this.wrongType('a list');
    return this.node.items.map(
      (item, index) => new ConfigNode(this.document, item as ParsedNode, `${this.path}[${index}]`, this.offset),
    );
  }

  public text(form?: TextForm): string | undefined {
    if (!isScalar(this.node) || typeof this.node.value !== 'string') return this.wrongType('a text');
    const { value } = this.node;
    if (form !== undefined && !form.pattern.test(value)) return this.badValue(form.words, 'correct the value');
    return value;
  }

  public oneOf<const T extends string>(allowed: readonly T[]): T | undefined {
    if (isScalar(this.node) && allowed.includes(this.node.value as T)) return this.node.value as T;
    const hint = isScalar(this.node) && typeof this.node.value === 'string' ? didYouMean(this.node.value, allowed) : '';
    return this.badValue(allowed.join(', '), `${hint}choose one of them`);
  }

  public number(bounds: NumberBounds = {}): number | undefined {
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.wrongType('a number');
    if (value < (bounds.min ?? value) || value > (bounds.max ?? value))
      return this.badValue(inWords(bounds), 'choose a value in this range');
    return value;
  }

  public integer(bounds: NumberBounds = {}): number | undefined {
    const value = isScalar(this.node) ? this.node.value : undefined;
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) return this.wrongType('a whole number');
    return this.number(bounds);
  }

  public boolean(): boolean | undefined {
    if (!isScalar(this.node) || typeof this.node.value !== 'boolean') return this.wrongType('true, false');
    return this.node.value;
  }

  /** Go's duration syntax, in milliseconds. */
  public durationMs(): number | undefined {
    const text = isScalar(this.node) ? String(this.node.value) : undefined;
    const ms = text === undefined ? undefined : parseDurationMs(text);
    return ms ?? this.badValue("a duration such as '60s', '1m30s' or '500ms'", 'write a number with its unit');
  }

  /** A Kubernetes quantity, as a whole number. */
  public quantity(): number | undefined {
    const text = isScalar(this.node) ? String(this.node.value) : undefined;
    const value = text === undefined ? undefined : parseQuantity(text);
    return value ?? this.badValue("a quantity such as '100', '5k' or '1Gi'", 'write a whole number, with a suffix if you like');
  }

  /** The value as plain data, for a plugin to check. */
  public plain(): unknown {
    if (isMap(this.node)) {
      // fromEntries defines own properties, so a key '__proto__' stays data
      return Object.fromEntries([...(this.entries() ?? [])].map(([key, entry]) => [key, entry.plain()]));
    }
    if (isSeq(this.node)) return (this.list() ?? []).map((entry) => entry.plain());
    return isScalar(this.node) ? this.node.value : null;
  }

  /** Records where this value and all below it stand, by path. */
  public locate(into: Map<string, string>): void {
    into.set(this.path, this.where);
    if (isMap(this.node)) for (const entry of this.entries()!.values()) entry.locate(into);
    if (isSeq(this.node)) for (const entry of this.list()!) entry.locate(into);
  }

  private wrongType(expected: string): undefined {
    return this.badValue(expected, 'correct the value');
  }

  private badValue(allowed: string, fix: string): undefined {
    const value = isScalar(this.node)
      ? this.node.value
      : isSeq(this.node)
        ? 'a list'
        : isMap(this.node)
          ? 'a mapping'
          : 'nothing';
    const shown = typeof value === 'bigint' || value === null ? String(value) : value;
    return this.fault(ConfigCode.BAD_VALUE, `${this.named} has a wrong value`, { value: shown, allowed, fix });
  }

  private get offset(): number {
    // a position at the alias, not at the anchor, is where the user has to change something
    return this.given?.range?.[0] ?? this.keyOffset;
  }

  private get named(): string {
    return this.path === '' ? 'the file' : `'${this.path}'`;
  }

  private child(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

/** The entries of a mapping; a key without a value counts as absent, as it does for Kubernetes. */
export class ConfigFields {
  public constructor(
    private readonly owner: ConfigNode,
    private readonly entries: ReadonlyMap<string, ConfigNode>,
  ) {}

  public get(key: string): ConfigNode | undefined {
    const entry = this.entries.get(key);
    return entry === undefined || entry.isNull ? undefined : entry;
  }

  /** True for a key that is there without a value. */
  public isNull(key: string): boolean {
    return this.entries.get(key)?.isNull === true;
  }

  /** Records a fault when the key is absent. */
  public required(key: string, fix: string): ConfigNode | undefined {
    const entry = this.get(key);
    if (entry !== undefined) return entry;
    const path = this.owner.path === '' ? key : `${this.owner.path}.${key}`;
    return this.owner.fault(ConfigCode.MISSING_KEY, `'${path}' is missing`, { fix });
  }

  /** Those of the given keys that are present. */
  public present(keys: readonly string[]): string[] {
    return keys.filter((key) => this.get(key) !== undefined);
  }
}

function inWords({ min, max }: NumberBounds): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  return min !== undefined ? `at least ${min}` : `at most ${max}`;
}
