import { parentPort, Worker } from 'node:worker_threads';
import { type RunEngineOptions, type RunningEngine, runEngine } from '../../../simulation/engine/run-engine';

type Order =
  | { readonly id: number; readonly kind: 'start'; readonly name: string; readonly options: RunEngineOptions }
  | { readonly id: number; readonly kind: 'stop'; readonly name: string };

interface Report {
  readonly id: number;
  /** Of a started engine. */
  readonly port?: number;
  readonly error?: string;
}

/** Simulated engines in a thread of their own, so that the proxy does not pay for their work. */
export class EngineFleet {
  private readonly worker: Worker;
  private readonly waiting = new Map<number, { resolve: (report: Report) => void; reject: (error: Error) => void }>();
  private lastId = 0;

  /** @param programFile calls `runFleetWorker` outside of the main thread */
  public constructor(programFile: string) {
    this.worker = new Worker(programFile);
    this.worker.on('message', (report: Report) => {
      const { resolve, reject } = this.waiting.get(report.id)!;
      this.waiting.delete(report.id);
      if (report.error === undefined) resolve(report);
      else reject(new Error(report.error));
    });
    const fail = (error: Error): void => {
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
    };
    this.worker.on('error', fail);
    this.worker.on('exit', () => fail(new Error('the simulated engines have ended')));
  }

  /** @returns the port that it listens on */
  public async start(name: string, options: RunEngineOptions): Promise<number> {
    return (await this.order({ id: ++this.lastId, kind: 'start', name, options })).port!;
  }

  /** Ends an engine as a crash does: its connections are cut. */
  public async stop(name: string): Promise<void> {
    await this.order({ id: ++this.lastId, kind: 'stop', name });
  }

  public async close(): Promise<void> {
    await this.worker.terminate();
  }

  private order(order: Order): Promise<Report> {
    return new Promise((resolve, reject) => {
      this.waiting.set(order.id, { resolve, reject });
      this.worker.postMessage(order);
    });
  }
}

/** The fleet's thread. */
export function runFleetWorker(): void {
  const engines = new Map<string, RunningEngine>();
  const carryOut = async (order: Order): Promise<Report> => {
    const { id, name } = order;
    if (order.kind === 'start') {
      const engine = await runEngine(order.options);
      engines.set(name, engine);
      return { id, port: engine.port };
    }
    await engines.get(name)?.close();
    engines.delete(name);
    return { id };
  };
  parentPort!.on('message', (order: Order) => {
    carryOut(order).then(
      (report) => parentPort!.postMessage(report),
      (error: Error) => parentPort!.postMessage({ id: order.id, error: error.message }),
    );
  });
}
