import { parseArgs } from 'node:util';
import { NO_FAULTS } from './core/faults';
import { defaultProfile, type EngineProfile } from './core/profile';
import { ACCELERATOR_FIGURES, acceleratorProfile } from './presets';
import { type RunEngineOptions, runEngine } from './run-engine';

const profileNames = Object.keys(defaultProfile) as (keyof EngineProfile)[];

const usage = `Simulated inference engine with vLLM's HTTP interface.

  --port N              (0: any free port; the port is printed)
  --host ADDRESS        (127.0.0.1)
  --model NAME          repeatable (llama)
  --adapter NAME=PATH   LoRA adapter, repeatable
  --mode echo|generate  (generate)
  --mean-output-tokens N, --seed N, --speed N
  --pod-name NAME       sent back as x-inference-pod
  --accelerator NAME    speed and memory of an 8 B model on one: ${ACCELERATOR_FIGURES.map(({ name }) => name).join(', ')}
  --drain-seconds N     how long answers may take to finish when it is asked to end (0)
  --fault FIELD=VALUE   repeatable; fields: ${Object.keys(NO_FAULTS).join(', ')}
  --profile FIELD=VALUE repeatable; fields: ${profileNames.join(', ')}
`;

/** Flags to options; throws with what is wrong. */
export function engineOptions(args: readonly string[]): (RunEngineOptions & { readonly drainSeconds: number }) | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      model: { type: 'string', multiple: true },
      adapter: { type: 'string', multiple: true },
      mode: { type: 'string' },
      'mean-output-tokens': { type: 'string' },
      seed: { type: 'string' },
      speed: { type: 'string' },
      'pod-name': { type: 'string' },
      profile: { type: 'string', multiple: true },
      fault: { type: 'string', multiple: true },
      accelerator: { type: 'string' },
      'drain-seconds': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const { mode } = values;
  if (mode !== undefined && mode !== 'echo' && mode !== 'generate')
    throw new Error(`--mode must be echo or generate (got '${mode}')`);
  return {
    port: number('--port', values.port),
    host: values.host,
    models: values.model,
    adapters: Object.fromEntries((values.adapter ?? []).map((text) => pair('--adapter', text))),
    mode,
    meanOutputTokens: number('--mean-output-tokens', values['mean-output-tokens']),
    seed: number('--seed', values.seed),
    speed: number('--speed', values.speed),
    podName: values['pod-name'],
    profile: { ...preset(values.accelerator), ...Object.fromEntries((values.profile ?? []).map(profileField)) },
    faults: Object.fromEntries((values.fault ?? []).map(faultField)),
    drainSeconds: number('--drain-seconds', values['drain-seconds']) ?? 0,
  };
}

function profileField(text: string): [string, number | boolean] {
  const [name, value] = pair('--profile', text);
  const known = defaultProfile[name as keyof EngineProfile];
  if (known === undefined) throw new Error(`--profile knows no field '${name}'; fields: ${profileNames.join(', ')}`);
  if (typeof known === 'number') return [name, number(`--profile ${name}`, value)!];
  if (value !== 'true' && value !== 'false') throw new Error(`--profile ${name} must be true or false (got '${value}')`);
  return [name, value === 'true'];
}

function preset(accelerator: string | undefined): Partial<EngineProfile> {
  if (accelerator === undefined) return {};
  const profile = acceleratorProfile(accelerator);
  if (profile !== undefined) return profile;
  throw new Error(`--accelerator knows no '${accelerator}'; allowed: ${ACCELERATOR_FIGURES.map(({ name }) => name).join(', ')}`);
}

/** What may be in it is for the engine to say. */
function faultField(text: string): [string, unknown] {
  const [name, value] = pair('--fault', text);
  return [name, value === 'true' || value === 'false' ? value === 'true' : number(`--fault ${name}`, value)];
}

function pair(flag: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new Error(`${flag} must be NAME=VALUE (got '${text}')`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function number(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new Error(`${flag} must be a number (got '${text}')`);
  return value;
}

async function main(): Promise<void> {
  const options = engineOptions(process.argv.slice(2));
  if (options === 'help') {
    process.stdout.write(usage);
    return;
  }
  const running = await runEngine(options);
  process.stdout.write(`engine listening on ${running.url}\n`);
  const stop = () => {
    setTimeout(() => void running.close().then(() => process.exit(0)), options.drainSeconds * 1000);
    if (options.drainSeconds > 0) void running.drain().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
}

if (require.main === module) {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  });
}
