import type { Problem } from '../../shared/problem';
import type { ResolvedModelSpec } from '../values/model-catalogue/model-spec';
import type { VllmBackendProps } from '../vllm-backend-props';
import { maxLoraRank, maxLoras, SUPERVISOR_PORT, TYPED_FLAGS } from './arguments';
import type { Parallelism } from './parallelism';
import { literalSecretProblems } from './secrets-check';

/** `MaxLoRARanks` of vLLM 0.30 (vllm/config/lora.py). */
const LORA_RANKS = [1, 8, 16, 32, 64, 128, 256, 320, 512];

/** Everything that is wrong with the properties themselves, apart from memory and parallelism. */
export function propertyProblems(props: VllmBackendProps, split: Parallelism, spec: ResolvedModelSpec | undefined): Problem[] {
  return [
    ...rangeProblems(props),
    ...portProblems(props, split),
    ...lengthProblems(props, spec),
    ...quantizationProblems(props, spec),
    ...loraProblems(props),
    ...servedNameProblems(props),
    ...extraArgumentProblems(props),
    ...literalSecretProblems(props),
    ...networkProblems(props),
  ];
}

function rangeProblems(props: VllmBackendProps): Problem[] {
  const problems: Problem[] = [];
  const check = (name: keyof VllmBackendProps, least: number, whole: boolean, most = Number.MAX_SAFE_INTEGER): void => {
    const value = props[name];
    if (value === undefined) return;
    if (typeof value !== 'number' || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      const upper = most === Number.MAX_SAFE_INTEGER ? 'or more' : `to ${most}`;
      problems.push({
        code: 'AIG417',
        what: `${name} is out of range`,
        value,
        allowed: `${whole ? 'a whole number, ' : ''}${least} ${upper}`,
        fix: `correct ${name}`,
      });
    }
  };
  check('replicas', 0, true);
  check('surgeReplicas', 0, true);
  check('maxSequences', 1, true);
  check('maxBatchedTokens', 1, true);
  check('maxLoras', 1, true);
  check('kvOffloadGib', 1, false);
  check('sharedMemoryGib', 1, true);
  check('cpuCores', 1, false);
  check('memoryGib', 1, true);
  check('sourceMegabytesPerSecond', 1, false);
  check('runAsUser', 0, true, 4294967295);
  const ratio = props.gpuMemoryUtilizationRatio;
  if (ratio !== undefined && !(ratio > 0 && ratio <= 1)) {
    problems.push({
      code: 'AIG414',
      what: 'gpuMemoryUtilizationRatio is a share of the memory',
      value: ratio,
      allowed: 'above 0, up to 1',
      fix: ratio > 1 && ratio <= 100 ? `write ${ratio / 100}` : 'use 0.9',
    });
  }
  return problems;
}

function portProblems(props: VllmBackendProps, split: Parallelism): Problem[] {
  const first = props.port ?? 8000;
  const last = first + split.data - 1;
  if (
    Number.isInteger(first) &&
    first >= 1024 &&
    last <= 65535 &&
    (split.data === 1 || last < SUPERVISOR_PORT || first > SUPERVISOR_PORT)
  ) {
    return [];
  }
  return [
    {
      code: 'AIG417',
      what: `the ports of ${split.data} data-parallel rank(s) are not usable`,
      value: split.data > 1 ? `${first}-${last}` : first,
      allowed: `1024 to 65535, without ${SUPERVISOR_PORT}, where vLLM's supervisor listens`,
      fix: 'set port to 8000',
    },
  ];
}

function lengthProblems(props: VllmBackendProps, spec: ResolvedModelSpec | undefined): Problem[] {
  const length = props.maxModelLengthTokens;
  if (length === undefined) return [];
  const most = spec?.contextTokens;
  if (Number.isInteger(length) && length >= 1 && (most === undefined || length <= most)) return [];
  return [
    {
      code: 'AIG413',
      what: most === undefined ? 'maxModelLengthTokens is no number of tokens' : `${spec?.id} was made for shorter sequences`,
      value: length,
      allowed: `1 to ${most ?? 'what the model allows'}`,
      fix: 'lower maxModelLengthTokens; for a stretched context (YaRN) pass --hf-overrides in extraArgs, and a modelSpec with its contextTokens',
    },
  ];
}

