import { type CelFunc, type CelMap, CelScalar, celFunc, celMap, celMethod, isCelMap } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { isRequestUri } from '../schema/formats';
import { compileRe2 } from '../schema/re2';
import { parseQuantity } from './quantity';

const { STRING, BOOL, DYN } = CelScalar;

// Values of Kubernetes' own CEL types are maps of one entry: the evaluator has no opaque types, and equality comes with the map.
const QUANTITY = '@quantity';
const URL_TEXT = '@url';

/**
 * What Kubernetes adds to CEL, as far as the definitions in imports/crds use it
 * (https://kubernetes.io/docs/reference/using-api/cel/#cel-options-language-features-and-libraries).
 */
export const KUBERNETES_FUNCTIONS: CelFunc[] = [
  ...strings,
  // The evaluator has the method only.
  celFunc('matches', [STRING, STRING], BOOL, (text, pattern) => compileRe2(pattern).test(text)),
  celFunc('isQuantity', [STRING], BOOL, (text) => parseQuantity(text) !== undefined),
  celFunc('quantity', [STRING], DYN, (text) => {
    const value = parseQuantity(text);
    if (value === undefined) throw new Error(`'${text}' is no quantity`);
    return celMap(new Map([[QUANTITY, value]]));
  }),
  celMethod('isGreaterThan', DYN, [DYN], BOOL, function (other) {
    return entry<bigint>(this, QUANTITY) > entry<bigint>(other, QUANTITY);
  }),
  celMethod('isLessThan', DYN, [DYN], BOOL, function (other) {
    return entry<bigint>(this, QUANTITY) < entry<bigint>(other, QUANTITY);
  }),
  celMethod('compareTo', DYN, [DYN], CelScalar.INT, function (other) {
    const [left, right] = [entry<bigint>(this, QUANTITY), entry<bigint>(other, QUANTITY)];
    return left < right ? -1n : left > right ? 1n : 0n;
  }),
  celFunc('isURL', [STRING], BOOL, (text) => isRequestUri(text)),
  celFunc('url', [STRING], DYN, (text) => {
    if (!isRequestUri(text)) throw new Error(`'${text}' is no URL`);
    return celMap(new Map([[URL_TEXT, text]]));
  }),
  celMethod('getScheme', DYN, [], STRING, function () {
    return urlParts(entry(this, URL_TEXT)).scheme;
  }),
  celMethod('getHostname', DYN, [], STRING, function () {
    return urlParts(entry(this, URL_TEXT)).hostname;
  }),
];

function entry<T>(value: unknown, key: string): T {
  if (!isCelMap(value) || !value.has(key)) throw new Error('no such overload');
  return (value as CelMap).get(key) as T;
}

function urlParts(text: string): { scheme: string; hostname: string } {
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]*))?/.exec(text);
  return { scheme: (match?.[1] ?? '').toLowerCase(), hostname: (match?.[2] ?? '').replace(/^\[|\]$/g, '') };
}
