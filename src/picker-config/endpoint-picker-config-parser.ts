import type { Problem } from '../shared/problem';
import { ConfigCode } from './codes';
import { ConfigDocument } from './config-document';
import type { ConfigFields, ConfigNode } from './config-node';
import {
  CONFIG_API_VERSION,
  CONFIG_KIND,
  type DataLayerSpec,
  DEFAULT_BAND_MAX_BYTES,
  DEFAULT_BAND_MAX_REQUESTS,
  DEFAULT_FLOW_CONTROL,
  DEPRECATED_CONFIG_API_VERSION,
  EMPTY_ENDPOINT_PICKER_CONFIG,
  type EndpointPickerConfig,
  type FeatureGates,
  type FlowControlSpec,
  type PluginSpec,
  type PriorityBandSpec,
  type ProfilePluginSpec,
  type SchedulingProfileSpec,
} from './endpoint-picker-config';
import { didYouMean } from './nearest-name';

/** What a parse gives: the configuration, or every reason why there is none. */
export interface ParsedEndpointPickerConfig {
  /** Undefined when there are problems. */
  readonly config: EndpointPickerConfig | undefined;
  /** What could be read although there are problems, so that further checks find the rest of them; undefined when it is no mapping. */
  readonly draft: EndpointPickerConfig | undefined;
  readonly problems: readonly Problem[];
  /** Deprecated spellings that were accepted. */
  readonly warnings: readonly Problem[];
  /** `file:line:column` of a path such as `plugins[2].parameters.path`; of its nearest ancestor when it is not in the file. */
  locate(path: string): string;
}

/** Instances that llm-d makes under the name of their type when something refers to them and the file does not list them. */
const IMPLICIT_PLUGINS: readonly string[] = [
  'max-score-picker',
  'single-profile-handler',
  'metrics-data-source',
  'core-metrics-extractor',
  'utilization-detector',
  'static-usage-limit-policy',
  'global-strict-fairness-policy',
  'fcfs-ordering-policy',
  'openai-parser',
  'anthropic-parser',
  'vllmhttp-parser',
  'passthrough-parser',
];

const GATES = ['flowControl', 'haPopulateNonLeaderDatastore'] as const;

/**
 * Parses an EndpointPickerConfig, YAML or JSON. Strict: unknown keys, names that occur twice and references to nothing are faults. Whether
 * a plugin's type and parameters are good is for `checkPlugins` and the picker's registry.
 * @param file name for positions
 */