function quantizationProblems(props: VllmBackendProps, spec: ResolvedModelSpec | undefined): Problem[] {
  const { quantization } = props;
  if (quantization === undefined) return [];
  if (quantization.checkpointBits !== undefined && spec !== undefined && spec.checkpointBits === 16) {
    return [
      {
        code: 'AIG415',
        what: `${quantization.name} needs weights that were quantized beforehand, and ${spec.id} has 16-bit weights`,
        fix: 'name a checkpoint that was quantized so, or use Quantization.fp8(), which vLLM applies while loading',
      },
    ];
  }
  if (quantization.name === 'fp8' && props.accelerator.name === 'T4') {
    return [
      {
        code: 'AIG415',
        what: 'fp8 needs an Ampere GPU or later',
        value: 'T4',
        allowed: 'awq, gptq',
        fix: 'use a 4-bit checkpoint, or an L4',
      },
    ];
  }
  return [];
}

function loraProblems(props: VllmBackendProps): Problem[] {
  const problems: Problem[] = [];
  const names = (props.adapters ?? []).map((adapter) => adapter.name);
  const clashes = names.filter(
    (name, index) => names.indexOf(name) !== index || props.servedModelNames?.includes(name) || name === props.model.modelId,
  );
  if (clashes.length > 0) {
    problems.push({
      code: 'AIG416',
      what: 'two things are served under one name',
      value: clashes.join(', '),
      fix: 'give each adapter a name of its own, other than the names of the base model',
    });
  }
  if (names.length === 0) {
    if (props.maxLoras !== undefined || props.maxLoraRank !== undefined) {
      problems.push({
        code: 'AIG416',
        what: 'maxLoras and maxLoraRank have no effect without adapters',
        fix: 'list adapters, or remove them; for adapters that are loaded at run time use extraArgs',
      });
    }
    return problems;
  }
  const remote = (props.adapters ?? []).filter((adapter) => adapter.isDownloaded).map((adapter) => adapter.name);
  if (remote.length > 0 && !props.model._bound.downloads) {
    problems.push({
      code: 'AIG416',
      what: "adapters cannot be downloaded, because the engine runs offline with this model's source",
      value: remote.join(', '),
      fix: "put them beside the model and use LoraAdapter.path(name, '/weights/…')",
    });
  }
  if (!LORA_RANKS.includes(maxLoraRank(props))) {
    problems.push({
      code: 'AIG416',
      what: 'vLLM has no kernels for this maxLoraRank',
      value: maxLoraRank(props),
      allowed: LORA_RANKS.join(', '),
      fix: `use ${LORA_RANKS.find((rank) => rank >= maxLoraRank(props)) ?? 512}, the next one that is not below the adapters' rank`,
    });
  }
  if (maxLoras(props) > names.length) {
    problems.push({
      code: 'AIG416',
      what: 'maxLoras reserves memory for adapters that there are none of',
      value: props.maxLoras,
      allowed: `1 to ${names.length}`,
      fix: 'lower maxLoras',
    });
  }
  return problems;
}

function servedNameProblems(props: VllmBackendProps): Problem[] {
  const names = props.servedModelNames;
  if (names === undefined) return [];
  const bad = names.filter(
    (name, index) => name === '' || /\s/.test(name) || name.startsWith('-') || names.indexOf(name) !== index,
  );
  if (names.length > 0 && bad.length === 0) return [];
  return [
    {
      code: 'AIG418',
      what: 'servedModelNames is not usable',
      value: names.length === 0 ? '[]' : bad.join(', '),
      allowed: "one name or more, each once, without spaces and not beginning with '-'",
      fix: 'correct servedModelNames, or leave it out to serve the names of the models that refer to this backend',
    },
  ];
}

function extraArgumentProblems(props: VllmBackendProps): Problem[] {
  const problems: Problem[] = [];
  for (const arg of props.extraArgs ?? []) {
    const flag = arg.split('=')[0]!.replace(/^--[\w-]+/, (long) => long.replaceAll('_', '-'));
    const property = TYPED_FLAGS[flag];
    if (property === undefined) continue;
    problems.push({
      code: 'AIG421',
      what: `extraArgs sets ${flag}, which has a property of its own; the checks would not see it`,
      fix: `use ${property}`,
    });
  }
  return problems;
}

function networkProblems(props: VllmBackendProps): Problem[] {
  const problems: Problem[] = [];
  if (props.egress === false && props.networkPolicy === false) {
    problems.push({
      code: 'AIG425',
      what: 'egress: false needs the NetworkPolicy that networkPolicy: false turns off',
      fix: 'remove one of the two',
    });
  } else if (props.egress === false && props.model._bound.needsNetwork) {
    problems.push({
      code: 'AIG425',
      what: 'with egress: false the engine cannot download its weights',
      fix: 'use ModelSource.persistentVolumeClaim or ModelSource.ociImage, or leave egress open',
    });
  }
  return problems;
}
