import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EnginePlan } from '../plan/engine-plans';
import type { Plan } from '../plan/plan';
import { EngineFleet } from './engine-fleet';
import { freePorts } from './free-ports';
import { LoopbackPicker, pickerFolder } from './loopback-picker';
import { findEnvoy, type LoopbackProxy, type ProxyInput, startEmbeddedProxy, startEnvoy } from './loopback-proxy';
import type { LoopbackEngine } from './picker-files';

export interface SessionOptions {
  /** This program, which starts the engines' thread from itself. */
  readonly programFile: string;
  /** The picker's bundle. */
  readonly pickerFile: string;
  /** Port of the API. */
  readonly port: number;
  /** `'none'` for the embedded proxy; undefined to look for one. */
  readonly envoy: string | undefined;
  /** Simulated time in wall time. */
  readonly speed: number;
  readonly seed: number;
  readonly notice: (text: string) => void;
  /** Gets the lines that pickers and Envoy print. */
  readonly onLine?: (line: string) => void;
}

interface FleetEngine extends LoopbackEngine {
  readonly port: number;
  isRunning: boolean;
}

/** A kubelet takes a pod that fails its probe out of the endpoints a few seconds later; half that keeps demonstrations short. */
const NOT_READY_AFTER_MS = 2_000;

/** Everything that runs for a plan, from the first process to the last file. */
export class Session {
  public readonly pickers: LoopbackPicker[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'cdk8s-ai-gateway-up-'));
  private readonly fleet: EngineFleet;
  private readonly engines = new Map<EnginePlan, FleetEngine>();
  private proxyOrNone: LoopbackProxy | undefined;
  private isStopping = false;

  private constructor(
    public readonly plan: Plan,
    private readonly options: SessionOptions,
  ) {
    this.fleet = new EngineFleet(options.programFile);
  }

  /** Starts all of it; nothing is left when it throws. */
  public static async start(plan: Plan, options: SessionOptions, stopped: AbortSignal): Promise<Session> {
    const session = new Session(plan, options);
    const onAbort = (): void => void session.stop();
    stopped.addEventListener('abort', onAbort);
    try {
      await session.startAll();
      return session;
    } catch (error) {
      await session.stop();
      throw error;
    } finally {
      stopped.removeEventListener('abort', onAbort);
    }
  }

  public get proxy(): LoopbackProxy {
    return this.proxyOrNone!;
  }

  /** Simulated time in wall time. */
  public get speed(): number {
    return this.options.speed;
  }

  public get url(): string {
    return `http://127.0.0.1:${this.proxy.port}`;
  }

  public portOf(engine: EnginePlan): number {
    return this.engines.get(engine)!.port;
  }

  public isRunning(engine: EnginePlan): boolean {
    return this.engines.get(engine)!.isRunning;
  }

  /** Ends an engine as a crash does; its pool learns of it a moment later. */
  public async kill(engine: EnginePlan): Promise<void> {
    const entry = this.engines.get(engine)!;
    entry.isRunning = false;
    await this.fleet.stop(nameOf(engine));
    setTimeout(() => this.publish(), NOT_READY_AFTER_MS).unref();
  }

  /** Brings it back where it was. */
  public async revive(engine: EnginePlan): Promise<void> {
    const entry = this.engines.get(engine)!;
    await this.fleet.start(nameOf(engine), this.engineOptions(engine, entry.port));
    entry.isRunning = true;
    this.publish();
  }

  /** Resolves with a sentence when something ends that should not. */
  public async failure(): Promise<string> {
    const watched = [
      ...this.pickers.map(({ plan, program }) => ({ name: `picker ${plan.name}`, program })),
      ...(this.proxy.program === undefined ? [] : [{ name: 'Envoy', program: this.proxy.program }]),
    ];
    const first = await Promise.race(
      watched.map(async ({ name, program }) => ({ name, result: await program.exited, output: program.output })),
    );
    if (this.isStopping) return new Promise(() => undefined);
    return `${first.name} ended with ${first.result}:\n${first.output.trim().split('\n').slice(-5).join('\n')}`;
  }

  /** Ends every process and removes every file; may be called again. */
  public async stop(): Promise<void> {
    this.isStopping = true;
    await this.proxyOrNone?.stop();
    await Promise.all(this.pickers.map(({ program }) => program.stop()));
    await this.fleet.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startAll(): Promise<void> {
    const { plan, options } = this;
    // Not the system's choice: an engine comes back where it was, and an outgoing connection could have taken such a port meanwhile.
    const ports = await freePorts(plan.engines.length);
    for (const [index, engine] of plan.engines.entries()) {
      const port = await this.fleet.start(nameOf(engine), this.engineOptions(engine, ports[index]!));
      this.engines.set(engine, { plan: engine, port, isRunning: true });
    }
    for (const picker of plan.pickers) {
      this.alive();
      const pools = new Map(picker.pools.map(({ name, engines }) => [name, engines]));
      this.pickers.push(
        await LoopbackPicker.start(picker, {
          program: options.pickerFile,
          folder: pickerFolder(this.folder, picker),
          enginesOf: (pool) => (pools.get(pool) ?? []).map((engine) => this.engines.get(engine)!),
          notice: options.notice,
          ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
        }),
      );
    }
    this.alive();
    const input: ProxyInput = {
      plan,
      pickers: this.pickers,
      portOf: (engine) => this.portOf(engine),
      port: options.port,
      folder: this.folder,
      notice: options.notice,
      ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
    };
    const envoy = options.envoy === 'none' ? undefined : findEnvoy(options.envoy);
    if (envoy === undefined && options.envoy !== undefined && options.envoy !== 'none') {
      throw new Error(`there is no program at ${options.envoy} (--envoy)`);
    }
    this.proxyOrNone = envoy === undefined ? await startEmbeddedProxy(input) : await startEnvoy(envoy, input);
    this.alive();
  }

  /** A signal during the start has begun to take down what is there. */
  private alive(): void {
    if (this.isStopping) throw new Error('stopped');
  }

  private publish(): void {
    if (this.isStopping) return;
    for (const picker of this.pickers) {
      for (const { name, engines } of picker.plan.pools) {
        const running = engines.map((engine) => this.engines.get(engine)!).filter(({ isRunning }) => isRunning);
        picker.setEndpoints(name, running);
      }
    }
  }

  private engineOptions(engine: EnginePlan, port: number): Parameters<EngineFleet['start']>[1] {
    const { models, adapters, profile, name } = engine;
    return { models, adapters, profile, podName: name, port, speed: this.options.speed, seed: this.options.seed };
  }
}

function nameOf({ namespace, name }: EnginePlan): string {
  return `${namespace}/${name}`;
}
