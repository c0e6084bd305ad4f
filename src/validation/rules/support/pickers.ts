import type { Field, KubeObject, ObjectIndex } from '../../object-index';
import { poolPicker, pools } from './routes';
import { selectedWorkloads, type Workload } from './workloads';

/** The picker of a pool as far as the input has it. */
export interface Picker {
  readonly pool: KubeObject;
  readonly ref: Field;
  readonly port: Field;
  readonly service: KubeObject | undefined;
  readonly workload: Workload | undefined;
  readonly container: Field | undefined;
  /** `--flag` → value; `true` for a flag without one. */
  readonly flags: ReadonlyMap<string, { readonly value: string; readonly field: Field }>;
}

export function pickers(index: ObjectIndex): readonly Picker[] {
  return index.memo(findPickers);
}

function findPickers(index: ObjectIndex): Picker[] {
  return pools(index).flatMap((pool): Picker[] => {
    const { ref, port } = poolPicker(pool);
    const name = ref.at('name').text;
    if (name === undefined || (ref.at('kind').text ?? 'Service') !== 'Service') return [];
    const service = index.find('', 'Service', pool.namespace, name);
    const selector = service?.at('spec', 'selector').labels;
    const workload = selector === undefined ? undefined : selectedWorkloads(index, pool.namespace, selector)[0];
    const container = workload?.podSpec.at('containers').items.find(isPickerContainer);
    return [{ pool, ref, port, service, workload, container, flags: flagsOf(container) }];
  });
}

/** An endpoint picker is known by its flags: every one of them has its pool, a selector or a policy. */
function isPickerContainer(container: Field): boolean {
  return (
    container.at('args').texts.some((text) => /^--?(pool-?name|endpoint-selector|policy-file)(=|$)/i.test(text)) ||
    container.at('command').texts.some((text) => /^--?(pool-?name|endpoint-selector|policy-file)(=|$)/i.test(text))
  );
}

function flagsOf(container: Field | undefined): Picker['flags'] {
  const flags = new Map<string, { value: string; field: Field }>();
  if (container === undefined) return flags;
  const words = [...container.at('command').items, ...container.at('args').items];
  for (let index = 0; index < words.length; index++) {
    const field = words[index]!;
    const match = /^--?([a-zA-Z][-a-zA-Z0-9]*)(?:=(.*))?$/s.exec(field.text ?? '');
    if (match === null) continue;
    const next = words[index + 1];
    const hasNext = match[2] === undefined && next?.text !== undefined && !next.text.startsWith('-');
    // Flags were camelCase before the first release of the API, and Go takes one dash or two.
    const name = match[1]!.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    flags.set(name, { value: match[2] ?? (hasNext ? next!.text! : 'true'), field: hasNext ? next! : field });
  }
  return flags;
}

/** True for the default and `true`; undefined where a variable decides. */
export function flagIsOn(picker: Picker, name: string, byDefault: boolean): boolean | undefined {
  const given = picker.flags.get(name)?.value;
  if (given === undefined) return byDefault;
  if (/^(true|1|t)$/i.test(given)) return true;
  return /^(false|0|f)$/i.test(given) ? false : undefined;
}
