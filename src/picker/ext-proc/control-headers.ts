/**
 * Headers that steer the picker, or that only the picker may send to an engine. Copies from clients are removed on the way: they would
 * otherwise choose the engine (server-side request forgery) or speak for somebody else. Old aliases included.
 */
const PREFIXES: readonly string[] = ['x-aig-', 'x-llm-d-', 'x-gateway-destination-endpoint'];

const NAMES: readonly string[] = [
  'x-gateway-inference-fairness-id',
  'x-gateway-inference-objective',
  'x-gateway-model-name-rewrite',
  'x-slo-ttft-ms',
  'x-slo-tpot-ms',
  'x-prefiller-host-port',
  'x-encoder-hosts-ports',
  'x-data-parallel-host-port',
  'x-kv-cache-source-host-port',
];

interface Pattern {
  readonly bytes: Buffer;
  readonly whole: boolean;
}

/** By the character behind `x-`: nearly every header of a client is answered by one look-up. */
const BY_THIRD_CHARACTER: (readonly Pattern[] | undefined)[] = new Array(256).fill(undefined);
for (const [names, whole] of [
  [PREFIXES, false],
  [NAMES, true],
] as const) {
  for (const name of names) {
    const third = name.charCodeAt(2);
    BY_THIRD_CHARACTER[third] = [...(BY_THIRD_CHARACTER[third] ?? []), { bytes: Buffer.from(name), whole }];
  }
}

/** The name lies between the offsets, in any case. */
export function isControlHeader(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 6 || bytes[start + 1] !== 0x2d || (bytes[start]! | 0x20) !== 0x78) return false;
  const patterns = BY_THIRD_CHARACTER[bytes[start + 2]! | 0x20];
  if (patterns === undefined) return false;
  for (let index = 0; index < patterns.length; index++) {
    const { bytes: name, whole } = patterns[index]!;
    if (whole ? end - start !== name.length : end - start < name.length) continue;
    let i = 2;
    while (i < name.length && lowerCase(bytes[start + i]!) === name[i]) i++;
    if (i === name.length) return true;
  }
  return false;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
