import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_PICKER_POLICY, type PickerPolicy } from '../../../picker-config/picker-policy';
import type { PickerPlan } from '../plan/picker-plans';
import { ChildProgram } from './child-program';
import { freePorts } from './free-ports';
import {
  type LoopbackEngine,
  loopbackPolicy,
  withoutIdentity,
  writeConfig,
  writeEndpoints,
  writePlugins,
  writePolicy,
} from './picker-files';

export interface PickerPorts {
  readonly grpc: number;
  readonly metrics: number;
  readonly debug: number;
}

export interface PickerHost {
  /** The picker's bundle. */
  readonly program: string;
  /** Folder of its own. */
  readonly folder: string;
  readonly enginesOf: (pool: string) => readonly LoopbackEngine[];
  readonly notice: (text: string) => void;
  readonly onLine?: (line: string) => void;
}

const READY_MS = 30_000;
/** Sections that a picker may be too old for, and what a policy without them is. */
const OPTIONAL_SECTIONS = ['identity', 'limits', 'store', 'priorities'] as const;

/** A picker that runs with the configuration of the manifests, its endpoints on loopback. */
export class LoopbackPicker {
  private constructor(
    public readonly plan: PickerPlan,
    /** What it runs by; undefined without a policy. */
    public readonly policy: PickerPolicy | undefined,
    public readonly ports: PickerPorts,
    public readonly program: ChildProgram,
    private readonly folder: string,
  ) {}

  /** Starts it; sections that it refuses by name are taken out, and the notice names them. @throws with what it printed */
  public static async start(plan: PickerPlan, host: PickerHost): Promise<LoopbackPicker> {
    const { folder, notice } = host;
    mkdirSync(folder, { recursive: true });
    for (const { name } of plan.pools) writeEndpoints(folder, name, host.enginesOf(name));
    let policy = loopbackPolicy(plan, folder, notice);
    const config = writeConfig(folder, plan);
    for (;;) {
      const files = [
        ...(config === undefined ? [] : [`--config-file=${config}`]),
        ...(plan.plugins === undefined ? [] : [`--plugin-file=${writePlugins(folder, plan.plugins)}`]),
        ...(policy === undefined ? [] : [`--policy-file=${writePolicy(folder, policy)}`]),
      ];
      const [grpc, health, metrics, debug] = (await freePorts(4)) as [number, number, number, number];
      const program = new ChildProgram(process.execPath, {
        args: [
          host.program,
          ...plan.flags,
          ...files,
          ...(plan.config === undefined ? [] : ['--config-text=']),
          // On loopback everybody may connect, so nothing is gained by TLS.
          // one replica of each, so there is nobody to talk to
          ...['--peers=', '--peer-secret-file='],
          ...['--secure-serving=false', '--cert-path=', '--metrics-cert-dir=', '--metrics-client-ca-file='],
          // info, because readiness is told at that level
          ...['--bind-address=127.0.0.1', '--drain-timeout=1s', '--zap-log-level=info', `--debug-address=127.0.0.1:${debug}`],
          ...[`--grpc-port=${grpc}`, `--grpc-health-port=${health}`, `--metrics-port=${metrics}`],
        ],
        env: { NAMESPACE: plan.namespace },
        ...(host.onLine === undefined ? {} : { onLine: host.onLine }),
      });
      const isReady = await program.ready(() => program.output.includes('endpoint picker is serving'), READY_MS);
      if (isReady) return new LoopbackPicker(plan, policy, { grpc, metrics, debug }, program, folder);
      await program.stop();
      const refused = policy === undefined ? [] : refusedSections(program.output, policy);
      if (policy === undefined || refused.length === 0) {
        throw new Error(`picker ${plan.name} does not start:\n${readable(program.output)}`);
      }
      policy = without(policy, refused, plan.name, notice);
    }
  }

  public setEndpoints(pool: string, engines: readonly LoopbackEngine[]): void {
    writeEndpoints(this.folder, pool, engines);
  }
}

/** Sections that the picker named in a refusal, and that the policy has. */
function refusedSections(output: string, policy: PickerPolicy): (typeof OPTIONAL_SECTIONS)[number][] {
  const named = new Set([...output.matchAll(/section '(\w+)' of a PickerPolicy is not supported/g)].map(([, name]) => name));
  return OPTIONAL_SECTIONS.filter(
    (section) => named.has(section) && JSON.stringify(policy[section]) !== JSON.stringify(EMPTY_PICKER_POLICY[section]),
  );
}

function without(
  policy: PickerPolicy,
  sections: readonly (typeof OPTIONAL_SECTIONS)[number][],
  name: string,
  notice: (text: string) => void,
): PickerPolicy {
  for (const section of sections) {
    notice(`picker ${name}: section '${section}' is NOT IN FORCE: this picker refuses it, so it was taken out`);
  }
  const left: PickerPolicy = {
    ...Object.fromEntries(Object.entries(policy).filter(([key]) => !sections.includes(key as (typeof sections)[number]))),
    pools: policy.pools,
    models: policy.models,
    limits: sections.includes('limits') ? [] : policy.limits,
  };
  return sections.includes('identity') ? withoutIdentity(left, name, notice) : left;
}

/** What a log in JSON lines says of failures. */
function readable(output: string): string {
  const lines = output.trim().split('\n').slice(-40);
  const said = lines.flatMap((line) => {
    try {
      const { level, msg } = JSON.parse(line) as { level?: string; msg?: string };
      return level === 'error' || level === 'fatal' ? [`  ${msg}`] : [];
    } catch {
      return [`  ${line}`];
    }
  });
  return said.join('\n');
}

export function pickerFolder(folder: string, { namespace, name }: PickerPlan): string {
  return join(folder, `picker-${namespace}-${name}`);
}