export function parseEndpointPickerConfig(text: string, file: string): ParsedEndpointPickerConfig {
  const document = new ConfigDocument(text, file);
  const warnings: Problem[] = [];
  const config = document.root === undefined ? undefined : new Parser(warnings).parse(document.root);
  const places = new Map<string, string>();
  if (document.root !== undefined) document.root.locate(places);
  return {
    config: document.problems.length === 0 ? config : undefined,
    draft: config,
    problems: document.problems,
    warnings,
    locate: (path) => {
      let ancestor = path;
      while (ancestor !== '' && !places.has(ancestor)) ancestor = ancestor.replace(/(?:^|\.)[^.[]*$|\[\d+\]$/, '');
      return places.get(ancestor) ?? `${file}:1:1`;
    },
  };
}

class Parser {
  private readonly pluginNames = new Set<string>();
  private readonly plugins: PluginSpec[] = [];

  public constructor(private readonly warnings: Problem[]) {}

  public parse(root: ConfigNode): EndpointPickerConfig | undefined {
    const fields = root.fields([
      'apiVersion',
      'kind',
      'featureGates',
      'plugins',
      'schedulingProfiles',
      'dataLayer',
      'flowControl',
      'requestHandler',
      'saturationDetector',
      'parser',
    ]);
    if (fields === undefined) return undefined;
    this.checkKind(fields);
    // first, because everything else refers to them
    this.readPlugins(fields.get('plugins'));
    return {
      featureGates: this.featureGates(fields.get('featureGates')),
      plugins: this.plugins,
      schedulingProfiles: this.profiles(fields.get('schedulingProfiles')),
      dataLayer: this.dataLayer(fields.get('dataLayer')),
      flowControl: this.flowControl(fields.get('flowControl'), fields.get('saturationDetector')),
      parsers: this.parsers(fields.get('requestHandler'), fields.get('parser')),
    };
  }

  private checkKind(fields: ConfigFields): void {
    const version = fields.required('apiVersion', `write apiVersion: ${CONFIG_API_VERSION}`);
    const text = version?.text();
    if (version !== undefined && text === DEPRECATED_CONFIG_API_VERSION) {
      this.deprecated(version, `apiVersion ${DEPRECATED_CONFIG_API_VERSION}`, `write ${CONFIG_API_VERSION}`);
    } else if (version !== undefined && text !== undefined && text !== CONFIG_API_VERSION) {
      version.fault(ConfigCode.WRONG_KIND, 'this apiVersion is not supported', {
        value: text,
        allowed: `${CONFIG_API_VERSION}, ${DEPRECATED_CONFIG_API_VERSION}`,
        fix: `write apiVersion: ${CONFIG_API_VERSION}`,
      });
    }
    const kind = fields.required('kind', `write kind: ${CONFIG_KIND}`);
    const name = kind?.text();
    if (name === undefined || name === CONFIG_KIND) return;
    const fix = name === 'PickerPolicy' ? 'give this file with --policy-file' : `write kind: ${CONFIG_KIND}`;
    kind!.fault(ConfigCode.WRONG_KIND, 'this file is of another kind', { value: name, allowed: CONFIG_KIND, fix });
  }

  private featureGates(node: ConfigNode | undefined): FeatureGates {
    const gates = { ...EMPTY_ENDPOINT_PICKER_CONFIG.featureGates };
    for (const entry of node?.list() ?? []) {
      const text = entry.text();
      if (text === undefined) continue;
      const [name, setting = 'true'] = text.split('=', 2) as [string, string?];
      const gate = GATES.find((known) => known === name);
      if (gate === undefined) {
        const fix = `${didYouMean(name, GATES)}remove it`;
        entry.fault(ConfigCode.NO_SUCH_NAME, `there is no feature gate '${name}'`, {
          value: text,
          allowed: GATES.join(', '),
          fix,
        });
      } else if (setting !== 'true' && setting !== 'false') {
        entry.fault(ConfigCode.BAD_VALUE, `feature gate '${name}' has a wrong value`, {
          value: setting,
          allowed: 'true, false',
          fix: `write ${name}=true or ${name}=false`,
        });
      } else {
        gates[gate] = setting === 'true';
      }
    }
    return gates;
  }

  private readPlugins(node: ConfigNode | undefined): void {
    for (const entry of node?.list() ?? []) {
      const fields = entry.fields(['name', 'type', 'parameters']);
      const type = fields?.required('type', 'name the type of the plugin')?.text();
      const name = fields?.get('name')?.text() ?? type;
      if (fields === undefined || type === undefined || name === undefined) continue;
      if (this.pluginNames.has(name)) {
        const fix = 'give each instance its own name (the default is its type)';
        entry.fault(ConfigCode.DUPLICATE_NAME, 'two plugins have the same name', { value: name, fix });
      }
      this.pluginNames.add(name);
      const given = fields.get('parameters');
      const isMapping = given?.entries() !== undefined;
      this.plugins.push(isMapping ? { name, type, parameters: given!.plain() as Record<string, unknown> } : { name, type });
    }
  }

  private profiles(node: ConfigNode | undefined): SchedulingProfileSpec[] {
    const profiles: SchedulingProfileSpec[] = [];
    for (const entry of node?.list() ?? []) {
      const fields = entry.fields(['name', 'plugins']);
      const name = fields?.required('name', 'give the profile a name')?.text();
      const list = fields?.required('plugins', 'list the plugins of the profile')?.list();
      if (name !== undefined && profiles.some((profile) => profile.name === name)) {
        entry.fault(ConfigCode.DUPLICATE_NAME, 'two scheduling profiles have the same name', {
          value: name,
          fix: 'rename one of them',
        });
      }
      const plugins: ProfilePluginSpec[] = [];
      for (const item of list ?? []) {
        const inner = item.fields(['pluginRef', 'weight']);
        const pluginRef = this.reference(inner);
        const weight = inner?.get('weight')?.number({ min: 0 });
        if (pluginRef !== undefined) plugins.push(weight === undefined ? { pluginRef } : { pluginRef, weight });
      }
      if (name !== undefined) profiles.push({ name, plugins });
    }
    return profiles;
  }

  private dataLayer(node: ConfigNode | undefined): DataLayerSpec {
    const fields = node?.fields([
      'injectDefaults',
      'sources',
      'discovery',
      'peerDiscovery',
      'crossReplicaSyncerPluginRef',
      'crossReplicaSyncInterval',
    ]);
    const sources: DataLayerSpec['sources'][number][] = [];
    for (const entry of fields?.get('sources')?.list() ?? []) {
      const inner = entry.fields(['pluginRef', 'extractors']);
      const pluginRef = this.reference(inner);
      const extractors = this.referenceList(inner?.get('extractors'));
      if (pluginRef !== undefined) sources.push({ pluginRef, extractors });
    }
    return {
      injectDefaults: fields?.get('injectDefaults')?.boolean() ?? true,
      sources,
      ...given('discovery', this.referenceIn(fields?.get('discovery'))),
      ...given('peerDiscovery', this.referenceIn(fields?.get('peerDiscovery'))),
      ...given('crossReplicaSyncer', this.named(fields?.get('crossReplicaSyncerPluginRef'))),
      ...given('crossReplicaSyncIntervalMs', fields?.get('crossReplicaSyncInterval')?.durationMs()),
    };
  }

  private flowControl(node: ConfigNode | undefined, oldDetector: ConfigNode | undefined): FlowControlSpec {
    const fields = node?.fields([
      'maxBytes',
      'maxRequests',
      'defaultRequestTTL',
      'noEndpointRequestTTL',
      'defaultPriorityBand',
      'defaultNegativePriorityBand',
      'priorityBands',
      'usageLimitPolicyPluginRef',
      'saturationDetector',
      'enableEviction',
    ]);
    if (oldDetector !== undefined) this.deprecated(oldDetector, 'top-level saturationDetector', 'move it into flowControl');
    const ttlMs = fields?.get('defaultRequestTTL')?.durationMs() ?? DEFAULT_FLOW_CONTROL.defaultRequestTtlMs;
    const detector = this.referenceIn(fields?.get('saturationDetector'), true) ?? this.referenceIn(oldDetector, true);
    const bands: PriorityBandSpec[] = [];
    for (const entry of fields?.get('priorityBands')?.list() ?? []) {
      const band = this.band(entry);
      if (band !== undefined && bands.some(({ priority }) => priority === band.priority)) {
        entry.fault(ConfigCode.DUPLICATE_NAME, 'two bands have the same priority', {
          value: band.priority,
          fix: 'keep one of them',
        });
      }
      if (band !== undefined) bands.push(band);
    }
    return {
      maxBytes: fields?.get('maxBytes')?.quantity() ?? 0,
      maxRequests: fields?.get('maxRequests')?.quantity() ?? 0,
      defaultRequestTtlMs: ttlMs,
      noEndpointRequestTtlMs: fields?.get('noEndpointRequestTTL')?.durationMs() ?? ttlMs,
      ...given('defaultPriorityBand', this.band(fields?.get('defaultPriorityBand'))),
      ...given('defaultNegativePriorityBand', this.band(fields?.get('defaultNegativePriorityBand'))),
      priorityBands: bands,
      ...given('usageLimitPolicy', this.named(fields?.get('usageLimitPolicyPluginRef'))),
      ...given('saturationDetector', detector),
      enableEviction: fields?.get('enableEviction')?.boolean() ?? false,
    };
  }

  private band(node: ConfigNode | undefined): PriorityBandSpec | undefined {
    const fields = node?.fields(['priority', 'maxBytes', 'maxRequests', 'fairnessPolicyRef', 'orderingPolicyRef']);
    if (fields === undefined) return undefined;
    return {
      priority: fields.get('priority')?.integer() ?? 0,
      // 0 stands for the default: llm-d has no unlimited band
      maxBytes: fields.get('maxBytes')?.quantity() || DEFAULT_BAND_MAX_BYTES,
      maxRequests: fields.get('maxRequests')?.quantity() || DEFAULT_BAND_MAX_REQUESTS,
      ...given('fairnessPolicy', this.named(fields.get('fairnessPolicyRef'))),
      ...given('orderingPolicy', this.named(fields.get('orderingPolicyRef'))),
    };
  }

  private parsers(handler: ConfigNode | undefined, oldParser: ConfigNode | undefined): string[] {
    if (oldParser !== undefined) this.deprecated(oldParser, 'top-level parser', 'move it into requestHandler.parsers');
    const parsers = this.referenceList(handler?.fields(['parsers'])?.get('parsers'));
    const old = this.referenceIn(oldParser);
    return parsers.length === 0 && old !== undefined ? [old] : parsers;
  }

  private referenceList(node: ConfigNode | undefined): string[] {
    const names = (node?.list() ?? []).map((entry) => this.referenceIn(entry));
    return names.filter((name) => name !== undefined);
  }

  private referenceIn(node: ConfigNode | undefined, mayBeEmpty = false): string | undefined {
    const fields = node?.fields(['pluginRef']);
    return mayBeEmpty && fields?.get('pluginRef') === undefined ? undefined : this.reference(fields);
  }

  private reference(fields: ConfigFields | undefined): string | undefined {
    return this.named(fields?.required('pluginRef', 'name a plugin of the section plugins'));
  }

  private named(node: ConfigNode | undefined): string | undefined {
    const name = node?.text();
    if (name === undefined || this.pluginNames.has(name)) return name;
    if (IMPLICIT_PLUGINS.includes(name)) {
      this.pluginNames.add(name);
      this.plugins.push({ name, type: name });
      return name;
    }
    node!.fault(ConfigCode.NO_SUCH_NAME, `no plugin is named '${name}'`, {
      allowed: [...this.pluginNames].join(', ') || 'nothing, because the section plugins is empty',
      fix: `${didYouMean(name, this.pluginNames)}add it to the section plugins, or correct the name`,
    });
    return name;
  }

  private deprecated(node: ConfigNode, what: string, fix: string): void {
    this.warnings.push({ code: ConfigCode.WRONG_KIND, what: `${what} is deprecated`, fix, where: node.where });
  }
}

/** `{[key]: value}`, or nothing when the value is undefined. */
function given<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}
