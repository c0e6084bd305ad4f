import { ConfigCode } from '../../picker-config/codes';
import { didYouMean } from '../../picker-config/nearest-name';
import type { Problem } from '../../shared/problem';

/** Bounds of a number, both included. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * Strict reader of one plugin's parameters. Every fault is recorded and reading goes on with the default, so that one pass finds all
 * faults of a configuration.
 */
export class PluginParameters {
  private readonly read: string[] = [];

  /**
   * @param type of the plugin, for messages
   * @param path for example `plugins[2].parameters`
   * @param locate position in the file of such a path
   */
  public constructor(
    private readonly type: string,
    private readonly raw: Readonly<Record<string, unknown>> | undefined,
    private readonly path: string,
    private readonly locate: (path: string) => string,
    private readonly problems: Problem[],
  ) {}

  public number(key: string, fallback: number, bounds: Bounds = {}): number {
    const value = this.value(key);
    if (value === undefined || (typeof value === 'number' && isWithin(value, bounds))) return value ?? fallback;
    return this.wrong(key, value, `a number${inWords(bounds)}`, fallback);
  }

  public integer(key: string, fallback: number, bounds: Bounds = {}): number {
    const value = this.value(key);
    if (value === undefined || (isInteger(value) && isWithin(value, bounds))) return value ?? fallback;
    return this.wrong(key, value, `a whole number${inWords(bounds)}`, fallback);
  }

  public boolean(key: string, fallback: boolean): boolean {
    const value = this.value(key);
    if (value === undefined) return fallback;
    return typeof value === 'boolean' ? value : this.wrong(key, value, 'true or false', fallback);
  }

  public text<T extends string | undefined>(key: string, fallback: T): string | T {
    const value = this.value(key);
    if (value === undefined) return fallback;
    return typeof value === 'string' && value !== '' ? value : this.wrong(key, value, 'a text', fallback);
  }

  public oneOf<const T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = this.value(key);
    if (value === undefined) return fallback;
    return allowed.includes(value as T) ? (value as T) : this.wrong(key, value, allowed.join(', '), fallback);
  }

  /** Any value, for the plugin to look into; undefined when absent. */
  public value(key: string): unknown {
    if (!this.read.includes(key)) this.read.push(key);
    return this.raw?.[key] ?? undefined;
  }

  /** Reader of a parameter that is an object; its faults are reported with this one's. */
  public section(key: string): PluginParameters {
    const value = this.value(key);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (value !== undefined && !isObject) this.wrong(key, value, 'an object', undefined);
    const raw = isObject ? (value as Readonly<Record<string, unknown>>) : undefined;
    return new PluginParameters(this.type, raw, `${this.path}.${key}`, this.locate, this.problems);
  }

  /** A text that must be there. */
  public requiredText(key: string): string {
    if (this.value(key) === undefined) {
      this.fault(key, {
        code: ConfigCode.MISSING_KEY,
        what: `plugin type '${this.type}' needs the parameter '${key}'`,
        fix: 'set it',
      });
    }
    return this.text(key, '');
  }

  /** The one parameter of all pickers. */
  public maxNumOfEndpoints(): number {
    const value = this.integer('maxNumOfEndpoints', 1, { min: 1, max: 100 });
    this.done();
    return value;
  }

  /** Reports a fault of a parameter. */
  public fault(key: string, problem: Omit<Problem, 'where'>): void {
    this.problems.push({ ...problem, where: this.locate(`${this.path}.${key}`) });
  }

  /** Reports parameters that nobody read: the plugin does not have them. */
  public done(): void {
    for (const key of Object.keys(this.raw ?? {})) {
      if (this.read.includes(key)) continue;
      this.fault(key, {
        code: ConfigCode.UNKNOWN_KEY,
        what: `plugin type '${this.type}' has no parameter '${key}'`,
        allowed: this.read.length === 0 ? 'no parameters' : this.read.join(', '),
        fix: `${didYouMean(key, this.read)}correct or remove it`,
      });
    }
  }

  private wrong<T>(key: string, value: unknown, allowed: string, fallback: T): T {
    this.fault(key, {
      code: ConfigCode.BAD_VALUE,
      what: `parameter '${key}' of plugin type '${this.type}' has a wrong value`,
      value,
      allowed,
      fix: 'correct the value, or remove it for the default',
    });
    return fallback;
  }
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function isWithin(value: number, { min, max }: Bounds): boolean {
  return value >= (min ?? value) && value <= (max ?? value);
}

function inWords({ min, max }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}
