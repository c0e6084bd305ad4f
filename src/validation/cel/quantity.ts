const SUFFIXES: Readonly<Record<string, bigint>> = {
  '': 10n ** 9n,
  n: 1n,
  u: 10n ** 3n,
  m: 10n ** 6n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
  Ki: (10n ** 9n) << 10n,
  Mi: (10n ** 9n) << 20n,
  Gi: (10n ** 9n) << 30n,
  Ti: (10n ** 9n) << 40n,
  Pi: (10n ** 9n) << 50n,
  Ei: (10n ** 9n) << 60n,
};

const MAX_EXPONENT = 30;

/**
 * A Kubernetes quantity (`500m`, `16Gi`, `1e3`) in units of 10⁻⁹, the finest it knows; what is finer is rounded away from zero, as
 * k8s.io/apimachinery/pkg/api/resource does. Undefined: the text is no quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponentText, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const exponent = exponentText === undefined ? 0 : Number(exponentText.slice(1));
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const unit = SUFFIXES[suffix];
  if (unit === undefined) return undefined;
  const numerator = BigInt(`${whole}${fraction}`) * unit * 10n ** BigInt(Math.max(exponent, 0));
  const denominator = 10n ** BigInt(fraction.length + Math.max(-exponent, 0));
  const magnitude = (numerator + denominator - 1n) / denominator;
  return sign === '-' ? -magnitude : magnitude;
}
