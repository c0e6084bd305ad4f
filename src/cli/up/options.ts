import { parseArgs } from 'node:util';
import type { Problem } from '../../shared/problem';
import { ACCELERATOR_FIGURES, acceleratorFigures } from '../../simulation/engine/presets';

export interface UpOptions {
  /** App (`.js`), manifest files or folders. Empty for the app that cdk8s.yaml names. */
  readonly sources: readonly string[];
  /** @default 8080, or any free port when that is taken */
  readonly port: number | undefined;
  /** Path of Envoy; `none` for the embedded proxy. @default - `ENVOY`, or `envoy` on `PATH` */
  readonly envoy: string | undefined;
  readonly replicasMax: number;
  /** Accelerator of engines whose manifests name none. @default - none in particular */
  readonly accelerator: string | undefined;
  readonly speed: number;
  readonly seed: number;
  /** One JSON object a line instead of words. */
  readonly json: boolean;
  /** Show the state once, and end. */
  readonly once: boolean;
  /** Send requests that prove what the manifests say, and end. */
  readonly tour: boolean;
  /** Go on after the tour. */
  readonly stay: boolean;
  /** Print what pickers and Envoy print. */
  readonly verbose: boolean;
}

export const UP_USAGE = `cdk8s-ai-gateway up [APP.js | FILE | FOLDER …]

Runs what manifests say on this machine: the real picker with its real configuration, a simulated engine for each replica, and
Envoy, or a small proxy of its own where there is none. Without a source it runs the app that cdk8s.yaml names.

  --port N           port of the API (8080, or a free one when it is taken)
  --envoy PATH       Envoy to use; none: the embedded proxy (environment ENVOY, then envoy on PATH)
  --replicas-max N   engines for each Deployment, at most (2)
  --accelerator NAME simulate engines on it where the manifests name none: H100, L4, MI300X, v5e … (none in particular)
  --speed N          simulated seconds in one of yours (1)
  --seed N           of the engines' answers (1)
  --tour             send requests that check what the manifests say; exit 1 when an expectation fails
  --stay             keep running after the tour
  --once             show the state once, after a second, and end
  --json             one JSON object a line
  --verbose          show what pickers and Envoy print
`;

/** Flags to options, or everything that is wrong with them. */
export function upOptions(args: readonly string[]): UpOptions | 'help' | readonly Problem[] {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    return [{ code: 'AIG600', what: (error as Error).message, fix: 'cdk8s-ai-gateway up --help lists the flags' }];
  }
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const problems: Problem[] = [];
  const number = (
    flag: string,
    text: string | undefined,
    byDefault: number,
    whole: boolean,
    min: number,
    max: number,
  ): number => {
    if (text === undefined) return byDefault;
    const value = Number(text);
    if (text.trim() !== '' && value >= min && value <= max && (!whole || Number.isInteger(value))) return value;
    const allowed = `${whole ? 'a whole number' : 'a number'}, ${min} to ${max}`;
    problems.push({ code: 'AIG600', what: `--${flag} has a wrong value`, value: text, allowed, fix: 'correct the value' });
    return byDefault;
  };
  const options: UpOptions = {
    sources: positionals,
    port: values.port === undefined ? undefined : number('port', values.port, 0, true, 1, 65_535),
    envoy: values.envoy,
    replicasMax: number('replicas-max', values['replicas-max'], 2, true, 1, 100),
    accelerator: accelerator(values.accelerator, problems),
    speed: number('speed', values.speed, 1, false, 0.01, 1000),
    seed: number('seed', values.seed, 1, true, 0, 2 ** 31),
    json: values.json === true,
    once: values.once === true,
    tour: values.tour === true,
    stay: values.stay === true,
    verbose: values.verbose === true,
  };
  return problems.length > 0 ? problems : options;
}

function accelerator(name: string | undefined, problems: Problem[]): string | undefined {
  if (name === undefined || acceleratorFigures(name) !== undefined) return name;
  const allowed = ACCELERATOR_FIGURES.map((figures) => figures.name).join(', ');
  problems.push({
    code: 'AIG600',
    what: '--accelerator names none that is known',
    value: name,
    allowed,
    fix: 'choose one of them',
  });
  return undefined;
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      envoy: { type: 'string' },
      'replicas-max': { type: 'string' },
      accelerator: { type: 'string' },
      speed: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
      once: { type: 'boolean' },
      tour: { type: 'boolean' },
      stay: { type: 'boolean' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
